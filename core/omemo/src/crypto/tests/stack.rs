//! What work leaves on the stack. Safe Rust cannot look at frames that have ended; the kernel can.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use crate::crypto::stack::{CURVE, overwritten};

/// Odd, so that no address looks like it.
const MARK: u64 = 0x5EC2_E75A_17ED_F00D;
const MARKS: usize = CURVE / 2;

#[inline(never)]
fn leave_marks() {
    let mut frame = [0; MARKS];
    frame.fill(core::hint::black_box(MARK));
    core::hint::black_box(&frame);
}

/// How often the mark stands in the frames that ended below this one.
#[inline(never)]
fn marks_below(memory: &File, into: &mut [u8]) -> usize {
    let here = 0_u8;
    let top = u64::try_from(core::ptr::from_ref(core::hint::black_box(&here)).addr()).unwrap() & !7;
    let length = u64::try_from(into.len()).unwrap();
    memory.read_exact_at(into, top - length).unwrap();
    let words = into.chunks_exact(8);
    words.filter(|word| *word == MARK.to_ne_bytes()).count()
}

#[test]
fn what_work_leaves_in_its_frames_is_overwritten() {
    let memory = File::open("/proc/self/mem").unwrap();
    let mut bytes = vec![0; 8 * CURVE];
    leave_marks();
    let left = marks_below(&memory, &mut bytes);
    // The search finds what is there; else it would prove nothing.
    assert!(left > MARKS / 2, "{left}");
    overwritten::<CURVE, _>(leave_marks);
    assert_eq!(marks_below(&memory, &mut bytes), 0);
}
