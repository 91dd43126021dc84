//! The way out: one ordered, bounded queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::shared::Shared;
use crate::stream::{ClientState, NotReceived, StanzaSeq, StreamLimits, Unacked};
use crate::xml::{EncodeError, encode_stanza};
use crate::{Element, ns};

/// Sends on one connection. Cheap to clone; all clones share one queue.
#[derive(Clone, Debug)]
pub struct Sender {
    pub(super) queue: mpsc::Sender<Command>,
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) enum Command {
    Stanza(Outgoing),
    /// Keeps its place until its owner says go. If the owner says nothing any more, the numbers of
    /// all that follow would be wrong, and the connection ends.
    Held(Outgoing, oneshot::Receiver<()>),
    Close(CloseStyle),
}

pub(super) struct Outgoing {
    pub(super) text: Arc<str>,
    pub(super) token: Option<u64>,
    pub(super) is_stanza: bool,
}

impl core::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Outgoing")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// A place in the order of the stream, see [`Sender::hold`]. Dropping it ends the connection: its
/// number is given, and the server would count the next stanza in its place.
#[must_use]
pub struct Held {
    number: Option<u32>,
    text: Arc<str>,
    go: oneshot::Sender<()>,
}

impl core::fmt::Debug for Held {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Held")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Held {
    /// Number of the stanza (XEP-0198), modulo 2³²; `None` where nothing is counted. The server has
    /// the stanza once its `h` has come this far.
    #[must_use]
    pub const fn number(&self) -> Option<u32> {
        self.number
    }

    /// What will be written: for the row from which another process may have to send it again.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// It is on disk: write it.
    ///
    /// # Errors
    /// [`SendError::Closed`]: the connection ended; the stanza is part of what it left, or of what a
    /// resumption finds on disk.
    pub fn release(self) -> Result<(), SendError> {
        self.go.send(()).map_err(|()| SendError::Closed)
    }
}

fn is_stanza(element: &Element) -> bool {
    ["message", "presence", "iq"]
        .iter()
        .any(|name| element.is(name, ns::CLIENT))
}

/// How to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseStyle {
    /// `<a/>` if there is news, then `</stream:stream>`: the server ends the session.
    EndStream,
    /// `<a/>` if there is news, then TCP is closed: the server keeps the session for resumption,
    /// and starts to push at once.
    LeaveOpen,
}

/// Why nothing was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The connection is over.
    #[error("the connection is closed")]
    Closed,
    /// The element cannot be written as XML.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Larger than the server allows (XEP-0478). It would end the stream.
    #[error("stanza of {bytes} bytes; the server takes {max_bytes}")]
    TooLarge {
        /// Of this stanza.
        bytes: usize,
        /// Of the server.
        max_bytes: usize,
    },
}

impl Sender {
    /// Queues an element; waits while the queue is full, or while too much is unacknowledged. `Ok`
    /// means queued, not sent: a stanza with a `token` is reported by [`super::Event::Acked`] once
    /// the server has it, if XEP-0198 runs. Cancelling the future queues nothing.
    ///
    /// Room may come only from an acknowledgement that stands behind events that nobody has taken:
    /// do not wait here in the task that calls [`super::Connection::next_event`].
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(&self, element: &Element, token: Option<u64>) -> Result<(), SendError> {
        let outgoing = self.prepare(encode_stanza(element)?.into(), token, is_stanza(element))?;
        self.queue(outgoing, Command::Stanza).await.map(drop)
    }

    /// Takes the stanza's place in the order of the stream, with its number, and writes it only when
    /// [`Held::release`] is called: between the two, text and number go to disk in one transaction
    /// with whatever the stanza stands for. What is queued behind it waits; acknowledgements do not.
    ///
    /// # Errors
    /// See [`SendError`]; nothing is held then.
    pub async fn hold(&self, element: &Element, token: Option<u64>) -> Result<Held, SendError> {
        let outgoing = self.prepare(encode_stanza(element)?.into(), token, is_stanza(element))?;
        let (go, wait) = oneshot::channel();
        let text = Arc::clone(&outgoing.text);
        let number = self
            .queue(outgoing, |outgoing| Command::Held(outgoing, wait))
            .await?;
        Ok(Held { number, text, go })
    }

