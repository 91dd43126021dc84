//! One connection, from login to its end, and everything that is only true while it lasts.

mod asking;
mod bundles;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use eft_omemo::Version;
use eft_store::{OutboxId, StreamState};
use eft_types::{BareJid, DeviceAddress, MessageId};
use eft_xmpp::Element;
use eft_xmpp::driver::{CloseStyle, Connection, Event, SendError, Sender};
use eft_xmpp::stream::{Authentication, IqTracker, Resumption, Session, StanzaSeq};
use tokio::sync::mpsc;

pub(crate) use self::asking::{Answer, Asker};
use self::bundles::BundleState;
use super::catch_up::CatchUp;
use super::freshness::Lists;
use super::older::Older;
use super::request::{Request, Requester};
use super::resuming::{Begun, row};
use crate::contact::Contacts;
use crate::session_info::SessionInfo;
use crate::unit::{Done, Remembered};

/// Tasks that a stanza passes between the queue and the socket, and as many again for what stands before it.
const TURNS: usize = 4;

/// Inputs handled together: one commit, one acknowledgement.
pub(crate) const INPUTS_AT_ONCE: usize = 64;

/// Something that came from the connection.
pub(crate) enum Input {
    /// From the driver.
    Event(Event),
    /// A job wants to ask somebody something.
    Request(Request),
    /// An element could not be sent.
    Unsent {
        token: Option<u64>,
        error: SendError,
    },
}

/// What a stanza did: the right to acknowledge it (law 2). Whoever has put something of it into a
/// unit of work has to show the commit.
#[derive(Clone, Copy)]
pub(crate) enum Effect<'a> {
    /// It is on disk. Only [`crate::unit::Unit::commit`] makes this.
    OnDisk(#[expect(dead_code, reason = "having it is what counts")] &'a Done),
    /// There is none, or the archive will give the stanza again.
    None,
}

/// How far the making of the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Roster, carbons and own device lists are asked for.
    SettingUp,
    /// Own device lists and bundles are being published.
    Publishing,
    /// Ready.
    Online,
}

/// What outlives a connection if its stream does.
pub(crate) struct Kept {
    pub(crate) contacts: Option<Contacts>,
    pub(crate) lists: Lists,
}

/// One connection.
pub(crate) struct Link {
    connection: Connection,
    sender: Sender,
    outgoing: mpsc::UnboundedSender<(Element, Option<u64>)>,
    unsent: mpsc::UnboundedReceiver<(Option<u64>, SendError)>,
    requests: mpsc::UnboundedReceiver<Request>,
    pub(crate) requester: Requester,
    iqs: IqTracker<Asker>,
    id_prefix: String,
    next_id: u64,
    pub(crate) phase: Phase,
    /// The contact list; `None` until it is known.
    pub(crate) contacts: Option<Contacts>,
    pub(crate) catch_up: CatchUp,
    /// Whether the archive is known up to here, be there gaps before or not: what comes live follows it.
    pub(crate) is_current: bool,
    /// Live messages that wait for that.
    pub(crate) held: VecDeque<(StanzaSeq, Element)>,
    /// What the last unit of a catch-up leaves to the next.
    pub(crate) remembered: Option<Remembered>,
    /// Older history that was asked for.
    pub(crate) older: Older,
    /// Whether live messages were dropped because the archive has them: what is its end now may
    /// have been read before they came.
    pub(crate) left_to_archive: bool,
    pub(crate) lists: Lists,
    bundles: HashMap<(DeviceAddress, Version), BundleState>,
    /// Actions being carried out, or failed on this connection, by key.
    pub(crate) actions_begun: HashSet<Vec<u8>>,
    /// Actions that were asked for once more while they were being carried out.
    pub(crate) actions_again: HashSet<Vec<u8>>,
    /// Whether there may be actions that were not begun.
    pub(crate) actions_due: bool,
    /// How often our own device list was put right on this connection.
    pub(crate) list_repair_count: u32,
    /// Last outbox entry up to which all were handed to this connection.
    pub(crate) outbox_cursor: Option<OutboxId>,
    /// Entries behind the cursor that were handed over while one before them waits for keys.
    pub(crate) handed_ahead: BTreeSet<OutboxId>,
    /// Whether the server has answered anything that was said on this connection.
    pub(crate) is_proven: bool,
    /// Whether the server is being asked if it is there.
    pub(crate) is_probing: bool,
    /// Entries handed to this connection and not acknowledged.
    pub(crate) in_flight: HashMap<u64, InFlight>,
    /// Number of the stanza that was handed over last (XEP-0198); `None` where nothing is counted.
    last_number: Option<u32>,
    /// What is on disk of the stream, where it can be resumed.
    pub(crate) on_disk: Option<StreamState>,
}

