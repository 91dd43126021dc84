//! How often the lease was taken.

use core::fmt;

/// How often the lease of a database was taken. It only grows: whoever held an older one must
/// write nothing more, and drops what it remembers of ratchets and stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

impl Generation {
    pub(crate) const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number. 0 is a database whose lease was never taken.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
