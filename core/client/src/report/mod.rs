//! Why push, OMEMO or login does not work: what is known, and what is wrong with it.
//!
//! | File | Noun |
//! |---|---|
//! | `connection`, `login`, `server` | the connection; what logs in; what the server can do |
//! | `encryption`, `push`, `messages`, `database` | how each of these stands |
//! | `problem`, `diagnosis` | what is wrong, and what helps; how it is found |
//! | `fact` | a line of the report |
//! | `redaction` | what is left out, and how |

mod connection;
mod database;
mod diagnosis;
mod encryption;
mod fact;
mod login;
mod messages;
mod problem;
mod push;
pub(crate) mod redaction;
mod server;
#[cfg(test)]
mod tests;

use core::fmt;

use eft_types::{BareJid, Timestamp};
use eft_xmpp::xep::datetime;

pub use self::connection::{ConnectionReport, Failure, LinkState, SessionReport};
pub use self::database::DatabaseReport;
pub use self::encryption::{EncryptionReport, VersionReport};
pub use self::fact::{Fact, ReportArea};
pub use self::login::LoginReport;
pub use self::messages::{ArchiveReport, MessagesReport};
pub use self::problem::Problem;
pub use self::push::PushReport;
use self::redaction::Redactor;
pub use self::server::{DeviceListing, PublishedReport, ServerReport};
use crate::clock;

/// What one can tell about an account without telling on its user: [`crate::Account::report`].
///
/// [`Display`](fmt::Display) is the text to be sent to whoever helps. Neither it nor any field holds a password, a token, a key, the
/// content of a message, or a contact's address. The own address is there by the first letters of its two parts, so that a user
/// recognises it among several (`a…@e….org`); device ids and fingerprints are not. Words of a server, such as its reason for
/// a refusal, are shortened, and addresses, host names and IP addresses in them taken out. What remains of the server is its
/// software and its version, by its own word.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// When it was made.
    pub at: Timestamp,
    /// The own address, shortened.
    pub account: String,
    /// The connection.
    pub connection: ConnectionReport,
    /// What logs in, and what the server once showed of itself; `None` while the database is closed.
    pub login: Option<LoginReport>,
    /// What the server can do, as it said last to this process; `None` if it was never asked.
    pub server: Option<ServerReport>,
    /// How encryption stands; `None` while the database is closed.
    pub encryption: Option<EncryptionReport>,
    /// How pushes stand; `None` while the database is closed.
    pub push: Option<PushReport>,
    /// What waits to be sent, and how far the archive was read; `None` while the database is closed.
    pub messages: Option<MessagesReport>,
    /// The database.
    pub database: DatabaseReport,
}

impl Report {
    /// Of an account that was closed: nothing more is known.
    pub(crate) fn of_closed(own: &BareJid) -> Self {
        Self {
            at: clock::now(),
            account: Redactor::new(own.clone(), Vec::new()).account(),
            connection: ConnectionReport {
                state: LinkState::Closed,
                last_failure: None,
                session: None,
            },
            login: None,
            server: None,
            encryption: None,
            push: None,
            messages: None,
            database: DatabaseReport::unreadable("suspended", false),
        }
    }

    /// What is wrong, in the order in which it is best mended.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        diagnosis::find(self)
    }

    /// Everything that is known, line by line.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts = self.connection.facts();
        facts.extend(self.login.iter().flat_map(LoginReport::facts));
        facts.extend(self.server.iter().flat_map(ServerReport::facts));
        facts.extend(self.encryption.iter().flat_map(EncryptionReport::facts));
        facts.extend(self.push.iter().flat_map(PushReport::facts));
        facts.extend(self.messages.iter().flat_map(MessagesReport::facts));
        facts.extend(self.database.facts());
        facts
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = env!("CARGO_PKG_VERSION");
        writeln!(
            f,
            "Eft {version}, {}, {}",
            self.account,
            datetime::format(self.at)
        )?;
        let problems = self.problems();
        if problems.is_empty() {
            writeln!(f, "\nNothing wrong was found.")?;
        } else {
            writeln!(f, "\nWhat is wrong:")?;
        }
        for problem in problems {
            writeln!(f, "- {}: {problem}", problem.area().name())?;
        }
        let mut area = None;
        for fact in self.facts() {
            if area.replace(fact.area) != Some(fact.area) {
                writeln!(f, "\n{}", fact.area.name())?;
            }
            writeln!(f, "  {}: {}", fact.name, fact.value)?;
        }
        Ok(())
    }
}
