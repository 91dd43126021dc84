//! What is wrong, and what helps.

use core::fmt;

use super::ReportArea;
use crate::message::Encryption;

/// Something that is wrong. [`Display`](fmt::Display) says what, and what helps, in a sentence or two for the one who helps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The database cannot be read.
    DatabaseUnreadable {
        /// [`crate::Error::code`].
        code: &'static str,
    },
    /// There is no connection, although the app wants one.
    NotConnected {
        /// [`crate::Error::code`].
        code: &'static str,
        /// For people, redacted.
        reason: String,
    },
    /// The server does not keep streams: each lost connection costs a new login, and pushes begin only after it was noticed.
    NoResumption,
    /// The server keeps no archive.
    NoArchive,
    /// The server publishes nothing for the account.
    NoPersonalEventing,
    /// The server cannot be told who may read what is published.
    NoPublishOptions,
    /// The server does not copy to other devices.
    NoCarbons,
    /// Others do not see this device.
    DeviceNotListed {
        /// In which version.
        version: Encryption,
    },
    /// Others cannot begin a session with this device.
    BundleMissing {
        /// In which version.
        version: Encryption,
    },
    /// Few prekeys are left.
    FewPreKeys {
        /// In which version.
        version: Encryption,
        /// How many.
        count: u32,
    },
    /// The server has no pushes, or not for this account.
    PushUnsupported,
    /// The server refused to push.
    PushRejected {
        /// Its reason, redacted.
        reason: String,
    },
    /// The app has not registered.
    PushNotRegistered,
    /// The server has not agreed yet.
    PushNotAgreed,
    /// No push has come yet.
    PushUnproven,
    /// Messages came without a push.
    PushStale,
    /// The server does not take messages in `urn:xmpp:omemo:2` for messages, and does not mark their pushes as important.
    PushUnimportant {
        /// Its software.
        software: String,
    },
    /// Messages wait to be sent for longer than they should.
    MessagesStuck {
        /// How many wait.
        count: u32,
    },
    /// Messages are missing in the timelines.
    ArchiveIncomplete {
        /// The app wants it so.
        is_paused: bool,
    },
}

impl Problem {
    /// What it is about.
    #[must_use]
    pub fn area(&self) -> ReportArea {
        match self {
            Self::DatabaseUnreadable { .. } => ReportArea::Database,
            Self::NotConnected { code, .. } => match *code {
                "auth-rejected" | "downgraded" => ReportArea::Login,
                _ => ReportArea::Connection,
            },
            Self::NoResumption | Self::NoArchive | Self::NoCarbons => ReportArea::Server,
            Self::NoPersonalEventing
            | Self::NoPublishOptions
            | Self::DeviceNotListed { .. }
            | Self::BundleMissing { .. }
            | Self::FewPreKeys { .. } => ReportArea::Encryption,
            Self::PushUnsupported
            | Self::PushRejected { .. }
            | Self::PushNotRegistered
            | Self::PushNotAgreed
            | Self::PushUnproven
            | Self::PushStale
            | Self::PushUnimportant { .. } => ReportArea::Push,
            Self::MessagesStuck { .. } | Self::ArchiveIncomplete { .. } => ReportArea::Messages,
        }
    }

