//! A running connection: one task that reads, writes and acknowledges.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::config::WriteGate;
use super::sender::{CloseStyle, Command, Outgoing, Sender};
use super::shared::{Shared, ack_text};
use crate::limits::{EVENT_QUEUE, SEND_QUEUE};
use crate::stream::{
    AckPolicy, HandledCountTooHigh, ResumableState, Session, StanzaSeq, StreamError,
    StreamResumption,
};
use crate::xml::{DecodeError, Decoder, Frame, InnerLimit, encode_stream_close};
use crate::{Element, ns};

/// What happened on the connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A stanza came.
    Stanza {
        /// For [`Sender::durable_up_to`] and [`Sender::settle`].
        seq: StanzaSeq,
        /// The stanza.
        element: Element,
    },
    /// A stanza came that broke a limit of [`crate::limits::XmlLimits`]; its content is lost.
    Oversized {
        /// For [`Sender::durable_up_to`] and [`Sender::settle`].
        seq: StanzaSeq,
        /// Name and attributes.
        shell: Element,
        /// Which limit.
        limit: InnerLimit,
    },
    /// The server has these stanzas, named as in [`Sender::send`], in that order.
    Acked {
        /// Tokens; stanzas without token are left out.
        tokens: Vec<u64>,
    },
    /// The end. [`Connection::next_event`] repeats it.
    Closed(Box<Closed>),
}

/// How a connection ended and what is left of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Closed {
    /// Why.
    pub reason: CloseReason,
    /// What a resumption needs; `None` if the server offered none or the stream was ended.
    pub resumption: Option<StreamResumption>,
    /// Counters and unacknowledged stanzas, if XEP-0198 ran.
    pub state: Option<ResumableState>,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// [`Sender::close`].
    #[error("closed by us")]
    Requested,
    /// The server ended the stream.
    #[error("closed by the server")]
    ByServer,
    /// The server ended the stream with an error.
    #[error(transparent)]
    StreamError(StreamError),
    /// TCP or TLS broke, or the server vanished.
    #[error("connection lost: {0}")]
    Lost(String),
    /// The server sent something that cannot be read on.
    #[error("invalid XML: {0}")]
    Malformed(DecodeError),
    /// The server acknowledged what was never sent.
    #[error(transparent)]
    HandledCountTooHigh(HandledCountTooHigh),
    /// An acknowledgement without a readable count.
    #[error("acknowledgement without a count")]
    BadAck,
    /// The write gate said no: another process holds the account now.
    #[error("the account belongs to another process now")]
    Fenced,
}

/// Receives. Dropping it ends the connection at once, without a word to the server.
#[derive(Debug)]
pub struct Connection {
    session: Session,
    sender: Sender,
    events: mpsc::Receiver<Event>,
    closed: Option<Box<Closed>>,
    task: AbortHandle,
}

