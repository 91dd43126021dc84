//! How a store uses the machine.

use std::time::Duration;

/// How a store uses the machine. Start from [`StoreOptions::app`] or [`StoreOptions::extension`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Page cache of each connection, in KiB.
    pub cache_kib: u32,
    /// Most connections for reading, beside the one that writes. 0 counts as 1.
    pub reader_count: usize,
    /// How long to wait for another process's lock before an operation ends as `Busy`.
    pub busy_timeout: Duration,
}

impl StoreOptions {
    /// For an app in the foreground, or a server: 2 MiB of pages per connection, three readers.
    #[must_use]
    pub const fn app() -> Self {
        Self {
            cache_kib: 2048,
            reader_count: 3,
            busy_timeout: Duration::from_secs(5),
        }
    }

    /// For a notification extension, which has about 24 MB and some seconds in all.
    #[must_use]
    pub const fn extension() -> Self {
        Self {
            cache_kib: 256,
            reader_count: 1,
            busy_timeout: Duration::from_secs(1),
        }
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self::app()
    }
}
