//! How long, and how long a test may be.

/// Whether the long form of every test that has one is wanted: `EFT_LONG` is set. A campaign, which goes on for minutes
/// and from a seed, is named in `EFT_SOAK` instead.
pub(crate) fn is_long() -> bool {
    std::env::var_os("EFT_LONG").is_some()
}

/// Processor time that this thread takes for something; on systems that do not tell, the time on the clock.
pub(crate) fn cpu_time<T>(work: impl FnOnce() -> T) -> (T, std::time::Duration) {
    let start = std::time::Instant::now();
    let before = thread_time();
    let value = work();
    let taken = match (before, thread_time()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => start.elapsed(),
    };
    (value, taken)
}

fn thread_time() -> Option<std::time::Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(std::time::Duration::from_nanos(nanos))
}
