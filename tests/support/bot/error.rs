//! Why a bot did not do what it was asked.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a bot could not be started, or did not answer as hoped.
#[derive(Debug, thiserror::Error)]
pub enum BotError {
    /// The Python environment with slixmpp and python-omemo is not there.
    #[error("{} is missing: run tests/setup/venv.sh", path.display())]
    NoEnvironment {
        /// The interpreter that was looked for.
        path: PathBuf,
    },
    /// The process could not be started.
    #[error("the bot could not be started: {0}")]
    Start(#[source] io::Error),
    /// The process ended while something was waited for.
    #[error("the bot ended before {what}; it said last\n{said}")]
    Ended {
        /// What was waited for.
        what: String,
        /// Its last lines.
        said: String,
    },
    /// What was waited for did not come.
    #[error("waited {allowed:?} for {what}; the bot said last\n{said}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        allowed: Duration,
        /// Its last lines.
        said: String,
    },
    /// The bot said that it could not.
    #[error("the bot refused: {answer}")]
    Refused {
        /// Its answer.
        answer: String,
    },
}
