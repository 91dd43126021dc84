//! Reads for the app, beside the pump: a long page must not hold up a connection.

use std::sync::mpsc;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use eft_store::Store;
use tokio::sync::oneshot;

use crate::error::Error;

type Read = Box<dyn FnOnce(&Store) + Send>;

enum Job {
    Run(Read),
    Stop,
}

/// Asks the reading thread. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reader {
    jobs: mpsc::Sender<Job>,
    /// Weak: a handle must not keep the database open.
    store: Weak<Store>,
}

/// Ends the reading thread; the pump has it.
pub(crate) struct ReaderThread {
    jobs: mpsc::Sender<Job>,
    thread: JoinHandle<()>,
}

impl Reader {
    /// Starts the thread. It ends with its [`ReaderThread`], or when every handle is gone.
    pub(crate) fn start(store: Arc<Store>) -> Result<(Self, ReaderThread), Error> {
        let (jobs, queue) = mpsc::channel();
        let weak = Arc::downgrade(&store);
        let thread = thread::Builder::new()
            .name("eft-reader".to_owned())
            .spawn(move || {
                for job in queue {
                    match job {
                        Job::Run(read) => read(&store),
                        Job::Stop => return,
                    }
                }
            })
            .map_err(|error| Error::bug(format!("no thread for reading: {error}")))?;
        let reader = Self {
            jobs: jobs.clone(),
            store: weak,
        };
        Ok((reader, ReaderThread { jobs, thread }))
    }

    /// Runs one read and waits for its result. A caller that stops waiting loses only the result.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.jobs
            .send(Job::Run(Box::new(move |store| {
                let _ = reply.send(read(store));
            })))
            .map_err(|_| Error::Suspended)?;
        answer.await.map_err(|_| Error::Suspended)?
    }
}

impl Reader {
    /// Runs a read that takes long on a thread of its own, beside all others. A database that is closed meanwhile is
    /// closed by the end of it.
    pub(crate) async fn run_apart<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let store = self.store.upgrade().ok_or(Error::Suspended)?;
        let (reply, answer) = oneshot::channel();
        thread::Builder::new()
            .name("eft-export".to_owned())
            .spawn(move || {
                let _ = reply.send(read(&store));
            })
            .map_err(|error| Error::bug(format!("no thread for an export: {error}")))?;
        answer.await.map_err(|_| Error::Suspended)?
    }
}

impl ReaderThread {
    /// Waits for the reads that were asked for, and ends the thread. Later reads get
    /// [`Error::Suspended`].
    pub(crate) fn stop(self) {
        let _ = self.jobs.send(Job::Stop);
        // A read that panicked has told its caller by dropping the answer.
        let _ = self.thread.join();
    }
}
