//! The database.

use eft_store::SCHEMA_VERSION;

use super::fact::{Fact, ReportArea};

/// The database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseReport {
    /// [`crate::Error::code`] of what keeps it from being read; `None` if it can be.
    pub fault: Option<&'static str>,
    /// Its schema.
    pub schema: u32,
    /// Its size in bytes, without what is still in its log.
    pub size_bytes: Option<u64>,
    /// How often it changed hands between processes.
    pub generation: Option<u64>,
    /// Whether this process may write and connect, now. It takes that right when it first needs it.
    pub is_held_here: bool,
}

impl DatabaseReport {
    /// Of one that is closed, or worse.
    pub(crate) const fn unreadable(fault: &'static str, is_held_here: bool) -> Self {
        Self {
            fault: Some(fault),
            schema: SCHEMA_VERSION,
            size_bytes: None,
            generation: None,
            is_held_here,
        }
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let area = ReportArea::Database;
        vec![
            area.fact("can be read", self.fault.is_none()),
            area.fact("schema", self.schema),
            area.fact("size in bytes", self.size_bytes),
            area.fact("generation", self.generation),
            area.fact("held by this process", self.is_held_here),
        ]
    }
}
