//! From the queue to the socket.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio::sync::{mpsc, oneshot};

use super::config::WriteGate;
use super::event::CloseReason;
use super::reader::lost;
use super::sender::{CloseStyle, Command, Outgoing};
use super::shared::{Shared, ack_text};
use crate::ns;
use crate::stream::HandledCountTooHigh;
use crate::xml::encode_stream_close;

/// Stanzas that wait are written together up to this size.
const WRITE_BYTES: usize = 16 * 1024;

/// The sending half.
pub(super) struct Writer<S> {
    pub(super) write: WriteHalf<S>,
    pub(super) shared: Arc<Shared>,
    pub(super) gate: Option<WriteGate>,
    /// What a resumed stream has to repeat before anything new.
    pub(super) again: String,
}

enum Stop {
    Fenced,
    Abandoned,
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<S: AsyncRead + AsyncWrite> Writer<S> {
    /// Writes until somebody closes, and says how it ended.
    pub(super) async fn run(
        &mut self,
        mut commands: mpsc::Receiver<Command>,
    ) -> (CloseReason, Option<CloseStyle>) {
        match self.write_until_closed(&mut commands).await {
            Ok(style) => (CloseReason::Requested, Some(style)),
            Err(Stop::Fenced) => (CloseReason::Fenced, None),
            Err(Stop::Abandoned) => (CloseReason::Abandoned, None),
            Err(Stop::Io(error)) => (lost(&error), None),
        }
    }

    async fn write_until_closed(
        &mut self,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<CloseStyle, Stop> {
        let again = core::mem::take(&mut self.again);
        self.write(&again).await?;
        drop(again);
        let mut held: Option<(Outgoing, oneshot::Receiver<()>)> = None;
        loop {
            let control = self.shared.take_control();
            if !control.is_empty() {
                self.write(&control).await?;
            }
            let has_room = !self.shared.is_managed || !self.shared.management().outbound.is_full();
            let until_request = self.shared.until_request();
            if let Some((outgoing, go)) = &mut held {
                tokio::select! {
                    biased;
                    () = self.shared.wake.notified() => {}
                    () = sleep(until_request) => {}
                    said = go => {
                        said.map_err(|_| Stop::Abandoned)?;
                        let mut text = String::new();
                        self.note(&mut text, outgoing);
                        held = None;
                        self.write(&text).await?;
                    }
                }
                continue;
            }
            let command = tokio::select! {
                biased;
                () = self.shared.wake.notified() => continue,
                () = sleep(until_request) => continue,
                command = commands.recv(), if has_room => command,
            };
            let mut text = String::new();
            let mut next = command;
            loop {
                match next {
                    Some(Command::Stanza(outgoing)) => self.note(&mut text, &outgoing),
                    Some(Command::Held(outgoing, go)) => {
                        held = Some((outgoing, go));
                        break;
                    }
                    Some(Command::Close(style)) => {
                        self.write(&text).await?;
                        return Ok(style);
                    }
                    // Every sender is gone, the connection's own included.
                    None => {
                        self.write(&text).await?;
                        return Ok(CloseStyle::LeaveOpen);
                    }
                }
                let is_full = self.shared.is_managed && self.shared.management().outbound.is_full();
                if text.len() >= WRITE_BYTES || is_full {
                    break;
                }
                match commands.try_recv() {
                    Ok(command) => next = Some(command),
                    Err(_) => break,
                }
            }
            self.write(&text).await?;
        }
    }

    /// Counts first, writes then: what the server acknowledges must already be in the queue.
    fn note(&self, text: &mut String, outgoing: &Outgoing) {
        if self.shared.is_managed && outgoing.is_stanza {
            let now = self.shared.now();
            let noted = self.shared.management().outbound.enqueue(
                Arc::clone(&outgoing.text),
                outgoing.token,
                now,
            );
            debug_assert!(
                noted.is_ok(),
                "the queue had room when the stanza was taken"
            );
        }
        text.push_str(&outgoing.text);
    }

    async fn write(&mut self, text: &str) -> Result<(), Stop> {
        if text.is_empty() {
            return Ok(());
        }
        if self.gate.as_ref().is_some_and(|gate| !gate()) {
            return Err(Stop::Fenced);
        }
        self.write.write_all(text.as_bytes()).await?;
        self.write.flush().await?;
        Ok(())
    }

    /// Best effort: the outcome no longer matters.
    pub(super) async fn say_farewell(&mut self, reason: &CloseReason, style: Option<CloseStyle>) {
        let mut text = String::new();
        match reason {
            CloseReason::Requested => {
                if self.shared.is_managed
                    && let Some(h) = self.shared.management().inbound.poll_final_ack()
                {
                    text.push_str(&ack_text(h));
                }
                if style == Some(CloseStyle::EndStream) {
                    text.push_str(encode_stream_close());
                }
            }
            CloseReason::ByServer | CloseReason::StreamError(_) => {
                text.push_str(encode_stream_close())
            }
            CloseReason::HandledCountTooHigh(HandledCountTooHigh { h, send_count }) => {
                text = format!(
                    "<stream:error><undefined-condition xmlns='{}'/>\
                     <handled-count-too-high xmlns='{}' h='{h}' send-count='{send_count}'/></stream:error>{}",
                    ns::STREAM_ERRORS,
                    ns::SM,
                    encode_stream_close()
                );
            }
            CloseReason::Lost(_)
            | CloseReason::Silent
            | CloseReason::Fenced
            | CloseReason::Abandoned => return,
            CloseReason::Malformed(_) | CloseReason::BadAck => {}
        }
        if self.write(&text).await.is_ok() {
            let _ = self.write.shutdown().await;
        }
    }
}

async fn sleep(duration: Option<Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => core::future::pending().await,
    }
}
