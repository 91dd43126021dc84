//! The account's thread: the only one that moves ratchets and speaks to the server (law 6).
//!
//! ```text
//!   commands ─┐                                   ┌─► outbox ─► encrypt, commit ─► send
//!   stanzas  ─┼─► handle ─► Unit ─► commit ─► settle, tell ─► advance ─┼─► actions ─► publish, answer, fetch
//!   findings ─┘   (jobs' results)                 └─► next archive page
//! ```
//!
//! Whatever comes is handled to the end before the next thing is looked at, so nothing here is
//! locked. What takes network time is a job: it asks through a [`Requester`](request::Requester)
//! and comes back as a [`Finding`]; it never touches the store or the engine.
//!
//! | File | Noun |
//! |---|---|
//! | `suspending`, `waking` | the app sleeps; a push came |
//! | `pushing`, `push_testing` | asking the server to push; whether a push arrives |
//! | `intake` | what other processes left to be sent |
//! | `reporting`, `looking` | what is known of it all; asking the server for more of it |
//! | `deadlines` | what is due at a time |
//! | `probing` | whether the server is still there; work for idle moments |
//! | `holding`, `rollback` | the right to write; a database that is an older copy |
//! | `decisions` | what the user decides about keys and devices |
//! | `link` | one connection and what is only true while it lasts |
//! | `resuming` | the stream that goes on over the next connection, or in the next process |
//! | `request`, `job` | questions to the server, beside the pump |
//! | `commands`, `closing`, `telling` | what the handles ask for, up to the end; what they are told once it is on disk |
//! | `connecting`, `session` | making a connection; what is asked and published on it |
//! | `sorting` | who may say what |
//! | `inbound` | a stanza becomes rows |
//! | `pending` | messages that others of the same device must come before |
//! | `catch_up`, `older` | the archive, page by page; a conversation's older history, on demand |
//! | `outbox`, `audience`, `encrypting` | rows become stanzas, for these devices |
//! | `action` | what the engine asked for |
//! | `lists`, `freshness` | device lists and bundles; which lists are as new as can be had |

mod action;
mod audience;
mod backoff;
mod catch_up;
mod closing;
mod commands;
mod connecting;
mod deadlines;
mod decisions;
mod encrypting;
mod freshness;
mod holding;
pub(crate) mod inbound;
mod intake;
#[cfg(test)]
mod interleaving;
mod job;
mod link;
mod lists;
mod looking;
pub(crate) mod older;
mod outbox;
pub(crate) mod pending;
mod probing;
mod push_testing;
mod pushing;
mod reporting;
mod request;
mod resuming;
mod rollback;
mod session;
mod sorting;
pub(crate) mod stanza;
mod suspending;
mod telling;
mod waking;

use std::sync::Arc;
use std::thread;

use eft_store::{MessageUpdate, Store};
use eft_types::{DeviceAddress, Timestamp};
use eft_xmpp::driver::{ClientTls, CloseStyle, Event as LinkEvent, SendError};
use eft_xmpp::stream::ClientState;
use rand::rngs::StdRng;
use tokio::runtime::Builder;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::clock;
use crate::command::{Command, Reply};
use crate::config::ConnectOptions;
use crate::error::Error;
use crate::event::{ConnectionState, Event, Standing};
use crate::keys::Keys;
use crate::reader::ReaderThread;
use crate::report::ServerReport;

use self::backoff::Backoff;
use self::commands::Flow;
use self::connecting::Trust;
use self::deadlines::sleep_until;
use self::holding::Holding;
use self::job::Finding;
use self::link::{INPUTS_AT_ONCE, Input, Kept, Link};
use self::pending::Pending;
use self::push_testing::PushTesting;
use self::waking::Waking;

