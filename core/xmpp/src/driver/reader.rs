//! From the socket to events.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadHalf};

use super::event::{CloseReason, Event};
use super::queue::EventSender;
use super::shared::{Shared, ping_number};
use crate::stream::{StanzaSeq, StreamError, StreamFeatures, StreamLimits};
use crate::xml::{Decoder, Frame};
use crate::{Element, ns};

/// Enough for a TLS record.
const READ_BYTES: usize = 16 * 1024;

/// The receiving half.
pub(super) struct Reader<S> {
    pub(super) read: ReadHalf<S>,
    pub(super) decoder: Decoder,
    pub(super) shared: Arc<Shared>,
    pub(super) events: EventSender,
}

impl<S: AsyncRead + AsyncWrite> Reader<S> {
    /// Reads until the connection is over, and says why.
    pub(super) async fn run(mut self, early: Vec<Element>, unread: Vec<u8>) -> CloseReason {
        for element in early {
            let seq = StanzaSeq::UNCOUNTED;
            self.emit(Event::Stanza { seq, element }).await;
        }
        if let Some(reason) = self.take(&unread).await {
            return reason;
        }
        drop(unread);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let count = match self.read.read(&mut buffer).await {
                Ok(0) => return CloseReason::Lost("end of file".to_owned()),
                Ok(count) => count,
                Err(error) => return lost(&error),
            };
            self.shared.note_activity();
            let bytes = buffer.get(..count).unwrap_or_default();
            if let Some(reason) = self.take(bytes).await {
                return reason;
            }
        }
    }

    async fn take(&mut self, mut bytes: &[u8]) -> Option<CloseReason> {
        loop {
            match self.decoder.decode(&mut bytes) {
                Ok(None) => return None,
                Ok(Some(frame)) => {
                    if let Some(reason) = self.handle(frame).await {
                        return Some(reason);
                    }
                }
                Err(error) => return Some(CloseReason::Malformed(error)),
            }
        }
    }

    async fn handle(&mut self, frame: Frame) -> Option<CloseReason> {
        match frame {
            Frame::Header(_) => None,
            Frame::Close => Some(CloseReason::ByServer),
            Frame::Oversized { shell, limit } => {
                tracing::warn!(?limit, "dropped the content of an oversized stanza");
                if is_stanza(&shell) {
                    let seq = self.shared.management().inbound.receive();
                    self.emit(Event::Oversized { seq, shell, limit }).await;
                }
                None
            }
            Frame::Element(element) if self.answers_ping(&element) => None,
            Frame::Element(element) if is_stanza(&element) => {
                let seq = self.shared.management().inbound.receive();
                self.emit(Event::Stanza { seq, element }).await;
                None
            }
            Frame::Element(element) => self.handle_nonza(&element).await,
        }
    }

    /// The answer to an own ping, which the client did not send and does not see.
    fn answers_ping(&self, element: &Element) -> bool {
        let number = ping_number(element).filter(|_| !self.shared.is_managed);
        if let Some(number) = number {
            self.shared.note_answer_to(number);
        }
        number.is_some()
    }

    async fn handle_nonza(&mut self, element: &Element) -> Option<CloseReason> {
        if let Some(error) = StreamError::parse(element) {
            return Some(CloseReason::StreamError(error));
        }
        if let Some(features) = StreamFeatures::parse(element) {
            // Prosody says its limits before SASL2 only, and means them for both.
            if features.limits != StreamLimits::default() {
                self.shared.set_limits(features.limits);
            }
            if features.client_state {
                self.shared.note_client_states_offered();
            }
            return None;
        }
        if !self.shared.is_managed {
            return None;
        }
        if element.is("r", ns::SM) {
            self.shared.answer_request();
        } else if element.is("a", ns::SM) {
            let Some(h) = element.attr("h").and_then(|h| h.parse().ok()) else {
                return Some(CloseReason::BadAck);
            };
            let acked = self.shared.management().outbound.handle_ack(h);
            let acked = match acked {
                Ok(acked) => acked,
                Err(error) => return Some(CloseReason::HandledCountTooHigh(error)),
            };
            self.shared.note_answer();
            // The writer may have waited for room.
            self.shared.wake.notify_one();
            let tokens: Vec<u64> = acked.iter().filter_map(|acked| acked.token).collect();
            if !tokens.is_empty() {
                self.emit(Event::Acked { tokens }).await;
            }
        }
        None
    }

    async fn emit(&mut self, event: Event) {
        let memory_bytes = match &event {
            Event::Stanza { .. } | Event::Oversized { .. } => self.decoder.frame_memory_bytes(),
            Event::Acked { .. } | Event::Closed(_) => 0,
        };
        self.shared.stops_listening();
        self.events.send(event, memory_bytes).await;
        self.shared.listens();
    }
}

fn is_stanza(element: &Element) -> bool {
    ["message", "presence", "iq"]
        .iter()
        .any(|name| element.is(name, ns::CLIENT))
}

pub(super) fn lost(error: &io::Error) -> CloseReason {
    CloseReason::Lost(error.to_string())
}
