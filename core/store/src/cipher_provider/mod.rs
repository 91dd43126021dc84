//! SQLCipher's cryptography, from RustCrypto: one of the two modules of this crate with `unsafe`, see also
//! `lease::mapped`.
//!
//! SQLCipher calls its cryptography through a table of C functions, `sqlcipher_provider`. Built with
//! `-DSQLCIPHER_CRYPTO_CUSTOM=eft_sqlcipher_provider_setup` it takes the table from here. The file
//! format stays SQLCipher's own (AES-256-CBC, HMAC-SHA-512 per page, version 4), so that other
//! builds of SQLCipher read it.
//!
//! Everything that computes is in [`primitives`] and safe. Here are only the border functions, which
//! turn pointers and lengths into slices. They trust SQLCipher to pass pointers that are valid for
//! the lengths it passes; they do not trust the lengths (negative, impossible) or that a pointer is
//! not NULL, and let no panic out.

#![allow(
    unsafe_code,
    reason = "functions called by SQLCipher through C pointers, the call that hands it the key, the \
              look at its encrypted file, and the end of the process"
)]

mod exit;
mod primitives;
mod raw_file;
#[cfg(test)]
mod tests;

use std::ffi::{CStr, c_char, c_int, c_uchar, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, slice};

use rusqlite::Connection;
use rusqlite::ffi::{SQLITE_ERROR, SQLITE_OK, sqlite3_key, sqlite3_rekey};

pub(crate) use exit::{Exiting, Held, Inside, enter};
use primitives::{BLOCK_BYTES, BadArgument, KEY_BYTES, Mode, aes_256_cbc};
pub(crate) use primitives::{Hash, hmac, pbkdf2};
pub(crate) use raw_file::RawFile;

/// Name under which this provider shows in `PRAGMA cipher_provider`.
pub(crate) const NAME: &CStr = c"eft-rustcrypto";

const VERSION: &CStr = c"1";
const CIPHER: &CStr = c"aes-256-cbc";

/// Longest key that SQLCipher has room for (`CIPHER_MAX_KEY_SZ`).
const MAX_DERIVED_BYTES: usize = 64;

/// `struct sqlcipher_provider` of SQLCipher 4.19 (`sqlcipher.h`), field by field.
#[repr(C)]
pub(crate) struct SqlcipherProvider {
    init: Option<extern "C" fn() -> c_int>,
    shutdown: Option<extern "C" fn()>,
    get_provider_name: extern "C" fn(*mut c_void) -> *const c_char,
    add_random: unsafe extern "C" fn(*mut c_void, *const c_void, c_int) -> c_int,
    random: unsafe extern "C" fn(*mut c_void, *mut c_void, c_int) -> c_int,
    hmac: unsafe extern "C" fn(
        *mut c_void,
        c_int,
        *const c_uchar,
        c_int,
        *const c_uchar,
        c_int,
        *const c_uchar,
        c_int,
        *mut c_uchar,
    ) -> c_int,
    kdf: unsafe extern "C" fn(
        *mut c_void,
        c_int,
        *const c_uchar,
        c_int,
        *const c_uchar,
        c_int,
        c_int,
        c_int,
        *mut c_uchar,
    ) -> c_int,
    cipher: unsafe extern "C" fn(
        *mut c_void,
        c_int,
        *const c_uchar,
        c_int,
        *const c_uchar,
        *const c_uchar,
        c_int,
        *mut c_uchar,
    ) -> c_int,
    get_cipher: extern "C" fn(*mut c_void) -> *const c_char,
    get_key_sz: extern "C" fn(*mut c_void) -> c_int,
    get_iv_sz: extern "C" fn(*mut c_void) -> c_int,
    get_block_sz: extern "C" fn(*mut c_void) -> c_int,
    get_hmac_sz: extern "C" fn(*mut c_void, c_int) -> c_int,
    ctx_init: extern "C" fn(*mut *mut c_void) -> c_int,
    ctx_free: extern "C" fn(*mut *mut c_void) -> c_int,
    fips_status: extern "C" fn(*mut c_void) -> c_int,
    get_provider_version: extern "C" fn(*mut c_void) -> *const c_char,
    next: *mut SqlcipherProvider,
}

