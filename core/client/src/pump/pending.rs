//! Messages that others of the same device must come before.
//!
//! Fetch order and decryption order are two things: one chain per sending device runs through the
//! one-to-one chat and every room, and each has an archive of its own. A message whose step would
//! skip too far, or throw away keys of messages that may still come, waits as a row with its
//! ciphertext. It is tried again, in the order of the chain's counter, after every commit that
//! moved its device's session, and a last time when no archive has anything more.

use std::collections::{BTreeMap, BTreeSet};

use eft_omemo::Version;
use eft_store::{
    Content, Durability, Message, MessageUpdate, RetryTrigger, Store, Unreadable, UnreadableCause,
};
use eft_types::{DeviceAddress, MessageId, Timestamp};
use rand::rngs::StdRng;

use super::inbound::{Inbound, Receiving, Retried, Seen, Source};
use super::stanza;
use crate::error::Error;
use crate::unit::{Done, Unit};

/// Messages that may wait at once. Each is a row with its ciphertext; beyond this a message that
/// would have to wait is given up at once, so that nobody can fill the store with them.
pub(crate) const PENDING_MAX: usize = 20_000;

/// Messages decrypted in one commit of a retry.
const RETRIES_AT_ONCE: usize = 256;

/// Rows read at once when the index is made.
const ROWS_AT_ONCE: usize = 500;

/// Where a message stands in the chain that it belongs to. Readable before decryption.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) chain: Chain,
    pub(crate) n: u32,
}

/// One sending chain of one device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Chain {
    pub(crate) device: DeviceAddress,
    pub(crate) version: Version,
    pub(crate) dh_pub: [u8; 32],
}

/// The messages that wait, by chain and counter.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    chains: BTreeMap<Chain, BTreeMap<u32, Vec<MessageId>>>,
    count: usize,
}

impl Pending {
    /// What waits in the store, from this process or an earlier one.
    pub(crate) fn load(store: &Store, own: &DeviceAddress) -> Result<Self, Error> {
        let mut pending = Self::default();
        let mut after = None;
        loop {
            let rows = store.waiting(RetryTrigger::SessionMoved, None, after, ROWS_AT_ONCE)?;
            let Some(last) = rows.last() else {
                return Ok(pending);
            };
            after = Some(last.id);
            for row in &rows {
                let stanza = stanza_of(row)?;
                if let Some(position) = Inbound::new(own, &stanza, Source::Live)
                    .as_ref()
                    .and_then(Inbound::position)
                {
                    pending.insert(position, row.id);
                }
            }
        }
    }

    /// How many more may wait.
    pub(crate) const fn room(&self) -> usize {
        PENDING_MAX.saturating_sub(self.count)
    }

    /// Adds what a commit left waiting.
    pub(crate) fn note(&mut self, done: &Done) {
        for (message, position) in &done.waiting {
            if let Some(insertion) = done.committed.message(*message)
                && insertion.is_news()
            {
                self.insert(position.clone(), insertion.id());
            }
        }
    }

    fn insert(&mut self, position: Position, id: MessageId) {
        let ids = self
            .chains
            .entry(position.chain)
            .or_default()
            .entry(position.n)
            .or_default();
        if !ids.contains(&id) {
            ids.push(id);
            self.count += 1;
        }
    }

    fn remove(&mut self, chain: &Chain, n: u32, id: MessageId) {
        let Some(by_counter) = self.chains.get_mut(chain) else {
            return;
        };
        if let Some(ids) = by_counter.get_mut(&n) {
            let before = ids.len();
            ids.retain(|other| *other != id);
            self.count -= before - ids.len();
            if ids.is_empty() {
                by_counter.remove(&n);
            }
        }
        if by_counter.is_empty() {
            self.chains.remove(chain);
        }
    }

    /// The messages of one chain in the order of its counter.
    fn in_order(&self, chain: &Chain) -> Vec<(u32, MessageId)> {
        self.chains
            .get(chain)
            .into_iter()
            .flatten()
            .flat_map(|(n, ids)| ids.iter().map(|id| (*n, *id)))
            .collect()
    }

