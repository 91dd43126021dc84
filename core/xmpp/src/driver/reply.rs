//! Questions to the host: the host's code is called, returns at once, and answers later through a
//! handle, from any thread. No lock is held while it is called.

use tokio::sync::oneshot;

/// Where the host's answer goes. Dropping it is an answer too: that there is none.
#[derive(Debug)]
pub struct Reply<T>(oneshot::Sender<T>);

impl<T> Reply<T> {
    /// Answers. If nobody waits any more, nothing happens.
    pub fn send(self, answer: T) {
        let _ = self.0.send(answer);
    }
}

/// Calls `start` with a handle, and waits for the answer; `None` if the handle was dropped. The
/// deadline is that of whoever polls this.
pub(super) async fn ask<T>(start: impl FnOnce(Reply<T>)) -> Option<T> {
    let (sender, answer) = oneshot::channel();
    start(Reply(sender));
    answer.await.ok()
}