/// Fills in the table. Called by SQLCipher once per process, before the first connection.
///
/// # Safety
/// `provider` is NULL or points to memory for one table.
// SAFETY: the symbol is ours by its prefix; SQLCipher's flag names exactly it.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn eft_sqlcipher_provider_setup(
    provider: *mut SqlcipherProvider,
) -> c_int {
    if provider.is_null() {
        return SQLITE_ERROR;
    }
    let table = SqlcipherProvider {
        init: None,
        shutdown: None,
        get_provider_name,
        add_random,
        random,
        hmac: provider_hmac,
        kdf: provider_kdf,
        cipher: provider_cipher,
        get_cipher,
        get_key_sz,
        get_iv_sz,
        get_block_sz,
        get_hmac_sz,
        ctx_init,
        ctx_free,
        fips_status,
        get_provider_version,
        next: ptr::null_mut(),
    };
    // SAFETY: not NULL, and the caller gives room for one table. SQLCipher's private heap promises no
    // alignment, hence unaligned; what was there is not initialised, hence written, not assigned.
    unsafe { provider.write_unaligned(table) };
    SQLITE_OK
}

/// Hands a connection its key, before anything else is done with it. `PRAGMA key` would leave copies
/// of the key in the memory of SQLite's parser; this way the only copy is SQLCipher's, which it wipes.
pub(crate) fn set_key(connection: &Connection, key_spec: &[u8]) -> c_int {
    let Ok(length) = c_int::try_from(key_spec.len()) else {
        return SQLITE_ERROR;
    };
    // SAFETY: the handle is live as long as the borrowed connection; the pointer is valid for the
    // length, and SQLCipher copies the bytes before it returns.
    unsafe { sqlite3_key(connection.handle(), key_spec.as_ptr().cast(), length) }
}

/// Writes every page anew under another key, in one transaction.
pub(crate) fn change_key(connection: &Connection, key_spec: &[u8]) -> c_int {
    let Ok(length) = c_int::try_from(key_spec.len()) else {
        return SQLITE_ERROR;
    };
    // SAFETY: as in `set_key`.
    unsafe { sqlite3_rekey(connection.handle(), key_spec.as_ptr().cast(), length) }
}

/// Turns the result of a border function into SQLite's code, and a panic into a failure: unwinding
/// into C would end the process.
fn guarded(work: impl FnOnce() -> Result<(), BadArgument>) -> c_int {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => SQLITE_OK,
        Ok(Err(BadArgument)) | Err(_) => SQLITE_ERROR,
    }
}

/// A length from C, as a length.
fn length(bytes: c_int) -> Result<usize, BadArgument> {
    usize::try_from(bytes).map_err(|_| BadArgument)
}

/// Borrows an input.
///
/// # Safety
/// `data` is NULL, or valid for reading `bytes` bytes that nobody changes during `'a`.
unsafe fn input<'a>(data: *const c_uchar, bytes: c_int) -> Result<&'a [u8], BadArgument> {
    let bytes = length(bytes)?;
    match (data.is_null(), bytes) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(BadArgument),
        // SAFETY: not NULL, and the caller promises the length. Lengths from C are below isize::MAX.
        (false, _) => Ok(unsafe { slice::from_raw_parts(data, bytes) }),
    }
}

/// Copies a result out.
///
/// # Safety
/// `out` is NULL, or valid for writing `result.len()` bytes.
unsafe fn output(out: *mut c_uchar, result: &[u8]) -> Result<(), BadArgument> {
    if out.is_null() {
        return Err(BadArgument);
    }
    // SAFETY: not NULL, and the caller promises the length; `result` is memory of ours.
    unsafe { ptr::copy_nonoverlapping(result.as_ptr(), out, result.len()) };
    Ok(())
}

extern "C" fn get_provider_name(_: *mut c_void) -> *const c_char {
    NAME.as_ptr()
}

extern "C" fn get_provider_version(_: *mut c_void) -> *const c_char {
    VERSION.as_ptr()
}

extern "C" fn get_cipher(_: *mut c_void) -> *const c_char {
    CIPHER.as_ptr()
}

/// Seeds offered by the application. The operating system's generator needs none.
unsafe extern "C" fn add_random(_: *mut c_void, _: *const c_void, _: c_int) -> c_int {
    SQLITE_OK
}

unsafe extern "C" fn random(_: *mut c_void, buffer: *mut c_void, bytes: c_int) -> c_int {
    guarded(|| {
        let bytes = length(bytes)?;
        if bytes == 0 {
            return Ok(());
        }
        if buffer.is_null() {
            return Err(BadArgument);
        }
        // SAFETY: not NULL, and SQLCipher passes the size of its buffer. Zeroed first, because a slice
        // must not show bytes that were never written.
        let buffer = unsafe {
            ptr::write_bytes(buffer.cast::<u8>(), 0, bytes);
            slice::from_raw_parts_mut(buffer.cast::<u8>(), bytes)
        };
        crate::random::fill(buffer).map_err(|_| BadArgument)
    })
}

