//! The thread that renews a lease.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Holding;

/// A quarter of a term: a thread that comes late a few times does not lose the lease.
const PERIOD: Duration = Duration::from_millis(super::word::TERM_MILLIS / 4);

/// Renews a lease until dropped, or until the lease is lost.
pub(super) struct Keeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn start(holding: Arc<Holding>) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("eft-lease".into())
            .spawn(move || {
                while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                    // If only the clock or the file failed, the next time may do better; meanwhile the
                    // term runs out, and every write finds out for itself.
                    let _ = holding.renew();
                    if holding.is_lost() {
                        break;
                    }
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It cannot panic; and if it did, the lease runs out.
            let _ = thread.join();
        }
    }
}
