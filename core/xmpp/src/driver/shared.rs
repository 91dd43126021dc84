//! What reader, writer and senders of one connection have in common.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use eft_types::Timestamp;
use tokio::sync::Notify;

use super::probes::Probes;
use crate::stream::{AckPolicy, ClientState, ClientStates, Management, StreamLimits};
use crate::{Element, ns};

/// Locks are held for arithmetic only, never across an await.
#[derive(Debug)]
pub(super) struct Shared {
    management: Mutex<Management>,
    /// XEP-0198 is on.
    pub(super) is_managed: bool,
    limits: Mutex<StreamLimits>,
    client_states: Mutex<ClientStates>,
    pub(super) probes: Mutex<Probes>,
    /// Of [`Liveness`]: there is another deadline.
    pub(super) deadline: Notify,
    /// The reader waits for the client to take events, and cannot hear an answer.
    pub(super) is_deaf: AtomicBool,
    /// Number of the stanza that was queued last: ahead of the counter in `management` by what has
    /// not been written.
    queued: Mutex<u32>,
    pub(super) ack_policy: AckPolicy,
    /// The server sent `<r/>`.
    answer_due: AtomicBool,
    /// The client asked for `<r/>`.
    request_due: AtomicBool,
    /// Wakes the writer.
    pub(super) wake: Notify,
    begun: Instant,
    last_activity_millis: AtomicU64,
}

/// Durable stanzas that are reported without being asked. Small enough that a lost connection
/// repeats little, large enough that an archive page is not answered stanza by stanza.
const UNASKED_ACK_EVERY: u64 = 10;

impl Shared {
    pub(super) fn new(
        management: Management,
        is_managed: bool,
        limits: StreamLimits,
        client_states: ClientStates,
        ack_policy: AckPolicy,
    ) -> Self {
        Self {
            queued: Mutex::new(management.outbound.send_count()),
            management: Mutex::new(management),
            is_managed,
            limits: Mutex::new(limits),
            client_states: Mutex::new(client_states),
            probes: Mutex::default(),
            deadline: Notify::new(),
            is_deaf: AtomicBool::new(false),
            ack_policy,
            answer_due: AtomicBool::new(false),
            request_due: AtomicBool::new(false),
            wake: Notify::new(),
            begun: Instant::now(),
            last_activity_millis: AtomicU64::new(0),
        }
    }

    /// No code panics while it holds the lock; if it did, counters are still whole numbers.
    pub(super) fn management(&self) -> MutexGuard<'_, Management> {
        self.management
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `queue` with the number that the stanza it queues will have. Numbers follow the order of
    /// the queue because nobody else queues meanwhile.
    pub(super) fn number<T>(&self, queue: impl FnOnce(Option<u32>) -> T) -> T {
        if !self.is_managed {
            return queue(None);
        }
        let mut queued = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
        *queued = queued.wrapping_add(1);
        queue(Some(*queued))
    }

    pub(super) fn last_number(&self) -> Option<u32> {
        let queued = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_managed.then_some(*queued)
    }

    pub(super) fn limits(&self) -> StreamLimits {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// With SASL2 the features of the stream come when it is already in use.
    pub(super) fn set_limits(&self, limits: StreamLimits) {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// Milliseconds since the connection began, as the time that [`Management`] asks for.
    pub(super) fn now(&self) -> Timestamp {
        let millis = self.begun.elapsed().as_millis();
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    pub(super) fn note_activity(&self) {
        let millis = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_activity_millis.store(millis, Ordering::Relaxed);
    }

    pub(super) fn silence(&self) -> Duration {
        let last = Duration::from_millis(self.last_activity_millis.load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(last)
    }

    pub(super) fn answer_request(&self) {
        self.answer_due.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    pub(super) fn request_ack(&self) {
        self.request_due.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    pub(super) fn want(&self, state: ClientState) {
        self.client_states().want(state);
        self.wake.notify_one();
    }

    pub(super) fn note_client_states_offered(&self) {
        self.client_states().note_offer();
        self.wake.notify_one();
    }

    fn client_states(&self) -> MutexGuard<'_, ClientStates> {
        self.client_states
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Acknowledgements, requests, questions and states that are due, in the order to write them.
    pub(super) fn take_control(&self) -> String {
        let mut out = match self.client_states().take_due() {
            Some(ClientState::Active) => "<active xmlns='urn:xmpp:csi:0'/>".to_owned(),
            Some(ClientState::Inactive) => "<inactive xmlns='urn:xmpp:csi:0'/>".to_owned(),
            None => String::new(),
        };
        if !self.is_managed {
            // Without XEP-0198 nobody counts stanzas, and a ping (XEP-0199) may go past the queue.
            if self.request_due.swap(false, Ordering::AcqRel) {
                let number = self.probes().liveness.note_asked();
                out.push_str(&format!(
                    "<iq type='get' id='{PING_ID}{number}'><ping xmlns='urn:xmpp:ping'/></iq>"
                ));
            }
            return out;
        }
        let now = self.now();
        let mut management = self.management();
        let ack = if self.answer_due.swap(false, Ordering::AcqRel) {
            Some(management.inbound.answer_request())
        } else {
            management.inbound.poll_ack(UNASKED_ACK_EVERY)
        };
        if let Some(h) = ack {
            out.push_str(&ack_text(h));
        }
        let requested = self.request_due.swap(false, Ordering::AcqRel);
        if requested || management.outbound.wants_request(self.ack_policy, now) {
            management.outbound.note_request();
            self.probes().liveness.note_asked();
            out.push_str("<r xmlns='urn:xmpp:sm:3'/>");
        }
        out
    }

    /// How long the writer may sleep before it has to ask for an acknowledgement.
    pub(super) fn until_request(&self) -> Option<Duration> {
        if !self.is_managed {
            return None;
        }
        let due = self.management().outbound.next_request(self.ack_policy)?;
        let millis = due.millis_since(self.now()).max(0);
        Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
    }
}

/// Id of an own ping, before its number.
const PING_ID: &str = "eft-ping-";

/// The number of the own ping that this stanza answers, if it may be one.
pub(super) fn ping_number(stanza: &Element) -> Option<u64> {
    if !stanza.is("iq", ns::CLIENT) || !matches!(stanza.attr("type"), Some("result" | "error")) {
        return None;
    }
    stanza.attr("id")?.strip_prefix(PING_ID)?.parse().ok()
}

pub(super) fn ack_text(h: u32) -> String {
    format!("<a xmlns='urn:xmpp:sm:3' h='{h}'/>")
}
