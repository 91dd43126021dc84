//! A running connection: one task that reads, writes and acknowledges.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::config::ConnectConfig;
use super::error::ConnectError;
use super::event::{CloseReason, Closed, Event};
use super::queue::{EventReceiver, EventSender, event_queue};
use super::reader::Reader;
use super::sender::{CloseStyle, Command, Sender};
use super::shared::Shared;
use super::writer::Writer;
use crate::Element;
use crate::limits::SEND_QUEUE;
#[cfg(doc)]
use crate::stream::StanzaSeq;
use crate::stream::{
    Acked, ClientStates, HandledCountTooHigh, LoginError, LostStream, Management, OutboundQueue,
    ResumableState, Resumption, Session, StreamRecord, StreamResumption, Transport, Unacked,
};
use crate::xml::Decoder;

/// Receives. Dropping it ends the connection at once, without a word to the server.
#[derive(Debug)]
pub struct Connection {
    session: Session,
    transport: Transport,
    sender: Sender,
    events: EventReceiver,
    closed: Option<Box<Closed>>,
    leftover: Leftover,
    task: AbortHandle,
}

/// What an earlier stream, which the server gave up, leaves to a new one.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Leftover {
    /// Tokens of stanzas that the server had.
    pub acked: Vec<u64>,
    /// Stanzas that it did not have, or of which it no longer knows: send them again, as they are
    /// ([`Sender::send_again`]).
    pub unsent: Vec<Unacked>,
}

/// Both counters of a stream that begins or goes on, and what the server said of the older one.
struct Counters {
    management: Management,
    acked: Vec<u64>,
    leftover: Leftover,
}

impl Counters {
    fn of(session: &Session, before: Option<ResumableState>) -> Result<Self, HandledCountTooHigh> {
        let tokens = |acked: Vec<Acked>| acked.iter().filter_map(|acked| acked.token).collect();
        let begin = |leftover| Self {
            management: Management::new(),
            acked: Vec::new(),
            leftover,
        };
        let Some(before) = before else {
            return Ok(begin(Leftover::default()));
        };
        let h = match &session.resumption {
            Resumption::Resumed { h } => {
                let (management, at) = Management::resumed(before, *h)?;
                return Ok(Self {
                    management,
                    acked: tokens(at.acked),
                    leftover: Leftover::default(),
                });
            }
            Resumption::Refused { h, .. } => *h,
            Resumption::NotAsked => None,
        };
        let knows_all = before.knows_all();
        let outbound = OutboundQueue::resumed(before.acked, before.unacked, before.sent);
        let (acked, unsent) = outbound.give_up(h, knows_all);
        Ok(begin(Leftover {
            acked: tokens(acked),
            unsent,
        }))
    }
}

impl Connection {
    pub(super) fn spawn<S>(
        stream: S,
        transport: Transport,
        decoder: Decoder,
        unread: Vec<u8>,
        mut session: Session,
        config: &ConnectConfig,
    ) -> Result<Self, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let before = config.resume.as_ref();
        let counters = Counters::of(&session, before.cloned().map(LostStream::into_state))
            .map_err(LoginError::from)?;
        if let (Some(resumption), Some(LostStream { record, .. }), Resumption::Resumed { .. }) =
            (&mut session.stream_management, before, &session.resumption)
        {
            // What `<enabled/>` said then holds on.
            resumption.max_seconds = record.max_seconds;
            resumption.location.clone_from(&record.location);
        }
        let again: String = counters
            .management
            .outbound
            .unacked()
            .iter()
            .map(|stanza| &*stanza.text)
            .collect();
        let shared = Arc::new(Shared::new(
            counters.management,
            session.stream_management.is_some(),
            session.limits,
            ClientStates::begin(&session, config.login.client_state),
            config.ack_policy,
        ));
        let (queue, commands) = mpsc::channel(SEND_QUEUE);
        let (event_sender, events) = event_queue();
        if !counters.acked.is_empty() {
            let tokens = counters.acked;
            // The queue is empty.
            event_sender.try_send(Event::Acked { tokens });
        }
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
            gate: config.write_gate.clone(),
            again,
        };
        let record = session
            .stream_management
            .as_ref()
            .and_then(|resumption| StreamRecord::begin(resumption, session.full_jid.clone()));
        let end = End {
            resumption: session.stream_management.clone(),
            record,
            shared: Arc::clone(&shared),
            events: event_sender,
        };
        let task = tokio::spawn(async move {
            run(reader, writer, commands, early, unread, end).await;
        });
        Ok(Self {
            session,
            transport,
            sender: Sender { queue, shared },
            events,
            closed: None,
            leftover: counters.leftover,
            task: task.abort_handle(),
        })
    }

    /// What the stream that was to be resumed leaves, if the server gave it up. The second time,
    /// nothing.
    pub fn take_leftover(&mut self) -> Leftover {
        core::mem::take(&mut self.leftover)
    }

    /// What the login gave. Its early stanzas come as events, as [`StanzaSeq::UNCOUNTED`].
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// How the server was reached. Where it took a WebSocket, the next connection may begin with one:
    /// [`super::WebSocketUse::Only`].
    #[must_use]
    pub const fn transport(&self) -> Transport {
        self.transport
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
        let event = self.events.next().await.unwrap_or_else(|| {
            // The task never ends without a last event, except when the runtime shuts down.
            Event::Closed(Box::new(Closed {
                reason: CloseReason::Lost("the runtime shut down".to_owned()),
                resumption: None,
                lost: None,
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

/// The last words to a server that may be gone.
const FAREWELL: Duration = Duration::from_secs(2);

/// What is needed to report the end.
struct End {
    resumption: Option<StreamResumption>,
    record: Option<StreamRecord>,
    shared: Arc<Shared>,
    events: EventSender,
}

async fn run<S>(
    reader: Reader<S>,
    mut writer: Writer<S>,
    commands: mpsc::Receiver<Command>,
    early: Vec<Element>,
    unread: Vec<u8>,
    end: End,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (reason, style) = tokio::select! {
        reason = reader.run(early, unread) => (reason, None),
        (reason, style) = writer.run(commands) => (reason, style),
        reason = end.shared.silence_past_deadline() => (reason, None),
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
    let state = end
        .shared
        .is_managed
        .then(|| core::mem::take(&mut *end.shared.management()).into_resumable());
    let record = end.record.filter(|_| !is_ended).zip(state.clone());
    let closed = Closed {
        reason,
        resumption: end.resumption.filter(|_| !is_ended),
        lost: record.map(|(record, state)| record.at_end(state)),
        state,
    };
    end.events.send(Event::Closed(Box::new(closed)), 0).await;
}
