//! What arithmetic leaves on the stack.
//!
//! Curves and hashes take secrets by value and keep parts of them in frames that end without being overwritten. That is
//! not only a matter of the stack: an enum that is moved to the heap carries along whatever lay in the bytes that its
//! variant does not use, and keeps it for as long as it lives.

use core::hint::black_box;

use zeroize::Zeroize as _;

/// Words that cover what a Diffie-Hellman or a signature uses.
pub(crate) const CURVE: usize = 2048;
/// Words that cover what a hash uses.
pub(crate) const HASH: usize = 192;

/// Does some work in frames of its own, and overwrites that many words of them. A compiler may keep copies where this
/// does not reach, in registers for one.
pub(crate) fn overwritten<const WORDS: usize, T>(work: impl FnOnce() -> T) -> T {
    let value = in_a_frame(work);
    overwrite::<WORDS>();
    value
}

#[inline(never)]
fn in_a_frame<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn overwrite<const WORDS: usize>() {
    let mut frame = [0_u64; WORDS];
    frame.zeroize();
    black_box(&frame);
}