    /// Stable name, the same in every language.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DatabaseUnreadable { .. } => "database-unreadable",
            Self::NotConnected { .. } => "not-connected",
            Self::NoResumption => "no-resumption",
            Self::NoArchive => "no-archive",
            Self::NoPersonalEventing => "no-personal-eventing",
            Self::NoPublishOptions => "no-publish-options",
            Self::NoCarbons => "no-carbons",
            Self::DeviceNotListed { .. } => "device-not-listed",
            Self::BundleMissing { .. } => "bundle-missing",
            Self::FewPreKeys { .. } => "few-pre-keys",
            Self::PushUnsupported => "push-unsupported",
            Self::PushRejected { .. } => "push-rejected",
            Self::PushNotRegistered => "push-not-registered",
            Self::PushNotAgreed => "push-not-agreed",
            Self::PushUnproven => "push-unproven",
            Self::PushStale => "push-stale",
            Self::PushUnimportant { .. } => "push-unimportant",
            Self::MessagesStuck { .. } => "messages-stuck",
            Self::ArchiveIncomplete { .. } => "archive-incomplete",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DatabaseUnreadable { code } => {
                write!(f, "the database cannot be read ({code}). If nothing helps, rebuild the account.")
            }
            Self::NotConnected { code, reason } => {
                write!(f, "not connected: {reason} ({code}). {}", remedy(code))
            }
            Self::NoResumption => f.write_str(
                "the server does not keep streams (XEP-0198). Its operator can switch stream management on.",
            ),
            Self::NoArchive => f.write_str(
                "the server keeps no archive (XEP-0313): what is sent while no device is online may be lost.",
            ),
            Self::NoPersonalEventing => f.write_str(
                "the server publishes nothing for the account (XEP-0163): nobody can find this device's keys. OMEMO does not work here.",
            ),
            Self::NoPublishOptions => f.write_str(
                "the server takes no publish options (XEP-0060 7.1.5): strangers may not be able to read this device's keys.",
            ),
            Self::NoCarbons => f.write_str(
                "the server does not copy messages to other devices (XEP-0280): they come late, by the archive.",
            ),
            Self::DeviceNotListed { version } => write!(
                f,
                "this device is not on the account's own list for {}: nobody encrypts to it. It is put back at the next connection; if it vanishes again, another client removes it.",
                version.name()
            ),
            Self::BundleMissing { version } => write!(
                f,
                "this device's keys for {} are not published: nobody can begin a session with it. They are published at the next connection.",
                version.name()
            ),
            Self::FewPreKeys { version, count } => {
                write!(f, "only {count} prekeys are left for {}.", version.name())
            }
            Self::PushUnsupported => f.write_str(
                "the server does not push (XEP-0357). Its operator can switch it on; until then the app has to stay connected.",
            ),
            Self::PushRejected { reason } => write!(f, "the server refuses to push: {reason}."),
            Self::PushNotRegistered => f.write_str("the app has not registered for pushes."),
            Self::PushNotAgreed => f.write_str("the server was not asked for pushes yet: connect."),
            Self::PushUnproven => f.write_str(
                "no push has come yet. A self-test shows whether one can.",
            ),
            Self::PushStale => f.write_str(
                "messages came without a push. Register anew with a fresh token, and make a self-test.",
            ),
            Self::PushUnimportant { software } => write!(
                f,
                "this server ({software}) does not know urn:xmpp:omemo:2 and does not mark its messages as important: a phone that saves power may be told late. docs/push.md has a module for the server, and what the app server can do instead."
            ),
            Self::MessagesStuck { count } => write!(
                f,
                "{count} message(s) wait to be sent for more than ten minutes: for a connection, for the keys of a device, or for a decision about one."
            ),
            Self::ArchiveIncomplete { is_paused: true } => {
                f.write_str("messages are missing, and catch-up is paused by the app.")
            }
            Self::ArchiveIncomplete { is_paused: false } => {
                f.write_str("messages are missing that the archive may have. They are fetched while there is a connection.")
            }
        }
    }
}

fn remedy(code: &str) -> &'static str {
    match code {
        "auth-rejected" => "Was the password changed elsewhere?",
        "downgraded" => {
            "The login was refused, because the server has offered more before: ask its operator; if that is meant, accept it."
        }
        "certificate-rejected" => {
            "Check the device's clock; if it is right, the operator has to mend the certificate."
        }
        "server-too-old" => "The operator has to update the server.",
        "store-locked" => "Another process of the app has the account.",
        "not-allowed" => "The server ended it, and it is not tried again.",
        "offline" => "Check the network.",
        _ => "",
    }
}
