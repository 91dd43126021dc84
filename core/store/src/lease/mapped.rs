//! The lease's file as memory that every process sees: one of the two modules of this crate with
//! `unsafe`, see also `cipher_provider`.
//!
//! A write to the database instead would take its lock, wake the disk and grow the log, four times a
//! second; a write to the file would be two system calls.

#![allow(
    unsafe_code,
    reason = "mapping a file, looking at it as atomic numbers, and the clock that counts while the \
              device sleeps"
)]

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU64;

/// What the file holds, in the machine's byte order: it never leaves the machine. All zero when new.
#[repr(C)]
pub(super) struct Words {
    /// Which form the rest has.
    pub(super) format: AtomicU64,
    /// Holder and expiry.
    pub(super) holder: AtomicU64,
    /// Token of the holder that also has the file's advisory lock, which the kernel takes back when a
    /// process dies.
    pub(super) locked_by: AtomicU64,
}

const FILE_BYTES: u64 = 64;

/// The file, open and mapped.
pub(super) struct Mapped {
    address: NonNull<Words>,
    file: File,
}

// SAFETY: the memory holds atomic numbers only, and stays mapped until the value is dropped.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// Opens the file; if it does not exist, makes it, or answers `None`.
    pub(super) fn open(path: &Path, create: bool) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create).mode(0o600);
        let file = match options.open(path) {
            Err(error) if !create && error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        // Never shorter: another process may have it mapped, and a page that is cut off ends whoever
        // touches it.
        if file.metadata()?.len() < FILE_BYTES {
            file.set_len(FILE_BYTES)?;
        }
        // SAFETY: asks for a new mapping at an address of the kernel's choice; the file is open for
        // reading and writing.
        let address = unsafe {
            libc::mmap(
                ptr::null_mut(),
                size_of::<Words>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let address = NonNull::new(address.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Some(Self { address, file }))
    }

    pub(super) fn words(&self) -> &Words {
        // SAFETY: mapped until drop, at the start of a page and so aligned, as long as the file, which
        // nobody shortens; other processes change it by atomic operations only.
        unsafe { self.address.as_ref() }
    }

    /// For its advisory lock.
    pub(super) const fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: mapped by `open` with this length; no reference outlives the value.
        unsafe { libc::munmap(self.address.as_ptr().cast(), size_of::<Words>()) };
    }
}

/// Milliseconds on a clock that all processes share, that nobody can set, and that counts while the
/// device sleeps.
pub(super) fn boot_millis() -> io::Result<u64> {
    // Darwin's monotonic clock counts during sleep; Linux has another one for that.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the pointer is valid for a write of one `timespec`.
    if unsafe { libc::clock_gettime(CLOCK, time.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, and has filled it.
    let time = unsafe { time.assume_init() };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    Ok(seconds * 1000 + nanos / 1_000_000)
}