/// The pump of one account.
pub(crate) struct Pump {
    own: DeviceAddress,
    store: Arc<Store>,
    holding: Holding,
    reader: ReaderThread,
    commands: mpsc::UnboundedReceiver<Command>,
    events: broadcast::Sender<Event>,
    /// How things stand, for who asks.
    standing: watch::Sender<Standing>,
    rng: StdRng,
    /// How to connect, while the app wants a connection.
    wanted: Option<ConnectOptions>,
    /// Callers of `connect` that wait for the first result.
    waiting: Vec<Reply<()>>,
    link: Option<Link>,
    /// What the last connection leaves to one that goes on with its stream.
    kept: Option<Kept>,
    /// Whether somebody looks at the app (XEP-0352).
    client_state: ClientState,
    /// A push that is being worked through.
    waking: Option<Waking>,
    /// Messages came that the search does not know by its index yet.
    index_due_at: Option<Instant>,
    /// Trust roots are read once; the session tickets live in here.
    tls: Option<(Trust, ClientTls)>,
    is_connecting: bool,
    retry_at: Option<Instant>,
    backoff: Backoff,
    jobs: JoinSet<Finding>,
    /// Messages that wait for others of their device.
    pending: Pending,
    /// Whether the app wants no more of the archive than its newest page.
    is_catch_up_paused: bool,
    /// A self-test of pushes that runs.
    push_test: Option<PushTesting>,
    /// What the server can do, as it said last.
    server: Option<ServerReport>,
    /// Why the last connection, or the last attempt at one, came to nothing.
    last_failure: Option<(Timestamp, Error)>,
}

impl Pump {
    pub(crate) fn new(
        own: DeviceAddress,
        store: Arc<Store>,
        keys: Keys,
        reader: ReaderThread,
        commands: mpsc::UnboundedReceiver<Command>,
        events: broadcast::Sender<Event>,
        standing: watch::Sender<Standing>,
    ) -> Result<Self, Error> {
        Ok(Self {
            own,
            store,
            holding: Holding::new(keys),
            reader,
            commands,
            events,
            standing,
            rng: clock::rng()?,
            wanted: None,
            waiting: Vec::new(),
            link: None,
            kept: None,
            client_state: ClientState::Active,
            waking: None,
            index_due_at: Some(Instant::now()),
            tls: None,
            is_connecting: false,
            retry_at: None,
            backoff: Backoff::default(),
            jobs: JoinSet::new(),
            pending: Pending::default(),
            is_catch_up_paused: false,
            push_test: None,
            server: None,
            last_failure: None,
        })
    }

    /// Starts the account's thread.
    pub(crate) fn start(self) -> Result<(), Error> {
        let no_thread = |error| Error::bug(format!("no thread for the account: {error}"));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(no_thread)?;
        thread::Builder::new()
            .name("eft-account".to_owned())
            .spawn(move || runtime.block_on(self.run()))
            .map_err(no_thread)?;
        Ok(())
    }

    async fn run(mut self) {
        let first = self.pump().await;
        let commands = self.shut_down().await;
        let others = closing::close(commands).await;
        for reply in first.into_iter().chain(others) {
            let _ = reply.send(Ok(()));
        }
    }

