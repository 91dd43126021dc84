//! A line of the report.

use eft_types::Timestamp;
use eft_xmpp::xep::datetime;

/// What a part of the report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ReportArea {
    /// The connection.
    Connection,
    /// Passwords, tokens, mechanisms.
    Login,
    /// What the server can do.
    Server,
    /// OMEMO.
    Encryption,
    /// Pushes.
    Push,
    /// Sending, and the archive.
    Messages,
    /// The database.
    Database,
}

impl ReportArea {
    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Login => "login",
            Self::Server => "server",
            Self::Encryption => "encryption",
            Self::Push => "push",
            Self::Messages => "messages",
            Self::Database => "database",
        }
    }
}

/// Something that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub area: ReportArea,
    /// What it is, the same in every report.
    pub name: &'static str,
    /// How it is, for people.
    pub value: String,
}

impl ReportArea {
    pub(super) fn fact(self, name: &'static str, value: impl Value) -> Fact {
        Fact {
            area: self,
            name,
            value: value.shown(),
        }
    }
}

/// How a value is written.
pub(super) trait Value {
    fn shown(self) -> String;
}

impl Value for bool {
    fn shown(self) -> String {
        if self { "yes" } else { "no" }.to_owned()
    }
}

impl Value for u32 {
    fn shown(self) -> String {
        self.to_string()
    }
}

impl Value for u64 {
    fn shown(self) -> String {
        self.to_string()
    }
}

impl Value for &str {
    fn shown(self) -> String {
        self.to_owned()
    }
}

impl Value for String {
    fn shown(self) -> String {
        self
    }
}

impl Value for Timestamp {
    fn shown(self) -> String {
        datetime::format(self)
    }
}

impl<T: Value> Value for Option<T> {
    fn shown(self) -> String {
        self.map_or_else(|| "unknown".to_owned(), Value::shown)
    }
}
