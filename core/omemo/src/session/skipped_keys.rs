//! Keys of messages that were passed over and may still arrive: one row per key, and an index of the rows.

use serde::{Deserialize, Serialize};

use super::MessageKey;
use crate::limits::MAX_SKIPPED_KEYS;
use crate::profile::Role;
use crate::{IdentityKey, PublicKey};

/// The key of one message, with what its MAC needs: the session may be replaced before the message comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SkippedKey {
    pub(crate) key: MessageKey,
    pub(crate) role: Role,
    pub(crate) their_identity: IdentityKey,
}

/// Which keys exist, oldest first. Keys come and go in runs, so a run is what is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub(crate) struct SkippedKeys {
    /// How often the peer has turned its ratchet since the first of these keys.
    turns: u32,
    chains: Vec<ChainRuns>,
}

/// The same as it is read. A few bytes of a damaged row can name four thousand million keys.
#[derive(Deserialize)]
struct Unchecked {
    turns: u32,
    chains: Vec<ChainRuns>,
}

/// Most keys that a row may name: far above what any release has kept or may keep.
const MAX_NAMED_KEYS: usize = 100 * MAX_SKIPPED_KEYS;

impl TryFrom<Unchecked> for SkippedKeys {
    type Error = &'static str;

    fn try_from(Unchecked { turns, chains }: Unchecked) -> Result<Self, Self::Error> {
        let runs = || chains.iter().flat_map(|chain| &chain.runs);
        if runs().any(|run| run.count == 0 || run.first.checked_add(run.count).is_none()) {
            return Err("a run of no keys, or past all numbers");
        }
        let index = Self { turns, chains };
        if index.len() > MAX_NAMED_KEYS {
            return Err("more keys than can be");
        }
        Ok(index)
    }
}

/// The keys of one chain that were stored in a row of each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ChainRuns {
    dh_pub: PublicKey,
    /// `turns` when they were stored.
    since: u32,
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    first: u32,
    count: u32,
}

impl Run {
    const fn end(self) -> u32 {
        self.first.saturating_add(self.count)
    }

    const fn contains(self, n: u32) -> bool {
        self.first <= n && n < self.end()
    }
}

impl SkippedKeys {
    /// Number of keys.
    pub(crate) fn len(&self) -> usize {
        self.chains
            .iter()
            .flat_map(|chain| &chain.runs)
            .map(|run| usize::try_from(run.count).unwrap_or(usize::MAX))
            .fold(0, usize::saturating_add)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    /// Adds the newest keys: `count` from `first` on.
    pub(crate) fn push(&mut self, dh_pub: PublicKey, first: u32, count: u32) {
        if count == 0 {
            return;
        }
        let run = Run { first, count };
        match self.chains.last_mut() {
            Some(chain) if chain.dh_pub == dh_pub && chain.since == self.turns => match chain
                .runs
                .last_mut()
            {
                Some(last) if last.end() == first => last.count = last.count.saturating_add(count),
                _ => chain.runs.push(run),
            },
            _ => self.chains.push(ChainRuns {
                dh_pub,
                since: self.turns,
                runs: vec![run],
            }),
        }
    }

    /// Notes that the peer has turned its ratchet.
    pub(crate) fn turn(&mut self) {
        self.turns = self.turns.saturating_add(1);
    }

    /// Takes out the keys since which the peer has turned its ratchet more than `max` times.
    pub(crate) fn expire(&mut self, max: u32) -> Vec<(PublicKey, u32)> {
        let turns = self.turns;
        let old = |chain: &ChainRuns| turns.saturating_sub(chain.since) > max;
        let expired = Self {
            turns,
            chains: self.chains.extract_if(.., |chain| old(chain)).collect(),
        };
        expired.iter().collect()
    }

    /// Takes one key out. `false` if there was none.
    pub(crate) fn remove(&mut self, dh_pub: &PublicKey, n: u32) -> bool {
        let mut found = false;
        for chain in self
            .chains
            .iter_mut()
            .filter(|chain| chain.dh_pub == *dh_pub)
        {
            let Some(index) = chain.runs.iter().position(|run| run.contains(n)) else {
                continue;
            };
            let run = chain.runs.remove(index);
            let before = Run {
                first: run.first,
                count: n.saturating_sub(run.first),
            };
            let after = Run {
                first: n.saturating_add(1),
                count: run.end().saturating_sub(n).saturating_sub(1),
            };
            for part in [after, before] {
                if part.count > 0 {
                    chain.runs.insert(index, part);
                }
            }
            found = true;
            break;
        }
        self.chains.retain(|chain| !chain.runs.is_empty());
        found
    }

    /// Takes the oldest keys out until at most `max` are left.
    pub(crate) fn evict_to(&mut self, max: usize) -> Vec<(PublicKey, u32)> {
        let mut surplus = self.len().saturating_sub(max);
        let mut evicted = Vec::with_capacity(surplus);
        for chain in &mut self.chains {
            for run in &mut chain.runs {
                while surplus > 0 && run.count > 0 {
                    evicted.push((chain.dh_pub, run.first));
                    run.first = run.first.saturating_add(1);
                    run.count -= 1;
                    surplus -= 1;
                }
            }
            chain.runs.retain(|run| run.count > 0);
        }
        self.chains.retain(|chain| !chain.runs.is_empty());
        evicted
    }

    /// Every key, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PublicKey, u32)> {
        self.chains.iter().flat_map(|chain| {
            chain
                .runs
                .iter()
                .flat_map(|run| (run.first..run.end()).map(|n| (chain.dh_pub, n)))
        })
    }
}
