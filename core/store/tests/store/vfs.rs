//! A file system under SQLite that tests can watch and break: the default one, with a hook before each call.
//!
//! For a process of its own: it takes the place of the default for every connection.

#![allow(
    unsafe_code,
    reason = "SQLite's file system and allocator are tables of C functions"
)]

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::{ptr, slice};

use rusqlite::ffi::{
    self, SQLITE_CONFIG_GETMALLOC, SQLITE_CONFIG_MALLOC, SQLITE_OK, sqlite3_file,
    sqlite3_io_methods, sqlite3_mem_methods, sqlite3_vfs,
};

/// What SQLite asks of the file system.
pub(crate) enum Call<'c> {
    Open,
    Read,
    Write { offset: u64, bytes: &'c [u8] },
    Truncate { bytes: u64 },
    Sync,
    Size,
    Map,
    Delete,
}

/// Sees every call before it is made. Anything but `SQLITE_OK` is the call's answer, and it is not made.
pub(crate) type Hook = fn(path: &str, call: Call<'_>) -> c_int;

/// What the default file system offers.
struct Real {
    vfs: *mut sqlite3_vfs,
    hook: Hook,
    /// Open files, by their address.
    files: Mutex<HashMap<usize, File>>,
}

#[derive(Clone)]
struct File {
    path: String,
    /// What it was opened with: a database has other methods than its log.
    methods: &'static sqlite3_io_methods,
}

// SAFETY: the pointer is to a table that lives as long as the process and is not changed any more.
unsafe impl Send for Real {}
// SAFETY: as above.
unsafe impl Sync for Real {}

static REAL: OnceLock<Real> = OnceLock::new();

/// Puts the hook under every connection that is opened from now on.
pub(crate) fn install(hook: Hook) {
    // SAFETY: initialises SQLite, and asks for its default file system.
    let vfs = unsafe {
        ffi::sqlite3_initialize();
        ffi::sqlite3_vfs_find(ptr::null())
    };
    assert!(!vfs.is_null());
    let real = Real {
        vfs,
        hook,
        files: Mutex::new(HashMap::new()),
    };
    assert!(REAL.set(real).is_ok(), "once per process");
    // SAFETY: a copy of a valid table, with two functions of the same type replaced; leaked, because SQLite
    // keeps the pointer.
    let code = unsafe {
        let mut own = *vfs;
        own.pNext = ptr::null_mut();
        own.zName = c"watched".as_ptr();
        own.xOpen = Some(open);
        own.xDelete = Some(delete);
        ffi::sqlite3_vfs_register(Box::leak(Box::new(own)), 1)
    };
    assert_eq!(code, SQLITE_OK);
}

fn real() -> &'static Real {
    REAL.get().unwrap()
}

fn files() -> MutexGuard<'static, HashMap<usize, File>> {
    real().files.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a call of the real table if the hook lets it pass.
