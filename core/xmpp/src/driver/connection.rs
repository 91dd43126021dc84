//! A running connection: one task that reads, writes and acknowledges.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::config::WriteGate;
use super::event::{CloseReason, Closed, Event};
use super::reader::Reader;
use super::sender::{CloseStyle, Command, Sender};
use super::shared::Shared;
use super::writer::Writer;
use crate::Element;
use crate::limits::{EVENT_QUEUE, SEND_QUEUE};
#[cfg(doc)]
use crate::stream::StanzaSeq;
use crate::stream::{AckPolicy, Session, StreamResumption};
use crate::xml::Decoder;

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