#[allow(clippy::too_many_arguments, reason = "the signature is SQLCipher's")]
unsafe extern "C" fn provider_hmac(
    _: *mut c_void,
    algorithm: c_int,
    key: *const c_uchar,
    key_bytes: c_int,
    first: *const c_uchar,
    first_bytes: c_int,
    second: *const c_uchar,
    second_bytes: c_int,
    out: *mut c_uchar,
) -> c_int {
    guarded(|| {
        let hash = Hash::from_number(algorithm).ok_or(BadArgument)?;
        // SQLCipher leaves the second part out by NULL, whatever its length says.
        let second_bytes = if second.is_null() { 0 } else { second_bytes };
        // SAFETY: SQLCipher passes buffers with their lengths, and holds them still meanwhile.
        let (key, first, second) = unsafe {
            (
                input(key, key_bytes)?,
                input(first, first_bytes)?,
                input(second, second_bytes)?,
            )
        };
        if first.is_empty() {
            return Err(BadArgument);
        }
        let mac = hmac(hash, key, first, second)?;
        let mac = mac.get(..hash.output_bytes()).ok_or(BadArgument)?;
        // SAFETY: SQLCipher gives room for `get_hmac_sz(algorithm)` bytes.
        unsafe { output(out, mac) }
    })
}

#[allow(clippy::too_many_arguments, reason = "the signature is SQLCipher's")]
unsafe extern "C" fn provider_kdf(
    _: *mut c_void,
    algorithm: c_int,
    password: *const c_uchar,
    password_bytes: c_int,
    salt: *const c_uchar,
    salt_bytes: c_int,
    rounds: c_int,
    out_bytes: c_int,
    out: *mut c_uchar,
) -> c_int {
    guarded(|| {
        let hash = Hash::from_number(algorithm).ok_or(BadArgument)?;
        let rounds = u32::try_from(rounds).map_err(|_| BadArgument)?;
        let out_bytes = length(out_bytes)?;
        if out_bytes > MAX_DERIVED_BYTES {
            return Err(BadArgument);
        }
        // SAFETY: SQLCipher passes buffers with their lengths, and holds them still meanwhile.
        let (password, salt) =
            unsafe { (input(password, password_bytes)?, input(salt, salt_bytes)?) };
        let derived = pbkdf2(hash, password, salt, rounds, out_bytes)?;
        // SAFETY: SQLCipher gives room for the length it asked for.
        unsafe { output(out, &derived) }
    })
}

#[allow(clippy::too_many_arguments, reason = "the signature is SQLCipher's")]
unsafe extern "C" fn provider_cipher(
    _: *mut c_void,
    mode: c_int,
    key: *const c_uchar,
    key_bytes: c_int,
    iv: *const c_uchar,
    data: *const c_uchar,
    data_bytes: c_int,
    out: *mut c_uchar,
) -> c_int {
    guarded(|| {
        let mode = Mode::from_number(mode).ok_or(BadArgument)?;
        let bytes = length(data_bytes)?;
        if data.is_null() || out.is_null() || iv.is_null() {
            return Err(BadArgument);
        }
        // SAFETY: SQLCipher passes the key with its length.
        let key = unsafe { input(key, key_bytes)? };
        // SAFETY: not NULL; SQLCipher passes an initialisation vector of `get_iv_sz` bytes. Copied,
        // because it stands behind the output in the same page.
        let iv: [u8; BLOCK_BYTES] = unsafe { iv.cast::<[u8; BLOCK_BYTES]>().read_unaligned() };
        // SAFETY: neither is NULL and both are valid for `bytes`. `copy` allows them to overlap: some
        // callers work in place. After it, only `out` is looked at.
        let out = unsafe {
            ptr::copy(data, out, bytes);
            slice::from_raw_parts_mut(out, bytes)
        };
        aes_256_cbc(mode, key, &iv, out)
    })
}

extern "C" fn get_key_sz(_: *mut c_void) -> c_int {
    KEY_BYTES as c_int
}

extern "C" fn get_iv_sz(_: *mut c_void) -> c_int {
    BLOCK_BYTES as c_int
}

extern "C" fn get_block_sz(_: *mut c_void) -> c_int {
    BLOCK_BYTES as c_int
}

/// 0 for a number that names no hash.
extern "C" fn get_hmac_sz(_: *mut c_void, algorithm: c_int) -> c_int {
    Hash::from_number(algorithm).map_or(0, |hash| hash.output_bytes() as c_int)
}

/// There is no state per connection.
extern "C" fn ctx_init(_: *mut *mut c_void) -> c_int {
    SQLITE_OK
}

extern "C" fn ctx_free(_: *mut *mut c_void) -> c_int {
    SQLITE_OK
}

/// Not a FIPS-validated module.
extern "C" fn fips_status(_: *mut c_void) -> c_int {
    0
}