    fn chains_of(&self, devices: &BTreeSet<DeviceAddress>) -> Vec<Chain> {
        self.chains
            .keys()
            .filter(|chain| devices.contains(&chain.device))
            .cloned()
            .collect()
    }

    /// Every device of which something waits.
    pub(crate) fn devices(&self) -> BTreeSet<DeviceAddress> {
        self.chains
            .keys()
            .map(|chain| chain.device.clone())
            .collect()
    }
}

/// What a retry needs beside the index.
pub(crate) struct Retry<'a> {
    pub(crate) store: &'a Store,
    pub(crate) own: &'a DeviceAddress,
    pub(crate) now: Timestamp,
    pub(crate) rng: &'a mut StdRng,
    /// Whether the user is to be told of what can be read now.
    pub(crate) announces: bool,
}

impl Retry<'_> {
    /// Tries what waits of these devices again, until nothing moves any more. Each commit is handed
    /// to `tell`.
    pub(crate) fn run(
        &mut self,
        pending: &mut Pending,
        devices: &BTreeSet<DeviceAddress>,
        context: Receiving,
        mut tell: impl FnMut(&Done) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            let mut unit = Unit::begin(self.store, self.now);
            let mut settled = Vec::new();
            'chains: for chain in pending.chains_of(devices) {
                for (n, id) in pending.in_order(&chain) {
                    if !self.retry(&mut unit, id, context)? {
                        // What comes behind it in the chain has to wait with it.
                        break;
                    }
                    settled.push((chain.clone(), n, id));
                    if settled.len() >= RETRIES_AT_ONCE {
                        break 'chains;
                    }
                }
            }
            if settled.is_empty() {
                return Ok(());
            }
            let done = unit.commit(Durability::Full)?;
            for (chain, n, id) in settled {
                pending.remove(&chain, n, id);
            }
            tell(&done)?;
        }
    }

    /// Gives up what still waits: no archive has anything more.
    pub(crate) fn give_up(
        &mut self,
        pending: &mut Pending,
        mut tell: impl FnMut(&Done) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut unit = Unit::begin(self.store, self.now);
        for chain in pending.chains.keys().cloned().collect::<Vec<_>>() {
            for (_, id) in pending.in_order(&chain) {
                unit.batch.update_message(
                    id,
                    MessageUpdate::Content {
                        content: Content::Unreadable(Unreadable::for_good(
                            UnreadableCause::SkippedTooMany,
                        )),
                        encryption: crate::translate::encrypted::encryption(chain.version),
                        sender_key: None,
                    },
                );
            }
        }
        *pending = Pending::default();
        tell(&unit.commit(Durability::Full)?)
    }

    /// Tries one message. Whether it does not wait any more.
    fn retry(
        &mut self,
        unit: &mut Unit<'_>,
        id: MessageId,
        context: Receiving,
    ) -> Result<bool, Error> {
        let Some(row) = self.store.message(id)? else {
            return Ok(true);
        };
        if row.content.is_readable() {
            // Another copy of it came and could be read.
            return Ok(true);
        }
        let stanza = stanza_of(&row)?;
        let Some(inbound) = Inbound::new(self.own, &stanza, Source::Live) else {
            return Ok(true);
        };
        let mut seen = Seen::default();
        match inbound.retry(unit, &mut seen, context, self.rng)? {
            Retried::Waits => Ok(false),
            Retried::Settled {
                content,
                trust,
                is_news,
            } => {
                unit.batch.update_message(id, content);
                if let Some(trust) = trust {
                    unit.batch
                        .update_message(id, MessageUpdate::SenderTrust(trust));
                }
                if is_news && self.announces {
                    unit.batch.announce_again(id);
                }
                Ok(true)
            }
        }
    }
}

/// The stanza that a waiting row keeps.
fn stanza_of(row: &Message) -> Result<eft_xmpp::Element, Error> {
    match &row.content {
        Content::Unreadable(Unreadable {
            ciphertext: Some(bytes),
            ..
        }) => stanza::from_bytes(bytes),
        _ => Err(Error::bug("a waiting message without its ciphertext")),
    }
}

#[cfg(test)]
mod tests;
