//! A database that is an older copy of itself: a backup that was put back.
//!
//! The sessions in it were used further by the state that is lost. Sending with them would use message keys twice, and
//! the prekeys in it may have been used by others. So nothing is sent with them any more: prekeys are made anew, and a
//! new session takes the place of each. The old ones stay, to read what is under way over them.

use std::collections::BTreeSet;

use eft_omemo::{RecordKey, RecordKind, Version, renew_pre_keys, retire_sessions};
use eft_store::{Rollback, Store};
use eft_types::DeviceAddress;
use rand::rngs::StdRng;

use super::Pump;
use super::action::ask_for_session;
use crate::error::Error;
use crate::event::Event;
use crate::unit::Unit;

impl Pump {
    /// All of it in one commit: the database is safe to use afterwards, or the next to take the lease is told the same
    /// again.
    pub(super) fn recover_from(&mut self, rollback: Rollback) -> Result<(), Error> {
        tracing::warn!(found = %rollback.database, "the database is an older copy of itself");
        self.commit(recover)?;
        self.send_event(Event::RolledBack);
        Ok(())
    }
}

fn recover(unit: &mut Unit<'_>, rng: &mut StdRng) -> Result<(), Error> {
    let now = unit.now;
    for version in Version::ALL {
        let effects = unit.sure_step(|records| renew_pre_keys(records, version, now, rng))?;
        unit.absorb(effects.changes, effects.actions, effects.events);
    }
    for (address, version) in peers(unit.store())? {
        let effects = unit.sure_step(|records| retire_sessions(records, &address, version))?;
        unit.absorb(effects.changes, effects.actions, effects.events);
        ask_for_session(unit, address, version)?;
    }
    unit.batch.end_stream();
    unit.batch.forget_outbox_sequences();
    unit.batch.finish_rollback();
    Ok(())
}

/// Devices that there is any session with, current or archived.
fn peers(store: &Store) -> Result<BTreeSet<(DeviceAddress, Version)>, Error> {
    let mut peers = BTreeSet::new();
    for kind in [RecordKind::Session, RecordKind::ArchivedSessions] {
        for (key, _) in store.scan(kind, &[])? {
            if let RecordKey::Session { address, version }
            | RecordKey::ArchivedSessions { address, version } = key
            {
                peers.insert((address, version));
            }
        }
    }
    Ok(peers)
}

#[cfg(test)]
mod tests {
    use eft_omemo::{Action, Version, bundle, has_session};
    use eft_store::Durability;
    use rand::SeedableRng as _;

    use super::*;
    use crate::pump::inbound::tests::alice::Alice;
    use crate::pump::inbound::tests::peer::{Peer, Words as _};

    #[test]
    fn an_older_copy_gets_new_prekeys_and_sends_with_none_of_its_sessions() {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, Version::Omemo2);
        alice.take(&bob.write(&alice, Version::Omemo2, "hello").stanza());
        let before = alice.bundle(Version::Omemo2);
        let to = bob.address.clone();
        let can_send = |alice: &Alice| {
            let mut unit = Unit::begin(&alice.store, alice.now);
            unit.sure_step(|records| has_session(records, &to, Version::Omemo2))
                .unwrap()
        };
        assert!(can_send(&alice));
        let mut unit = Unit::begin(&alice.store, alice.now);
        recover(&mut unit, &mut StdRng::seed_from_u64(3)).unwrap();
        let done = unit.commit(Durability::Full).unwrap();
        assert!(!can_send(&alice));
        let mut unit = Unit::begin(&alice.store, alice.now);
        let after = unit
            .sure_step(|records| bundle(records, Version::Omemo2))
            .unwrap()
            .into_unverified(alice.own.clone());
        assert_ne!(after.signed_pre_key, before.signed_pre_key);
        assert_eq!(after.identity_key, before.identity_key);
        for version in Version::ALL {
            let publish = Action::PublishBundle { version }.key();
            assert!(done.added_actions.contains(&publish));
        }
        // What is under way over the old session is still read.
        let late = bob.write(&alice, Version::Omemo2, "under way").stanza();
        let row = alice.take(&late).row();
        assert!(row.content.is_readable(), "{row:?}");
        assert!(!can_send(&alice));
    }
}
