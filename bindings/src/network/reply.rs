//! Where the host's answer goes.

use std::sync::{Mutex, PoisonError};

use ::eft::network::Reply;

/// An answer that is given once, by any thread: every other one is too late, and so is each that nobody waits for.
#[derive(Debug)]
pub(super) struct Once<T>(Mutex<Option<Reply<T>>>);

impl<T> Once<T> {
    pub(super) fn new(reply: Reply<T>) -> Self {
        Self(Mutex::new(Some(reply)))
    }

    pub(super) fn send(&self, answer: T) {
        let reply = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reply) = reply {
            reply.send(answer);
        }
    }
}
