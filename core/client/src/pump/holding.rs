//! The account's lease: the right to move ratchets and to speak to the server (law 6).

use std::sync::Arc;
use std::time::Duration;

use eft_store::{Lease, LeaseError};
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
    /// Whether it was held before: then another process may have written since.
    was_held: bool,
}

impl Holding {
    pub(super) const fn new(keys: Keys) -> Self {
        Self {
            keys,
            lease: None,
            was_held: false,
        }
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
        self.holding.lease = Some(Arc::new(lease));
        self.pending = Pending::default();
        if core::mem::replace(&mut self.holding.was_held, true) {
            self.send_event(Event::Reset);
        }
        if let Some(rollback) = rollback
            && let Err(error) = self.recover_from(rollback)
        {
            // Nothing may be sent from here before it is done: the next attempt is told of the rollback again.
            self.holding.lease = None;
            return Err(error);
        }
        Ok(())
    }

    /// Another process has the account now: nothing more is said, and what was remembered is not to be trusted.
    pub(super) fn overtaken(&mut self) {
        self.holding.lease = None;
        self.drop_link(Error::StoreLocked);
    }
}