/// An entry of the outbox that the server may not have yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InFlight {
    /// The message that it sends.
    pub(crate) message: Option<MessageId>,
    /// Its number on the stream.
    pub(crate) number: Option<u32>,
}

impl Link {
    /// `id_prefix` begins the ids of requests on this connection: answers to those of another one may still come over a
    /// resumed stream.
    pub(crate) fn new(connection: Connection, id_prefix: String, begun: Begun) -> Self {
        let sender = connection.sender();
        let (outgoing, mut queue) = mpsc::unbounded_channel::<(Element, Option<u64>)>();
        let (report, unsent) = mpsc::unbounded_channel();
        let (asking, requests) = mpsc::unbounded_channel();
        let writer = sender.clone();
        // The driver's queue is bounded and waits for acknowledgements. The pump must not wait with
        // it: the acknowledgements may stand behind events that only the pump takes.
        tokio::spawn(async move {
            while let Some((element, token)) = queue.recv().await {
                if let Err(error) = writer.send(&element, token).await
                    && report.send((token, error)).is_err()
                {
                    return;
                }
            }
        });
        let Begun {
            in_flight, on_disk, ..
        } = begun;
        Self {
            last_number: sender.last_number(),
            iqs: IqTracker::new(connection.session().full_jid.clone()),
            connection,
            sender,
            outgoing,
            unsent,
            requests,
            requester: Requester::new(asking),
            id_prefix,
            next_id: 0,
            phase: Phase::SettingUp,
            contacts: None,
            catch_up: CatchUp::default(),
            is_current: false,
            held: VecDeque::new(),
            remembered: None,
            older: Older::default(),
            left_to_archive: false,
            lists: Lists::default(),
            bundles: HashMap::new(),
            actions_begun: HashSet::new(),
            actions_again: HashSet::new(),
            actions_due: true,
            list_repair_count: 0,
            outbox_cursor: None,
            handed_ahead: in_flight.keys().map(|token| row(*token)).collect(),
            in_flight,
            on_disk,
            is_proven: false,
            is_probing: false,
        }
    }

    /// Whether the server acknowledges stanzas (XEP-0198).
    pub(crate) fn is_managed(&self) -> bool {
        self.connection.session().stream_management.is_some()
    }

    /// What comes next. Cancelling loses nothing.
    pub(crate) async fn next_input(&mut self) -> Input {
        tokio::select! {
            event = self.connection.next_event() => Input::Event(event),
            Some(request) = self.requests.recv() => Input::Request(request),
            Some((token, error)) = self.unsent.recv() => Input::Unsent { token, error },
        }
    }

    /// Whether an account is on the contact list, as far as that is known.
    pub(crate) fn is_contact(&self, jid: &BareJid) -> bool {
        self.contacts
            .as_ref()
            .is_some_and(|contacts| contacts.contains(jid))
    }

    /// Whether an account sees our presence.
    pub(crate) fn shows_presence_to(&self, jid: &BareJid) -> bool {
        self.contacts
            .as_ref()
            .is_some_and(|contacts| contacts.sees_us(jid))
    }

    /// Whether both see each other's presence, as far as that is known.
    pub(crate) fn is_mutual(&self, jid: &BareJid) -> bool {
        self.contacts
            .as_ref()
            .is_some_and(|contacts| contacts.is_mutual(jid))
    }

    /// What has come already, without waiting.
    pub(crate) async fn input_at_hand(&mut self) -> Option<Input> {
        let mut next = pin!(self.next_input());
        poll_fn(|context| {
            Poll::Ready(match next.as_mut().poll(context) {
                Poll::Ready(input) => Some(input),
                Poll::Pending => None,
            })
        })
        .await
    }

    /// Queues an element behind all others. What becomes of a stanza with a token is told by
    /// [`Event::Acked`] or [`Input::Unsent`].
    pub(crate) fn send(&mut self, element: Element, token: Option<u64>) {
        self.last_number = self.last_number.map(|number| number.wrapping_add(1));
        // The writer's task ends only with the connection, whose end comes as an event.
        let _ = self.outgoing.send((element, token));
    }

