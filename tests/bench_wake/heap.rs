//! What is allocated at once, at most: Rust's own, counted by an allocator before the system's, and SQLite's, which counts
//! for itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn grown(bytes: usize) {
    let now = NOW.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(now, Ordering::Relaxed);
}

fn shrunk(bytes: usize) {
    NOW.fetch_sub(bytes, Ordering::Relaxed);
}

#[allow(
    unsafe_code,
    reason = "an allocator: each call goes on to the system's with the very arguments that it came with, whose caller keeps \
              the promises that are asked"
)]
// SAFETY: the system's allocator does all of it; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: see above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: see above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        shrunk(layout.size());
        // SAFETY: see above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grown(size);
        shrunk(layout.size());
        // SAFETY: see above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// The most that was allocated at once, in KiB. The two peaks need not have been at the same time: it is no less than the
/// truth.
pub(crate) fn peak_kib() -> u64 {
    let bytes = PEAK.load(Ordering::Relaxed) as u64 + sqlites_peak();
    bytes.div_ceil(1024)
}

#[allow(
    unsafe_code,
    reason = "SQLite's counter is reachable through C alone; the call takes a number and gives a number, from any thread"
)]
fn sqlites_peak() -> u64 {
    // SAFETY: it has no preconditions.
    let bytes = unsafe { rusqlite::ffi::sqlite3_memory_highwater(0) };
    u64::try_from(bytes).unwrap_or_default()
}