    /// Queues a stanza of an earlier stream as it was: the same bytes, ids and token
    /// ([`super::Connection::take_leftover`]). Receivers know it by its ids if they had it already.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send_again(&self, stanza: &Unacked) -> Result<(), SendError> {
        let outgoing = self.prepare(Arc::clone(&stanza.text), stanza.token, true)?;
        self.queue(outgoing, Command::Stanza).await.map(drop)
    }

    fn prepare(
        &self,
        text: Arc<str>,
        token: Option<u64>,
        is_stanza: bool,
    ) -> Result<Outgoing, SendError> {
        if let Some(max_bytes) = self.shared.limits().max_bytes {
            let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
            if text.len() > max_bytes {
                return Err(SendError::TooLarge {
                    bytes: text.len(),
                    max_bytes,
                });
            }
        }
        Ok(Outgoing {
            text,
            token,
            is_stanza,
        })
    }

    /// Gives the number that the stanza has, if it is one and XEP-0198 runs.
    async fn queue(
        &self,
        outgoing: Outgoing,
        command: impl FnOnce(Outgoing) -> Command,
    ) -> Result<Option<u32>, SendError> {
        let permit = self.queue.reserve().await.map_err(|_| SendError::Closed)?;
        if !outgoing.is_stanza {
            permit.send(command(outgoing));
            return Ok(None);
        }
        Ok(self.shared.number(|number| {
            permit.send(command(outgoing));
            number
        }))
    }

    /// The effects of this stanza and of all earlier ones are on disk: the server may be told.
    ///
    /// # Errors
    /// [`NotReceived`] for a number of another connection.
    pub fn durable_up_to(&self, seq: StanzaSeq) -> Result<(), NotReceived> {
        self.shared.management().inbound.durable_up_to(seq)?;
        self.shared.wake.notify_one();
        Ok(())
    }

    /// This one stanza has no durable effect. It is acknowledged once all earlier ones are.
    ///
    /// # Errors
    /// [`NotReceived`] for a number of another connection.
    pub fn settle(&self, seq: StanzaSeq) -> Result<(), NotReceived> {
        self.shared.management().inbound.settle(seq)?;
        self.shared.wake.notify_one();
        Ok(())
    }

    /// What [`StreamRecord::handled`](crate::stream::StreamRecord::handled) would be once these stanzas were settled as well: for
    /// the transaction that makes them durable, so that the disk never lags behind what the server is told.
    #[must_use]
    pub fn handled_with(&self, settled: &[StanzaSeq]) -> u32 {
        self.shared.management().inbound.handled_with(settled)
    }

    /// Number of the stanza that was queued last, modulo 2³²; `None` where nothing is counted. Whoever is the only one
    /// to queue can tell the next ones from it.
    #[must_use]
    pub fn last_number(&self) -> Option<u32> {
        self.shared.last_number()
    }

    /// Asks the server what it has, now. Does nothing without XEP-0198.
    pub fn request_ack(&self) {
        self.shared.request_ack();
    }

    /// Asks the server whether it is there, past everything that waits to be sent, and waits for its
    /// answer: by `<r/>`, or by a ping (XEP-0199) without XEP-0198. Returns the time that it took.
    /// If none comes within `deadline`, the connection ends as [`super::CloseReason::Silent`], and
    /// can be resumed like any that was lost. What had come before the question is no answer.
    ///
    /// Ask when the process was asleep or the network changed, with [`crate::limits::WAKE_PROBE`].
    /// Cancelling the future takes the question back from nobody: the deadline stands.
    ///
    /// Time in which nobody takes events does not count, as the answer stands behind them: do not
    /// wait here in the task that calls [`super::Connection::next_event`].
    ///
    /// # Errors
    /// [`SendError::Closed`] if the connection is over, or ends instead of an answer.
    pub async fn probe(&self, deadline: Duration) -> Result<Duration, SendError> {
        let began = Instant::now();
        let answer = self.shared.ask(deadline);
        tokio::select! {
            answer = answer => answer.map_err(|_| SendError::Closed)?,
            () = self.queue.closed() => return Err(SendError::Closed),
        }
        Ok(began.elapsed())
    }

    /// Tells the server whether somebody looks at the app (XEP-0352), if it wants to know and does
    /// not know yet. Instead of [`crate::stream::LoginConfig::client_state`] from now on; the next
    /// connection goes by that again.
    pub fn set_client_state(&self, state: ClientState) {
        self.shared.want(state);
    }

    /// Ends the connection after everything queued before is written.
    ///
    /// # Errors
    /// [`SendError::Closed`] if it is over already.
    pub async fn close(&self, style: CloseStyle) -> Result<(), SendError> {
        self.queue
            .send(Command::Close(style))
            .await
            .map_err(|_| SendError::Closed)
    }

    /// Time since the server last sent anything: when it grows long
    /// ([`StreamLimits::longest_silence`]), [`Self::probe`].
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.shared.silence()
    }

    /// What the server allows on this stream.
    #[must_use]
    pub fn limits(&self) -> StreamLimits {
        self.shared.limits()
    }

    /// Stanzas that the server has not acknowledged. Zero without XEP-0198.
    #[must_use]
    pub fn unacked_count(&self) -> usize {
        self.shared.management().outbound.unacked().len()
    }
}
