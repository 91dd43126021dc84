//! What happens to open databases when the process exits.
//!
//! SQLCipher registers handlers with `atexit` and among the library's finalisers that free its private
//! heap, its mutexes and the table of this provider, whether or not other threads still use a database.
//! A host that calls `exit` with an account open would then crash in one of them, as its last act. So
//! whoever uses a connection is counted, and a handler of ours, which runs before SQLCipher's because
//! it was registered after them, closes the door: it waits for those inside and lets nobody else in.

use std::cell::Cell;
use std::ffi::c_int;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

/// Longest time an exit waits for a transaction that runs. A thread that does not come back (a disk that
/// hangs) must not keep the process alive for ever; after this the old danger is the smaller one.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

static DOOR: Mutex<Door> = Mutex::new(Door {
    closed: false,
    inside: 0,
});
static LEFT: Condvar = Condvar::new();

struct Door {
    closed: bool,
    /// Threads that use a connection now.
    inside: usize,
}

thread_local! {
    /// How many [`Inside`] this thread holds: who is in may go further in, also when the door is closed.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

unsafe extern "C" {
    /// C11 7.22.4.2. Handlers run in the reverse order of their registration, before finalisers.
    // SAFETY: takes a function that lives as long as the process, and may be called at any time.
    safe fn atexit(handler: extern "C" fn()) -> c_int;
}

/// The process is on its way out: no database is touched any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exiting;

/// Proof that SQLCipher lives as long as this value. It belongs to its thread.
pub(crate) struct Inside(PhantomData<*const ()>);

/// Comes in, or learns that it is too late.
pub(crate) fn enter() -> Result<Inside, Exiting> {
    register();
    // A thread whose locals are gone already is at its end and holds no other `Inside`.
    let depth = DEPTH.try_with(Cell::get).unwrap_or(0);
    if depth == 0 {
        let mut door = lock();
        if door.closed {
            return Err(Exiting);
        }
        door.inside += 1;
    }
    let _ = DEPTH.try_with(|cell| cell.set(depth + 1));
    Ok(Inside(PhantomData))
}

impl Drop for Inside {
    fn drop(&mut self) {
        let depth = DEPTH.try_with(Cell::get).unwrap_or(1).saturating_sub(1);
        let _ = DEPTH.try_with(|cell| cell.set(depth));
        if depth == 0 {
            let mut door = lock();
            door.inside -= 1;
            // Nobody else waits; and to wake nobody is a system call, too.
            if door.closed {
                LEFT.notify_all();
            }
        }
    }
}

/// A connection that may outlive SQLCipher: then it is left to the system instead of being closed.
pub(crate) struct Held(ManuallyDrop<Connection>);

impl Held {
    pub(crate) const fn new(connection: Connection) -> Self {
        Self(ManuallyDrop::new(connection))
    }

    /// Closes the connection, with an answer; to be called by one who is [`Inside`].
    pub(crate) fn close(self, _inside: &Inside) -> Result<(), rusqlite::Error> {
        let mut left = ManuallyDrop::new(self);
        // SAFETY: `left` is never dropped, so this is the only taking of its connection.
        let connection = unsafe { ManuallyDrop::take(&mut left.0) };
        connection.close().map_err(|(_, error)| error)
    }
}

impl Deref for Held {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Ok(_inside) = enter() {
            // SAFETY: the value is being dropped, so nobody uses the connection after this.
            unsafe { ManuallyDrop::drop(&mut self.0) }
        }
    }
}

/// Once per process, behind SQLCipher's own handler.
fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SAFETY: may be called by any thread at any time, also again. It registers SQLCipher's handler.
        let _ = unsafe { rusqlite::ffi::sqlite3_initialize() };
        // It fails only for want of memory, and then leaves things as they would be without it.
        let _ = atexit(close_the_door);
    });
}

extern "C" fn close_the_door() {
    let mut door = lock();
    door.closed = true;
    let _ = LEFT.wait_timeout_while(door, LONGEST_WAIT, |door| door.inside > 0);
}

fn lock() -> MutexGuard<'static, Door> {
    DOOR.lock().unwrap_or_else(PoisonError::into_inner)
}
