//! Why push, OMEMO or login does not work.

/// What one can tell about an account without telling on its user: `Account.report`. No password, no token, no key, no content
/// of a message, no contact's address, and of the own one the first letters.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Report {
    /// When it was made, milliseconds since the epoch.
    pub at_ms: i64,
    /// The own address, shortened.
    pub account: String,
    /// What is wrong, in the order in which it is best mended.
    pub problems: Vec<ReportProblem>,
    /// Everything that is known, by area.
    pub facts: Vec<ReportFact>,
    /// All of it as a text, to be sent to whoever helps.
    pub text: String,
}

/// What a part of a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
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
    /// What a newer core may add.
    Other,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ReportProblem {
    /// What it is about.
    pub area: ReportArea,
    /// Stable name, the same in every language: for an app that says it in its own words.
    pub code: String,
    /// What is wrong and what helps, in English.
    pub text: String,
}

/// Something that is known.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ReportFact {
    /// What it is about.
    pub area: ReportArea,
    /// What it is, the same in every report.
    pub name: String,
    /// How it is, for people.
    pub value: String,
}

impl From<::eft::Report> for Report {
    fn from(report: ::eft::Report) -> Self {
        let problems = report.problems().into_iter().map(|problem| ReportProblem {
            area: problem.area().into(),
            code: problem.code().to_owned(),
            text: problem.to_string(),
        });
        let facts = report.facts().into_iter().map(|fact| ReportFact {
            area: fact.area.into(),
            name: fact.name.to_owned(),
            value: fact.value,
        });
        Self {
            at_ms: report.at.as_millis(),
            problems: problems.collect(),
            facts: facts.collect(),
            text: report.to_string(),
            account: report.account,
        }
    }
}

impl From<::eft::ReportArea> for ReportArea {
    fn from(area: ::eft::ReportArea) -> Self {
        match area {
            ::eft::ReportArea::Connection => Self::Connection,
            ::eft::ReportArea::Login => Self::Login,
            ::eft::ReportArea::Server => Self::Server,
            ::eft::ReportArea::Encryption => Self::Encryption,
            ::eft::ReportArea::Push => Self::Push,
            ::eft::ReportArea::Messages => Self::Messages,
            ::eft::ReportArea::Database => Self::Database,
            _ => Self::Other,
        }
    }
}
