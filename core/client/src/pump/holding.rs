//! The account's lease: the right to move ratchets and to speak to the server (law 6).

use std::sync::Arc;
use std::time::Duration;

use eft_store::{Lease, LeaseError, Store};
use eft_xmpp::driver::WriteGate;

use super::Pump;
use super::pending::Pending;
use crate::error::Error;
use crate::event::Event;
use crate::keys::Keys;

/// How long to wait for another process to give the lease back. One that is dead has lost it at once, one that is frozen
/// within a second.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The lease: taken when it is first needed, kept until the account is closed or another process has taken it.
pub(super) struct Holding {
    keys: Keys,
    lease: Option<Arc<Lease>>,
    /// The newest generation that is known here: a newer one is another process's, which may have written.
    newest: Option<u64>,
}

impl Holding {
    pub(super) const fn new(keys: Keys) -> Self {
        Self {
            keys,
            lease: None,
            newest: None,
        }
    }

    /// Whether this process may write, as far as it knows.
    pub(super) fn is_held(&self) -> bool {
        self.lease
            .as_ref()
            .is_some_and(|lease| lease.check().is_ok())
    }

    /// Gives the lease back.
    pub(super) fn release(&mut self) {
        self.lease = None;
    }

    /// Whether another process had the account since it was held here. Says so once.
    pub(super) fn was_overtaken(&mut self, store: &Store) -> Result<bool, Error> {
        let newest = store.generation()?.as_u64();
        let before = self.newest.replace(newest);
        Ok(before.is_some_and(|before| before != newest))
    }

    /// Asked before each write to a socket.
    pub(super) fn gate(&self) -> WriteGate {
        let lease = self.lease.as_ref().map(Arc::downgrade);
        Arc::new(move || {
            let lease = lease.as_ref().and_then(std::sync::Weak::upgrade);
            lease.is_some_and(|lease| lease.check().is_ok())
        })
    }
}

impl Pump {
    /// Makes sure that this process may write. If another one had the account meanwhile, it may have moved everything
    /// that is remembered here: all of it is forgotten, and the connection with it.
    ///
    /// # Errors
    /// [`Error::StoreLocked`] while another process has the account.
    pub(super) fn hold_account(&mut self) -> Result<(), Error> {
        if let Some(lease) = &self.holding.lease {
            match lease.check() {
                Ok(()) => return Ok(()),
                Err(LeaseError::Lost) => self.overtaken(),
                Err(error) => return Err(error.into()),
            }
        }
        let Keys { secrets, name } = self.holding.keys.clone();
        let store = Arc::clone(&self.store);
        let (lease, rollback) = match store.take_lease(&*secrets, &name, PATIENCE) {
            Ok(lease) => (lease, None),
            Err(LeaseError::RolledBack(rollback)) => {
                let lease = store.take_lease_after_rollback(&*secrets, &name, PATIENCE)?;
                (lease, Some(rollback))
            }
            Err(error) => return Err(error.into()),
        };
        let generation = lease.generation().as_u64();
        self.holding.lease = Some(Arc::new(lease));
        let before = self.holding.newest.replace(generation);
        if before.is_some_and(|before| before.wrapping_add(1) != generation) {
            self.pending = Pending::default();
            self.kept = None;
            self.send_event(Event::Reset);
        }
        if let Some(rollback) = rollback
            && let Err(error) = self.recover_from(rollback)
        {
            // Nothing may be sent from here before it is done: the next attempt is told of the rollback again.
            self.holding.lease = None;
            return Err(error);
        }
        if let Err(error) = self.collect_intake() {
            // It waits there, and must not keep anybody from connecting.
            tracing::error!(%error, "what was left for this process was not collected");
        }
        Ok(())
    }

    /// Another process has the account now: nothing more is said, and what was remembered is not to be trusted.
    pub(super) fn overtaken(&mut self) {
        self.holding.lease = None;
        self.drop_link(Error::StoreLocked);
    }
}
