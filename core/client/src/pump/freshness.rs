//! Device lists, as far as one connection is concerned: which are as new as can be had.
//!
//! A list that somebody tells us about when it changes may be used for a while. One that nobody
//! watches for us is good for one sending: a device may have been added or removed since
//! (XEP-0384 §5.3.1, accounts without mutual presence subscription).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use eft_omemo::Version;
use eft_types::BareJid;
use tokio::time::Instant;

/// How long a list counts as fresh although its changes are announced to us: an announcement can
/// get lost between two servers.
const FRESH: Duration = Duration::from_secs(600);

/// How long until a list that could not be fetched is asked for again: a contact's server may be
/// restarting.
const RETRY: Duration = Duration::from_secs(30);

/// Who tells us when a list changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announced {
    /// Our own server, reliably: it is our own list.
    Always,
    /// Its owner's server, because of mutual presence or of a subscription to the node.
    Subscribed,
    /// Nobody.
    Never,
}

/// What is known of the lists.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    states: HashMap<(BareJid, Version), State>,
    /// Nodes that we are subscribed to (XEP-0060 §6.1).
    subscribed: HashSet<(BareJid, Version)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fetching,
    Fresh {
        until: Option<Instant>,
        /// Until it was used for a sending.
        once: bool,
    },
    /// It could not be fetched and was never known; asked for again at this time.
    Unavailable {
        retry_at: Instant,
    },
}

impl Lists {
    /// Whether a list need not be fetched: it was, and is still fresh.
    pub(crate) fn is_fresh(&self, jid: &BareJid, version: Version, now: Instant) -> bool {
        match self.state(jid, version) {
            Some(State::Fresh { until, .. }) => until.is_none_or(|until| now < until),
            Some(State::Fetching | State::Unavailable { .. }) | None => false,
        }
    }

    /// Whether a list is being fetched, or will be in a while.
    pub(crate) fn is_coming(&self, jid: &BareJid, version: Version, now: Instant) -> bool {
        match self.state(jid, version) {
            Some(State::Fetching) => true,
            Some(State::Unavailable { retry_at }) => now < retry_at,
            Some(State::Fresh { .. }) | None => false,
        }
    }

    /// A fetch began.
    pub(crate) fn requested(&mut self, jid: BareJid, version: Version) {
        self.states.insert((jid, version), State::Fetching);
    }

    /// A list is known as it is now.
    pub(crate) fn received(
        &mut self,
        jid: BareJid,
        version: Version,
        announced: Announced,
        now: Instant,
    ) {
        let state = State::Fresh {
            until: (announced != Announced::Always).then(|| now + FRESH),
            once: announced == Announced::Never,
        };
        self.states.insert((jid, version), state);
    }

    /// A list that was never known could not be fetched. What waits for it goes on waiting.
    pub(crate) fn unavailable(&mut self, jid: BareJid, version: Version, now: Instant) {
        let retry_at = now + RETRY;
        self.states
            .insert((jid, version), State::Unavailable { retry_at });
    }

    /// Something was encrypted by an account's lists, or failed by them: those that nobody watches
    /// are fetched again before the next time.
    pub(crate) fn used(&mut self, jid: &BareJid) {
        for version in Version::ALL {
            if matches!(
                self.state(jid, version),
                Some(State::Fresh { once: true, .. })
            ) {
                self.is_stale(jid, version);
            }
        }
    }

    /// A list has to be fetched again.
    pub(crate) fn is_stale(&mut self, jid: &BareJid, version: Version) {
        self.states.remove(&(jid.clone(), version));
    }

    /// The stream goes on over another connection: what was announced was heard of, and what was under way is gone.
    pub(crate) fn resumed(&mut self) {
        self.states
            .retain(|_, state| matches!(state, State::Fresh { .. }));
    }

    /// When a list that could not be fetched is to be asked for again.
    pub(crate) fn retry_at(&self, now: Instant) -> Option<Instant> {
        self.states
            .values()
            .filter_map(|state| match state {
                State::Unavailable { retry_at } => Some(*retry_at),
                _ => None,
            })
            .filter(|at| *at > now)
            .min()
    }

    /// A subscription to a list's node was confirmed.
    pub(crate) fn subscribed(&mut self, jid: BareJid, version: Version) {
        self.subscribed.insert((jid, version));
    }

    /// Whether there is one.
    pub(crate) fn is_subscribed(&self, jid: &BareJid, version: Version) -> bool {
        self.subscribed.contains(&(jid.clone(), version))
    }

    fn state(&self, jid: &BareJid, version: Version) -> Option<State> {
        self.states.get(&(jid.clone(), version)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Version = Version::Omemo2;

    fn bob() -> BareJid {
        BareJid::new("bob@b.example").unwrap()
    }

    #[test]
    fn pitfall_12_a_list_that_nobody_watches_is_good_for_one_sending() {
        let now = Instant::now();
        let mut lists = Lists::default();
        lists.received(bob(), LIST, Announced::Never, now);
        assert!(
            lists.is_fresh(&bob(), LIST, now),
            "whoever waited for it goes on"
        );
        lists.used(&bob());
        assert!(!lists.is_fresh(&bob(), LIST, now));
        assert!(!lists.is_coming(&bob(), LIST, now), "it is asked for again");
    }

    #[test]
    fn a_watched_list_serves_for_a_while_and_our_own_for_the_whole_connection() {
        let now = Instant::now();
        let mut lists = Lists::default();
        let carol = BareJid::new("carol@c.example").unwrap();
        lists.received(bob(), LIST, Announced::Subscribed, now);
        lists.received(carol.clone(), LIST, Announced::Always, now);
        lists.used(&bob());
        lists.used(&carol);
        assert!(lists.is_fresh(&bob(), LIST, now + FRESH - Duration::from_secs(1)));
        assert!(!lists.is_fresh(&bob(), LIST, now + FRESH));
        assert!(lists.is_fresh(&carol, LIST, now + 100 * FRESH));
        assert!(
            !lists.is_fresh(&bob(), Version::Legacy, now),
            "each for itself"
        );
        lists.is_stale(&carol, LIST);
        assert!(!lists.is_fresh(&carol, LIST, now));
    }

    #[test]
    fn a_list_that_could_not_be_had_is_asked_for_again_in_a_while() {
        let now = Instant::now();
        let mut lists = Lists::default();
        lists.requested(bob(), LIST);
        assert!(lists.is_coming(&bob(), LIST, now) && !lists.is_fresh(&bob(), LIST, now));
        lists.unavailable(bob(), LIST, now);
        assert!(lists.is_coming(&bob(), LIST, now));
        assert_eq!(lists.retry_at(now), Some(now + RETRY));
        assert!(!lists.is_coming(&bob(), LIST, now + RETRY));
        assert_eq!(lists.retry_at(now + RETRY), None);
    }
}
