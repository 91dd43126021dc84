//! What is remembered about the keys of one account.

use eft_types::Timestamp;
use serde::{Deserialize, Serialize};

use super::{TrustDecisions, TrustLevel};
use crate::Fingerprint;
use crate::limits::MAX_KNOWN_KEYS;

/// A key that was seen or decided about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownKey {
    /// The key.
    pub fingerprint: Fingerprint,
    /// What is thought of it.
    pub level: TrustLevel,
    /// Since when this is thought of it.
    #[serde(with = "crate::record::timestamp")]
    pub since: Timestamp,
}

/// Trust in the keys of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TrustRecord {
    /// Whether the user is asked about new keys: one was authenticated once, or our own account gained a
    /// device. Stays true when that key is distrusted later: who once compared keys expects to be asked.
    pub(crate) authenticated_once: bool,
    /// Oldest first, at most [`MAX_KNOWN_KEYS`] that nobody decided about.
    pub(crate) keys: Vec<KnownKey>,
}

impl TrustRecord {
    /// What is thought of a key, seen or not.
    pub(crate) fn level(&self, fingerprint: Fingerprint) -> TrustLevel {
        self.keys
            .iter()
            .find(|key| key.fingerprint == fingerprint)
            .map_or_else(|| self.level_of_new_key(), |key| key.level)
    }

    /// Remembers a key at its first sight. `None` if it was known.
    pub(crate) fn see(&mut self, fingerprint: Fingerprint, now: Timestamp) -> Option<TrustLevel> {
        if self.keys.iter().any(|key| key.fingerprint == fingerprint) {
            return None;
        }
        let level = self.level_of_new_key();
        if self.keys.len() < MAX_KNOWN_KEYS {
            self.keys.push(KnownKey {
                fingerprint,
                level,
                since: now,
            });
        }
        Some(level)
    }

    /// Carries out a decision.
    pub(crate) fn set(&mut self, fingerprint: Fingerprint, level: TrustLevel, now: Timestamp) {
        self.authenticated_once |= level.is_authenticated();
        let known = KnownKey {
            fingerprint,
            level,
            since: now,
        };
        match self
            .keys
            .iter_mut()
            .find(|key| key.fingerprint == fingerprint)
        {
            Some(key) => *key = known,
            None => self.keys.push(known),
        }
    }

    /// From now on no key is trusted blindly at its first sight.
    pub(crate) fn ask_about_new_keys(&mut self) {
        self.authenticated_once = true;
    }

    /// Notes the key of this installation. It needs no comparison, and says nothing about other devices of
    /// the account: blind trust in those goes on. What was the key of an installation before is now one that the user
    /// consented to.
    pub(crate) fn set_ourselves(&mut self, fingerprint: Fingerprint, now: Timestamp) {
        for key in &mut self.keys {
            key.level = key.level.elsewhere();
        }
        self.keys.retain(|key| key.fingerprint != fingerprint);
        self.keys.push(KnownKey {
            fingerprint,
            level: TrustLevel::OURSELVES,
            since: now,
        });
    }

    /// Adds what another installation of the account knew. See [`restore_trust`](crate::restore_trust).
    pub(crate) fn restore(&mut self, decisions: &TrustDecisions) {
        for restored in &decisions.keys {
            self.restore_key(KnownKey {
                level: restored.level.elsewhere(),
                ..*restored
            });
        }
        // Last: the keys that were seen before somebody began to compare keep their blind trust.
        self.authenticated_once |= decisions.asks_about_new_keys;
    }

    fn restore_key(&mut self, mut restored: KnownKey) {
        let is_decided = restored.level.is_decided();
        let fingerprint = restored.fingerprint;
        if let Some(known) = self
            .keys
            .iter_mut()
            .find(|key| key.fingerprint == fingerprint)
        {
            let is_newer = !known.level.is_decided() || restored.since > known.since;
            if is_decided && is_newer && known.level != TrustLevel::OURSELVES {
                *known = restored;
            }
            return;
        }
        if !is_decided {
            if self.keys.len() >= MAX_KNOWN_KEYS {
                return;
            }
            // Who asks about new keys here is not to find one trusted that this device never saw.
            if self.level_of_new_key() == TrustLevel::Undecided {
                restored.level = TrustLevel::Undecided;
            }
        }
        self.keys.push(restored);
    }

    fn level_of_new_key(&self) -> TrustLevel {
        if self.authenticated_once || self.keys.len() >= MAX_KNOWN_KEYS {
            TrustLevel::Undecided
        } else {
            TrustLevel::BlindlyTrusted
        }
    }
}