impl Connection {
    pub(super) fn spawn<S>(
        stream: S,
        decoder: Decoder,
        unread: Vec<u8>,
        mut session: Session,
        ack_policy: AckPolicy,
        gate: Option<WriteGate>,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let shared = Arc::new(Shared::new(
            session.stream_management.is_some(),
            session.limits,
            ack_policy,
        ));
        let (queue, commands) = mpsc::channel(SEND_QUEUE);
        let (event_sender, events) = mpsc::channel(EVENT_QUEUE);
        let (read, write) = tokio::io::split(stream);
        let early = core::mem::take(&mut session.early);
        let reader = Reader {
            read,
            decoder,
            shared: Arc::clone(&shared),
            events: event_sender.clone(),
        };
        let writer = Writer {
            write,
            shared: Arc::clone(&shared),
            gate,
        };
        let resumption = session.stream_management.clone();
        let task_shared = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            run(
                reader,
                writer,
                commands,
                early,
                unread,
                resumption,
                task_shared,
                event_sender,
            )
            .await;
        });
        Self {
            session,
            sender: Sender { queue, shared },
            events,
            closed: None,
            task: task.abort_handle(),
        }
    }

    /// What the login gave. Its early stanzas come as events, as [`StanzaSeq::UNCOUNTED`].
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// A way to send.
    #[must_use]
    pub fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// The next event. Cancelling the future loses none. While nobody takes events, the server is
    /// slowed down, and sending goes on.
    pub async fn next_event(&mut self) -> Event {
        if let Some(closed) = &self.closed {
            return Event::Closed(closed.clone());
        }
        let event = self.events.recv().await.unwrap_or_else(|| {
            // The task never ends without a last event, except when the runtime shuts down.
            Event::Closed(Box::new(Closed {
                reason: CloseReason::Lost("the runtime shut down".to_owned()),
                resumption: None,
                state: None,
            }))
        });
        if let Event::Closed(closed) = &event {
            self.closed = Some(closed.clone());
        }
        event
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Enough for a TLS record.
const READ_BYTES: usize = 16 * 1024;
/// Stanzas that wait are written together up to this size.
const WRITE_BYTES: usize = 16 * 1024;
/// The last words to a server that may be gone.
const FAREWELL: Duration = Duration::from_secs(2);

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one task, named once"
)]
async fn run<S>(
    reader: Reader<S>,
    mut writer: Writer<S>,
    commands: mpsc::Receiver<Command>,
    early: Vec<Element>,
    unread: Vec<u8>,
    resumption: Option<StreamResumption>,
    shared: Arc<Shared>,
    events: mpsc::Sender<Event>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (reason, style) = tokio::select! {
        reason = reader.run(early, unread) => (reason, None),
        (reason, style) = writer.run(commands) => (reason, style),
    };
    let farewell = tokio::time::timeout(FAREWELL, writer.say_farewell(&reason, style));
    if farewell.await.is_err() {
        tracing::debug!("the server did not take the last bytes");
    }
    drop(writer);
    let is_ended = style == Some(CloseStyle::EndStream)
        || matches!(
            reason,
            CloseReason::ByServer
                | CloseReason::StreamError(_)
                | CloseReason::HandledCountTooHigh(_)
        );
    let state = shared
        .is_managed
        .then(|| core::mem::take(&mut *shared.management()).into_resumable());
    let closed = Closed {
        reason,
        resumption: resumption.filter(|_| !is_ended),
        state,
    };
    // Nobody listens if the connection was dropped.
    let _ = events.send(Event::Closed(Box::new(closed))).await;
}

struct Reader<S> {
    read: ReadHalf<S>,
    decoder: Decoder,
    shared: Arc<Shared>,
    events: mpsc::Sender<Event>,
}

impl<S: AsyncRead + AsyncWrite> Reader<S> {
    async fn run(mut self, early: Vec<Element>, unread: Vec<u8>) -> CloseReason {
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
            Frame::Element(element) if is_stanza(&element) => {
                let seq = self.shared.management().inbound.receive();
                self.emit(Event::Stanza { seq, element }).await;
                None
            }
            Frame::Element(element) => self.handle_nonza(&element).await,
        }
    }

    async fn handle_nonza(&mut self, element: &Element) -> Option<CloseReason> {
        if let Some(error) = StreamError::parse(element) {
            return Some(CloseReason::StreamError(error));
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
        // Fails only when the connection was dropped, and then this task is being aborted.
        let _ = self.events.send(event).await;
    }
}

struct Writer<S> {
    write: WriteHalf<S>,
    shared: Arc<Shared>,
    gate: Option<WriteGate>,
}

enum Stop {
    Fenced,
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<S: AsyncRead + AsyncWrite> Writer<S> {
    async fn run(
        &mut self,
        mut commands: mpsc::Receiver<Command>,
    ) -> (CloseReason, Option<CloseStyle>) {
        match self.write_until_closed(&mut commands).await {
            Ok(style) => (CloseReason::Requested, Some(style)),
            Err(Stop::Fenced) => (CloseReason::Fenced, None),
            Err(Stop::Io(error)) => (lost(&error), None),
        }
    }

    async fn write_until_closed(
        &mut self,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<CloseStyle, Stop> {
        loop {
            let control = self.shared.take_control();
            if !control.is_empty() {
                self.write(&control).await?;
            }
            let has_room = !self.shared.is_managed || !self.shared.management().outbound.is_full();
            let until_request = self.shared.until_request();
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
    async fn say_farewell(&mut self, reason: &CloseReason, style: Option<CloseStyle>) {
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
            CloseReason::Lost(_) | CloseReason::Fenced => return,
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

fn is_stanza(element: &Element) -> bool {
    ["message", "presence", "iq"]
        .iter()
        .any(|name| element.is(name, ns::CLIENT))
}

fn lost(error: &io::Error) -> CloseReason {
    CloseReason::Lost(error.to_string())
}