    /// Gives those who write their turns, so that what was queued goes out before this thread works at something long. Waits
    /// for nobody: where the network takes no more, it goes out later.
    pub(crate) async fn let_out(&self) {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    }

    /// The numbers that the stanzas to be sent next will have, in order; for the commit before they go out. `None` where
    /// nobody resumes the stream.
    pub(crate) fn next_numbers(&self) -> impl Iterator<Item = Option<u32>> + use<> {
        let mut last = self.last_number.filter(|_| self.on_disk.is_some());
        core::iter::repeat_with(move || {
            last = last.map(|number| number.wrapping_add(1));
            last
        })
    }

    /// A stanza was not taken by the connection, and its number goes to the next. Those that were given out meanwhile
    /// are one too high on disk: after a resumption such a stanza may be repeated, and is never taken for received.
    pub(crate) fn was_not_sent(&mut self) {
        self.last_number = self.last_number.map(|number| number.wrapping_sub(1));
    }

    /// The `h` that is to be on disk before these stanzas are settled, if it is another than is there.
    pub(crate) fn handled_with(&mut self, settled: &[StanzaSeq]) -> Option<u32> {
        let on_disk = self.on_disk.as_mut()?;
        let handled = self.sender.handled_with(settled);
        let before = core::mem::replace(&mut on_disk.handled_inbound, handled);
        (handled != before).then_some(handled)
    }

    /// The server has what is numbered up to this.
    pub(crate) fn note_acked(&mut self, number: u32) {
        if let Some(on_disk) = self.on_disk.as_mut() {
            on_disk.acked_outbound = number;
        }
    }

    /// An outbox entry was handed over or failed (`is_done`), or waits. `is_contiguous`: whether
    /// every entry before it is done; it goes on to say so for the next.
    pub(crate) fn outbox_handled(&mut self, id: OutboxId, is_done: bool, is_contiguous: &mut bool) {
        *is_contiguous &= is_done;
        if *is_contiguous {
            self.outbox_cursor = Some(id);
            self.handed_ahead.remove(&id);
        } else if is_done {
            self.handed_ahead.insert(id);
        }
    }

    /// This stanza may be acknowledged.
    pub(crate) fn settle(&self, seq: StanzaSeq, _: Effect<'_>) {
        // Only a number of another connection is refused, and those went with their link.
        if let Err(error) = self.sender.settle(seq) {
            tracing::error!(%error, "a stanza of another connection was settled");
        }
    }

    /// Whether an earlier stream was taken up again, and nothing was heard on it since. A server may have lost its place in
    /// it: Prosody 13 reads on where the connection before was cut off, in the middle of a stanza perhaps, and then
    /// understands nothing more.
    pub(crate) fn is_doubtful(&self) -> bool {
        !self.is_proven && self.info().is_resumed
    }

    /// A way to ask the server whether it is there, beside the pump.
    pub(crate) fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// What the login came to.
    pub(crate) fn session(&self) -> &Session {
        self.connection.session()
    }

    /// How the connection was made.
    pub(crate) fn info(&self) -> SessionInfo {
        let session = self.connection.session();
        SessionInfo {
            is_resumed: matches!(session.resumption, Resumption::Resumed { .. }),
            is_resumable: self.on_disk.is_some(),
            by_token: matches!(session.authentication, Authentication::Token(_)),
            knows_client_state: session.features.client_state,
        }
    }

    /// What a connection over which the stream goes on can use.
    pub(crate) fn into_kept(self) -> Option<Kept> {
        (self.phase == Phase::Online).then(|| {
            let mut lists = self.lists;
            lists.resumed();
            Kept {
                contacts: self.contacts,
                lists,
            }
        })
    }

    /// Ends the connection after what is queued.
    pub(crate) async fn close(&mut self, style: CloseStyle) {
        /// The last words to a server that may be gone.
        const PATIENCE: Duration = Duration::from_secs(3);
        let _ = tokio::time::timeout(PATIENCE, async {
            if self.sender.close(style).await.is_ok() {
                while !matches!(self.connection.next_event().await, Event::Closed(_)) {}
            }
        })
        .await;
    }
}
