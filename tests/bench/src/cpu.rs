//! Time of the processor.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What this process has used so far, in all its threads, of its own and in the kernel.
#[must_use]
pub fn used() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // Never negative, and nanoseconds of a second.
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_counts_and_sleep_does_not() {
        let before = used();
        std::thread::sleep(Duration::from_millis(50));
        let asleep = used();
        while used() < asleep + Duration::from_millis(50) {}
        assert!(asleep.saturating_sub(before) < Duration::from_millis(40));
    }
}
