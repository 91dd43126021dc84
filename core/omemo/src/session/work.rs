//! How much one message may cost.

use core::cell::Cell;

use crate::limits::WORK_PER_MESSAGE;

/// Units that a turn of the ratchet costs: a Diffie-Hellman takes about as long as that many steps of a chain.
pub(crate) const TURN: u32 = 120;

/// What is left for one message, over all keys and sessions that it is tried with.
pub(crate) struct Work(Cell<u32>);

impl Work {
    pub(crate) const fn for_one_message() -> Self {
        Self(Cell::new(WORK_PER_MESSAGE))
    }

    /// Takes units; `false`, and takes none, if there are too few.
    pub(crate) fn spend(&self, units: u32) -> bool {
        let left = self.0.get().checked_sub(units);
        if let Some(left) = left {
            self.0.set(left);
        }
        left.is_some()
    }
}