    /// Handles what comes until the account is closed, or every handle to it is gone.
    async fn pump(&mut self) -> Option<Reply<()>> {
        loop {
            let wake = self.wake_at();
            let result = tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => match self.handle_command(command).await {
                        Flow::Continue => Ok(()),
                        Flow::Stop(reply) => return Some(reply),
                    },
                    None => return None,
                },
                input = next_input(self.link.as_mut()) => self.handle_inputs(input).await,
                Some(finding) = self.jobs.join_next() => match finding {
                    Ok(finding) => self.handle_finding(finding),
                    // Only what the app brought, a resolver or a judge of certificates, can have panicked there.
                    Err(error) if error.is_panic() => {
                        self.job_panicked();
                        Ok(())
                    }
                    // Cancelled with its connection.
                    Err(_) => Ok(()),
                },
                () = sleep_until(wake) => self.handle_timeout(),
            };
            let result = match result {
                Ok(()) => self.advance(),
                failed => failed,
            };
            if let Err(error) = result {
                // The store did not take what came: nothing of it was acknowledged, so the server
                // still has it.
                tracing::error!(%error, "the account's store failed");
                match error {
                    Error::StoreLocked => self.overtaken(),
                    error => self.drop_link(error),
                }
            }
            if self.is_push_test_returned() {
                self.await_push().await;
            }
            if let Some(reason) = self.wake_result() {
                self.end_wake(reason).await;
            }
        }
    }

    /// Takes an input and what has come behind it, as one unit of work.
    async fn handle_inputs(&mut self, first: Input) -> Result<(), Error> {
        let mut inputs = vec![first];
        if let Some(link) = self.link.as_mut() {
            while inputs.len() < INPUTS_AT_ONCE {
                match link.input_at_hand().await {
                    Some(Input::Event(LinkEvent::Closed(closed))) => {
                        inputs.push(Input::Event(LinkEvent::Closed(closed)));
                        break;
                    }
                    Some(input) => inputs.push(input),
                    None => break,
                }
            }
        }
        let mut stanzas = Vec::new();
        let mut acked = Vec::new();
        let mut dropped = Vec::new();
        let mut closed = None;
        for input in inputs {
            match input {
                Input::Event(LinkEvent::Stanza { seq, element }) => stanzas.push((seq, element)),
                Input::Event(LinkEvent::Oversized { seq, shell, limit }) => {
                    tracing::warn!(
                        name = shell.name(),
                        ?limit,
                        "a stanza beyond our limits was dropped"
                    );
                    dropped.push(seq);
                }
                Input::Event(LinkEvent::Acked { tokens }) => acked.extend(tokens),
                Input::Event(LinkEvent::Closed(end)) => closed = Some(end),
                Input::Request(request) => {
                    if let Some(link) = self.link.as_mut() {
                        let asker = link::Asker::Job(request.reply);
                        link.ask(request.question, asker, clock::now());
                    }
                }
                Input::Unsent { token, error } => self.handle_unsent(token, &error)?,
            }
        }
        if !stanzas.is_empty() || !dropped.is_empty() {
            self.handle_stanzas(stanzas, dropped)?;
            self.finish_page().await?;
        }
        if !acked.is_empty() {
            self.handle_acked(&acked)?;
        }
        if let Some(closed) = closed {
            // The driver says what can be resumed; an error of the stream ends it for good.
            if closed.lost.is_none() {
                self.end_stream()?;
            }
            self.drop_link(connecting::closed_error(&closed.reason));
        }
        Ok(())
    }

    /// Does whatever can be done now.
    fn advance(&mut self) -> Result<(), Error> {
        self.advance_actions()?;
        self.advance_session()?;
        self.advance_outbox()
    }

    /// An element could not be handed to the connection.
    fn handle_unsent(&mut self, token: Option<u64>, error: &SendError) -> Result<(), Error> {
        if let Some(link) = self.link.as_mut()
            && !matches!(error, SendError::Closed)
        {
            link.was_not_sent();
        }
        match (token, error) {
            (Some(token), SendError::TooLarge { .. }) => self.fail_too_large(token),
            (None, SendError::TooLarge { .. }) => {
                tracing::error!(%error, "a control stanza is too large for the server");
                Ok(())
            }
            // The end of the connection comes as an event of its own.
            _ => Ok(()),
        }
    }

    /// Ends the connection in an orderly way and forgets the wish for one.
    async fn disconnect(&mut self) {
        self.wanted = None;
        self.retry_at = None;
        self.is_connecting = false;
        self.jobs.abort_all();
        if let Some(mut link) = self.link.take() {
            link.close(CloseStyle::EndStream).await;
            if let Err(error) = self.end_stream() {
                // The next login asks for a stream that is not there, and is told so.
                tracing::warn!(%error, "the end of the stream was not noted");
            }
        }
        self.answer_waiting(&Err(Error::Suspended));
        self.give_up_push_test(&Error::Suspended);
        self.send_event(ConnectionState::Disconnected.into());
    }

    /// Ends the connection, the reading thread and the database. What is left is the queue of those who ask.
    async fn shut_down(mut self) -> mpsc::UnboundedReceiver<Command> {
        self.disconnect().await;
        self.reader.stop();
        if let Some(store) = Arc::into_inner(self.store)
            && let Err(error) = store.close()
        {
            tracing::error!(%error, "the database did not close in an orderly way");
        }
        self.commands
    }

    /// Answers the callers of `connect`.
    fn answer_waiting(&mut self, result: &Result<(), Error>) {
        for reply in self.waiting.drain(..) {
            let _ = reply.send(result.clone());
        }
    }
}

async fn next_input(link: Option<&mut Link>) -> Input {
    match link {
        Some(link) => link.next_input().await,
        None => std::future::pending().await,
    }
}

/// A message's update that only names its state.
fn delivery(state: eft_store::DeliveryState) -> MessageUpdate {
    MessageUpdate::Delivery(state)
}
