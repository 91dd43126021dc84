//! Why an ejabberd of a test is not there.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::certificates::CertificatesError;

/// Why an ejabberd could not be started or asked.
#[derive(Debug, thiserror::Error)]
pub enum EjabberdError {
    /// No `erl`, or no ejabberd among its libraries.
    #[error("ejabberd is not installed: run tests/setup/install.sh")]
    NotInstalled,
    /// An ejabberd older than what the tests rely on.
    #[error(
        "ejabberd {found} is too old, the tests need {needed} or newer: run tests/setup/install.sh"
    )]
    TooOld {
        /// The version in the name of its folder.
        found: String,
        /// The oldest that will do.
        needed: &'static str,
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
    #[error("ejabberd ended by itself ({status}); its log ends with\n{log}")]
    Ended {
        /// The exit status.
        status: String,
        /// The end of log and output.
        log: String,
    },
    /// The process runs and does not listen.
    #[error("ejabberd does not listen after {waited:?}; its log ends with\n{log}")]
    NotListening {
        /// How long we waited.
        waited: Duration,
        /// The end of log and output.
        log: String,
    },
    /// A command was refused, or its answer made no sense.
    #[error("ejabberd refused {command}: {output}")]
    Refused {
        /// The command.
        command: &'static str,
        /// What the server said.
        output: String,
    },
}

impl EjabberdError {
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