macro_rules! pass {
    ($file:ident, $call:expr, $method:ident($($argument:expr),*)) => {{
        let file = files().get(&$file.addr()).cloned().unwrap();
        match (real().hook)(&file.path, $call) {
            // SAFETY: the arguments are those that SQLite passed to us, for a file with these methods.
            SQLITE_OK => unsafe { file.methods.$method.unwrap()($($argument),*) },
            code => code,
        }
    }};
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let path = match name.is_null() {
        true => String::new(),
        // SAFETY: SQLite passes a C string.
        false => unsafe { CStr::from_ptr(name) }
            .to_string_lossy()
            .into_owned(),
    };
    let code = (real().hook)(&path, Call::Open);
    if code != SQLITE_OK {
        // SAFETY: `file` is memory for a file; without methods it counts as not opened.
        unsafe { (*file).pMethods = ptr::null() };
        return code;
    }
    let vfs = real().vfs;
    // SAFETY: the arguments are those that SQLite passed to us, with the real table; `szOsFile` is the same.
    let code = unsafe { (*vfs).xOpen.unwrap()(vfs, name, file, flags, out_flags) };
    // SAFETY: after a success the methods are a table that lives as long as the process.
    let methods: Option<&'static sqlite3_io_methods> = unsafe { (*file).pMethods.as_ref() };
    let Some(methods) = methods.filter(|_| code == SQLITE_OK) else {
        return code;
    };
    let own = sqlite3_io_methods {
        // Without memory-mapped reading, which would pass us by.
        iVersion: methods.iVersion.min(2),
        xClose: Some(close),
        xRead: Some(read),
        xWrite: Some(write),
        xTruncate: Some(truncate),
        xSync: Some(sync),
        xFileSize: Some(size),
        xShmMap: methods.xShmMap.and(Some(map)),
        ..*methods
    };
    files().insert(file.addr(), File { path, methods });
    // SAFETY: as above. Leaked: a test opens some thousands of files.
    unsafe { (*file).pMethods = Box::leak(Box::new(own)) };
    code
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite passes a C string.
    let path = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    match (real().hook)(&path, Call::Delete) {
        SQLITE_OK => {
            let vfs = real().vfs;
            // SAFETY: the arguments are those that SQLite passed to us, with the real table.
            unsafe { (*vfs).xDelete.unwrap()(vfs, name, sync) }
        }
        code => code,
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let opened = files().remove(&file.addr()).unwrap();
    // SAFETY: the file was opened with these methods.
    unsafe { opened.methods.xClose.unwrap()(file) }
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    to: *mut c_void,
    bytes: c_int,
    offset: i64,
) -> c_int {
    pass!(file, Call::Read, xRead(file, to, bytes, offset))
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    bytes: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: SQLite passes a buffer with its length.
    let written = unsafe { slice::from_raw_parts(from.cast::<u8>(), bytes as usize) };
    let call = Call::Write {
        offset: offset as u64,
        bytes: written,
    };
    pass!(file, call, xWrite(file, from, bytes, offset))
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, bytes: i64) -> c_int {
    let call = Call::Truncate {
        bytes: bytes as u64,
    };
    pass!(file, call, xTruncate(file, bytes))
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    pass!(file, Call::Sync, xSync(file, flags))
}

unsafe extern "C" fn size(file: *mut sqlite3_file, out: *mut i64) -> c_int {
    pass!(file, Call::Size, xFileSize(file, out))
}

unsafe extern "C" fn map(
    file: *mut sqlite3_file,
    page: c_int,
    bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    pass!(file, Call::Map, xShmMap(file, page, bytes, extend, out))
}

/// The allocator that SQLite would use, and who says when it has nothing left.
static MEMORY: OnceLock<Memory> = OnceLock::new();

struct Memory {
    malloc: unsafe extern "C" fn(c_int) -> *mut c_void,
    realloc: unsafe extern "C" fn(*mut c_void, c_int) -> *mut c_void,
    is_out: fn() -> bool,
}

/// Lets allocations fail. Before anything else is done with SQLite.
pub(crate) fn install_memory(is_out: fn() -> bool) {
    // SAFETY: SQLite is not initialised yet; the first call writes one table, the second copies one.
    unsafe {
        let mut methods = std::mem::zeroed::<sqlite3_mem_methods>();
        assert_eq!(
            ffi::sqlite3_config(SQLITE_CONFIG_GETMALLOC, &raw mut methods),
            SQLITE_OK
        );
        let memory = Memory {
            malloc: methods.xMalloc.unwrap(),
            realloc: methods.xRealloc.unwrap(),
            is_out,
        };
        assert!(MEMORY.set(memory).is_ok(), "once per process");
        methods.xMalloc = Some(allocate);
        methods.xRealloc = Some(reallocate);
        assert_eq!(
            ffi::sqlite3_config(SQLITE_CONFIG_MALLOC, &raw mut methods),
            SQLITE_OK
        );
    }
}

unsafe extern "C" fn allocate(bytes: c_int) -> *mut c_void {
    let memory = MEMORY.get().unwrap();
    match (memory.is_out)() {
        true => ptr::null_mut(),
        // SAFETY: passed on as it came.
        false => unsafe { (memory.malloc)(bytes) },
    }
}

unsafe extern "C" fn reallocate(old: *mut c_void, bytes: c_int) -> *mut c_void {
    let memory = MEMORY.get().unwrap();
    match (memory.is_out)() {
        true => ptr::null_mut(),
        // SAFETY: passed on as it came.
        false => unsafe { (memory.realloc)(old, bytes) },
    }
}
