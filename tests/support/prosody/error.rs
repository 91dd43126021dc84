//! Why the server of a test is not there.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::certificates::CertificatesError;

/// Why a Prosody could not be started or asked.
#[derive(Debug, thiserror::Error)]
pub enum ProsodyError {
    /// No `prosodyctl` in the path.
    #[error("Prosody is not installed: run tests/setup/install.sh")]
    NotInstalled,
    /// A Prosody older than what the tests rely on.
    #[error(
        "Prosody {found} is too old, the tests need {needed} or newer: run tests/setup/install.sh"
    )]
    TooOld {
        /// What `prosodyctl about` says.
        found: String,
        /// The oldest major version that will do.
        needed: u32,
    },
    /// Certificates of the run.
    #[error(transparent)]
    Certificates(#[from] CertificatesError),
    /// The temporary folder.
    #[error("cannot prepare {}: {source}", path.display())]
    Folder {
        /// The file or folder in question.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A program could not be run or signalled.
    #[error("cannot run {program}: {source}")]
    Spawn {
        /// The program's name.
        program: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// Another process took a port between our look and the server's bind.
    #[error("a port that was free is taken by now")]
    PortTaken,
    /// The process ended by itself.
    #[error("Prosody ended by itself ({status}); its log ends with\n{log}")]
    Ended {
        /// The exit status.
        status: String,
        /// The end of log and output.
        log: String,
    },
    /// The process runs and does not listen.
    #[error("Prosody does not listen after {waited:?}; its log ends with\n{log}")]
    NotListening {
        /// How long we waited.
        waited: Duration,
        /// The end of the log.
        log: String,
    },
    /// An account was refused.
    #[error("Prosody refused the account {user}: {output}")]
    Register {
        /// The localpart asked for.
        user: String,
        /// What the server's tool said.
        output: String,
    },
    /// The operator's shell refused a command.
    #[error("Prosody's shell refused: {output}")]
    Operator {
        /// What the shell said.
        output: String,
    },
}

impl ProsodyError {
    pub(crate) fn folder(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Folder {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn spawn(program: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Spawn { program, source }
    }
}
