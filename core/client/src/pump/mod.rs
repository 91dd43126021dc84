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
//! | `link` | one connection and what is only true while it lasts |
//! | `request`, `job` | questions to the server, beside the pump |
//! | `connecting`, `session` | making a connection; what is asked and published on it; who may say what |
//! | `inbound` | a stanza becomes rows |
//! | `pending` | messages that others of the same device must come before |
//! | `catch_up` | the archive, page by page |
//! | `outbox`, `audience` | rows become stanzas, for these devices |
//! | `action` | what the engine asked for |
//! | `lists` | device lists and bundles |

mod action;
mod audience;
mod backoff;
mod catch_up;
mod connecting;
mod inbound;
mod job;
mod link;
mod lists;
mod outbox;
pub(crate) mod pending;
mod request;
mod session;
mod stanza;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use eft_store::{Durability, MessageUpdate, NewMessage, NewOutboxEntry, OutboxContent, Store};
use eft_types::{BareJid, DeviceAddress, DeviceId, MessageId, OriginId};
use eft_xmpp::driver::{ClientTls, Event as LinkEvent, SendError};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::runtime::Builder;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::clock;
use crate::command::{Command, Reply};
use crate::config::ConnectOptions;
use crate::devices;
use crate::error::Error;
use crate::event::{ConnectionState, Event};
use crate::reader::ReaderThread;
use crate::translate::read;
use crate::unit::{Done, Notice, Unit};

use self::backoff::Backoff;
use self::inbound::Receiving;
use self::job::Finding;
use self::link::{INPUTS_AT_ONCE, Input, Link, Phase};
use self::pending::{Pending, Retry};

/// The pump of one account.
pub(crate) struct Pump {
    own: DeviceAddress,
    store: Arc<Store>,
    reader: ReaderThread,
    commands: mpsc::UnboundedReceiver<Command>,
    events: broadcast::Sender<Event>,
    rng: StdRng,
    /// How to connect, while the app wants a connection.
    wanted: Option<ConnectOptions>,
    /// Callers of `connect` that wait for the first result.
    waiting: Vec<Reply<()>>,
    link: Option<Link>,
    /// Trust roots are read once; the session tickets live in here.
    tls: Option<(Option<String>, ClientTls)>,
    is_connecting: bool,
    retry_at: Option<Instant>,
    backoff: Backoff,
    jobs: JoinSet<Finding>,
    /// Messages that wait for others of their device.
    pending: Pending,
}

/// Whether the thread goes on.
enum Flow {
    Continue,
    /// Close the account, then answer.
    Stop(Reply<()>),
}

