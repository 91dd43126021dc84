//! Calls of the host's code: from threads of Eft, with no lock held, and whatever the host throws is an error.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// The host's code threw. Without this type its exception would end the call in a panic.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum HostError {
    /// Anything.
    #[error("{reason}")]
    Failed {
        /// What the platform says about it.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for HostError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed {
            reason: error.reason,
        }
    }
}

/// The one thread on which observers are called. `None` only where the process can start no thread.
pub(crate) fn dispatcher() -> Option<&'static Runtime> {
    static DISPATCHER: OnceLock<Option<Runtime>> = OnceLock::new();
    DISPATCHER
        .get_or_init(|| {
            Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("eft-host")
                .build()
                .ok()
        })
        .as_ref()
}

/// Asks the host something on a thread that may block: not on the account's, which the host may call from inside of it.
pub(crate) fn ask(question: impl FnOnce() + Send + 'static) {
    if let Some(dispatcher) = dispatcher() {
        dispatcher.spawn_blocking(question);
    }
}
