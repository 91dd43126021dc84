//! What an import brings, as values.

use eft_types::{BareJid, StanzaId, Timestamp};

use super::NewMessage;

/// How far another device had read an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportedArchive {
    pub(crate) jid: BareJid,
    /// Places that it had given out.
    pub(crate) newest_place: i64,
    pub(crate) oldest_place: i64,
    /// The last message of the part without a hole.
    pub(crate) last: Option<StanzaIdAndTime>,
}

/// A message of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StanzaIdAndTime(pub(crate) StanzaId, pub(crate) Timestamp);

impl StanzaIdAndTime {
    /// As the archive's row has it.
    pub(crate) fn columns(&self) -> (Option<&str>, Option<i64>) {
        (Some(self.0.as_str()), Some(self.1.as_millis()))
    }
}

/// A message that another device had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportedMessage {
    /// All but its place, which is `Provisional` here.
    pub(crate) message: NewMessage,
    /// Its place there.
    pub(crate) place: i64,
    /// Failures that it stands for.
    pub(crate) folded_count: u32,
}