impl Pump {
    pub(crate) fn new(
        jid: BareJid,
        device: DeviceId,
        store: Arc<Store>,
        reader: ReaderThread,
        commands: mpsc::UnboundedReceiver<Command>,
        events: broadcast::Sender<Event>,
    ) -> Result<Self, Error> {
        Ok(Self {
            own: DeviceAddress::new(jid, device),
            store,
            reader,
            commands,
            events,
            rng: clock::rng()?,
            wanted: None,
            waiting: Vec::new(),
            link: None,
            tls: None,
            is_connecting: false,
            retry_at: None,
            backoff: Backoff::default(),
            jobs: JoinSet::new(),
            pending: Pending::default(),
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
        let closing = self.pump().await;
        self.shut_down().await;
        if let Some(reply) = closing {
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
                    // Cancelled with its connection; jobs do not panic.
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
                self.drop_link(error);
            }
        }
    }

    async fn handle_command(&mut self, command: Command) -> Flow {
        match command {
            Command::Connect { options, reply } => self.wish_connection(options, reply),
            Command::Disconnect { reply } => {
                self.disconnect().await;
                let _ = reply.send(Ok(()));
            }
            Command::Send { peer, text, reply } => {
                let _ = reply.send(self.queue_text(peer, text));
            }
            Command::SetTrust {
                jid,
                fingerprint,
                level,
                reply,
            } => {
                let result = self.commit(|unit, _| {
                    let now = unit.now;
                    let changes = unit.sure_step(|records| {
                        eft_omemo::set_trust(records, &jid, fingerprint, level, now)
                    })?;
                    unit.apply(changes);
                    Ok(())
                });
                let _ = reply.send(result);
            }
            Command::ResetSessions { with, reply } => {
                let _ = reply.send(self.reset_sessions(with.as_ref()));
            }
            Command::Contacts { reply } => {
                let online = self
                    .link
                    .as_ref()
                    .filter(|link| link.phase == Phase::Online);
                let _ = reply.send(match online {
                    Some(link) => Ok(link.contacts.to_vec()),
                    None => Err(Error::offline("not connected")),
                });
            }
            Command::RefreshDevices { jid, reply } => self.refresh_devices(&jid, reply),
            Command::Close { reply } => return Flow::Stop(reply),
        }
        Flow::Continue
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
                    if let Some(link) = &self.link {
                        link.settle(seq);
                    }
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
        if !stanzas.is_empty() {
            self.handle_stanzas(stanzas)?;
        }
        if !acked.is_empty() {
            self.handle_acked(&acked)?;
        }
        if let Some(closed) = closed {
            self.drop_link(connecting::closed_error(&closed.reason));
        }
        Ok(())
    }

    /// Runs something as one unit of work, commits it, and tells what happened.
    fn commit<T>(
        &mut self,
        work: impl FnOnce(&mut Unit<'_>, &mut StdRng) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let store = Arc::clone(&self.store);
        let mut unit = Unit::begin(&store, clock::now());
        let value = work(&mut unit, &mut self.rng)?;
        let done = unit.commit(Durability::Full)?;
        self.tell(&done)?;
        Ok(value)
    }

    /// Tells the app what a commit did (law 1: not before).
    fn tell(&mut self, done: &Done) -> Result<(), Error> {
        if let Some(link) = self.link.as_mut() {
            for key in &done.added_actions {
                link.actions_due = true;
                if link.actions_begun.contains(key) {
                    link.actions_again.insert(key.clone());
                }
            }
        }
        for id in done.news() {
            if let Some(row) = self.store.message(id)? {
                self.send_event(Event::MessageReceived(read::message(row)));
            }
        }
        for id in done.committed.updated() {
            if let Some(row) = self.store.message(*id)? {
                self.send_event(Event::MessageChanged(read::message(row)));
            }
        }
        for notice in &done.notices {
            match notice {
                Notice::Inserted(_) => {}
                Notice::DeviceAppeared(address) => {
                    let device = devices::one(&self.store, &self.own, address)?;
                    self.send_event(Event::DeviceAppeared { device });
                }
                Notice::DeviceVanished(address) => self.send_event(Event::DeviceVanished {
                    jid: address.jid.clone(),
                    device: address.device.as_u32(),
                }),
                Notice::DeviceDowngraded(address) => self.send_event(Event::DeviceDowngraded {
                    jid: address.jid.clone(),
                    device: address.device.as_u32(),
                }),
                Notice::IdentityChanged(address) => self.send_event(Event::IdentityChanged {
                    jid: address.jid.clone(),
                    device: address.device.as_u32(),
                }),
            }
        }
        Ok(())
    }

    /// Tries what waits of these devices again.
    fn retry_pending(
        &mut self,
        devices: &BTreeSet<DeviceAddress>,
        context: Receiving,
    ) -> Result<(), Error> {
        self.with_pending(|retry, pending, tell| retry.run(pending, devices, context, tell))
    }

    /// A last try for everything that waits: no archive has anything more.
    fn end_pending(&mut self) -> Result<(), Error> {
        let devices = self.pending.devices();
        self.retry_pending(&devices, Receiving::Live)?;
        if self.pending.devices().is_empty() {
            return Ok(());
        }
        self.with_pending(|retry, pending, tell| retry.give_up(pending, tell))
    }

    fn with_pending(
        &mut self,
        work: impl FnOnce(
            &mut Retry<'_>,
            &mut Pending,
            &mut dyn FnMut(&Done) -> Result<(), Error>,
        ) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let store = Arc::clone(&self.store);
        let own = self.own.clone();
        let mut rng = StdRng::from_rng(&mut self.rng);
        let mut pending = core::mem::take(&mut self.pending);
        let mut retry = Retry {
            store: &store,
            own: &own,
            now: clock::now(),
            rng: &mut rng,
        };
        let result = work(&mut retry, &mut pending, &mut |done| self.tell(done));
        self.pending = pending;
        result
    }

    /// Nobody listening is no error.
    fn send_event(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Puts a text into the outbox: plaintext at rest in the encrypted database, encrypted for the
    /// wire only when the stream and the device lists are ready.
    fn queue_text(&mut self, peer: BareJid, text: String) -> Result<MessageId, Error> {
        let origin_id = OriginId::new(stanza::new_id(&mut self.rng));
        let own = self.own.jid.clone();
        let store = Arc::clone(&self.store);
        let mut unit = Unit::begin(&store, clock::now());
        let message = unit.batch.insert_message(NewMessage::outgoing(
            eft_store::ConversationRef::direct(peer.clone()),
            own.into(),
            origin_id,
            eft_store::Plaintext::text(text),
            unit.now,
        ));
        unit.batch.enqueue(NewOutboxEntry {
            content: OutboxContent::NewMessage(message),
            stanza: None,
            to: Some(peer),
            queued: unit.now,
        });
        let done = unit.commit(Durability::Full)?;
        let id = done
            .committed
            .message(message)
            .map(eft_store::Insertion::id)
            .ok_or_else(|| Error::bug("a queued message has no row"))?;
        if let Err(error) = self.advance() {
            self.drop_link(error);
        }
        Ok(id)
    }

    /// Does whatever can be done now.
    fn advance(&mut self) -> Result<(), Error> {
        self.advance_actions()?;
        self.advance_session()?;
        self.advance_outbox()
    }

    /// An element could not be handed to the connection.
    fn handle_unsent(&mut self, token: Option<u64>, error: &SendError) -> Result<(), Error> {
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

    /// Deadlines that are over.
    fn handle_timeout(&mut self) -> Result<(), Error> {
        if self.retry_at.is_some_and(|at| at <= Instant::now()) {
            self.retry_at = None;
            self.begin_connecting();
        }
        let expired = match self.link.as_mut() {
            Some(link) => link.expire_requests(clock::now()),
            None => Vec::new(),
        };
        for answer in expired {
            self.handle_answer(answer)?;
        }
        Ok(())
    }

    /// When [`Pump::handle_timeout`] has something to do.
    fn wake_at(&self) -> Option<Instant> {
        let request = self
            .link
            .as_ref()
            .and_then(Link::request_deadline)
            .map(|at| {
                let millis = at.millis_since(clock::now()).max(0);
                Instant::now() + std::time::Duration::from_millis(millis.unsigned_abs())
            });
        let list = self.link.as_ref().and_then(Link::list_retry_at);
        [self.retry_at, request, list].into_iter().flatten().min()
    }

    /// Ends the connection in an orderly way and forgets the wish for one.
    async fn disconnect(&mut self) {
        self.wanted = None;
        self.retry_at = None;
        self.is_connecting = false;
        self.jobs.abort_all();
        if let Some(mut link) = self.link.take() {
            link.close().await;
        }
        self.answer_waiting(&Err(Error::Suspended));
        self.send_event(Event::ConnectionChanged(ConnectionState::Disconnected));
    }

    /// Ends the connection, the reading thread and the database.
    async fn shut_down(mut self) {
        self.disconnect().await;
        self.reader.stop();
        if let Some(store) = Arc::into_inner(self.store)
            && let Err(error) = store.close()
        {
            tracing::error!(%error, "the database did not close in an orderly way");
        }
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

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// A message's update that only names its state.
fn delivery(state: eft_store::DeliveryState) -> MessageUpdate {
    MessageUpdate::Delivery(state)
}
