//! Memory that is this process's own and was written to: what a phone counts against an extension.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Failure;

/// Private dirty memory now, in KiB.
///
/// # Errors
/// When the system does not say.
pub fn dirty_kib() -> Result<u64, Failure> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Private_Dirty:"))
        .ok_or("no Private_Dirty in smaps_rollup")?;
    let number = line.split_whitespace().next().ok_or("no number")?;
    Ok(number.parse()?)
}

/// Looks again and again, from a thread of its own.
#[derive(Debug)]
pub struct Watch {
    peak: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watch {
    /// Begins to look.
    #[must_use]
    pub fn start() -> Self {
        let (peak, is_over) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (seen, end) = (Arc::clone(&peak), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Acquire) {
                if let Ok(kib) = dirty_kib() {
                    seen.fetch_max(kib, Ordering::AcqRel);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Self {
            peak,
            is_over,
            thread,
        }
    }

    /// The most that was seen, in KiB.
    #[must_use]
    pub fn end(self) -> u64 {
        self.is_over.store(true, Ordering::Release);
        // It only reads and sleeps.
        let _ = self.thread.join();
        self.peak.load(Ordering::Acquire)
    }
}
