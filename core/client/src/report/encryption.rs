//! How OMEMO stands on this device.

use super::fact::{Fact, ReportArea};
use crate::message::Encryption;

/// How OMEMO stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionReport {
    /// Each version.
    pub versions: Vec<VersionReport>,
    /// What the engine wants done and is not done yet: bundles to publish or to fetch, empty messages, lists.
    pub due_action_count: u32,
}

/// How a version stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionReport {
    /// Which.
    pub version: Encryption,
    /// Prekeys that others can still begin a session with.
    pub pre_key_count: u32,
    /// Devices that there is a session with.
    pub session_count: u32,
    /// Whether this device is on the account's list, as it was last heard of.
    pub is_listed: bool,
}

impl EncryptionReport {
    pub(super) fn facts(&self) -> Vec<Fact> {
        let area = ReportArea::Encryption;
        let mut facts = Vec::new();
        for version in &self.versions {
            let [prekeys, sessions, listed] = match version.version {
                Encryption::OmemoLegacy => [
                    "prekeys left, omemo:legacy",
                    "sessions, omemo:legacy",
                    "on the own list as last heard, omemo:legacy",
                ],
                _ => [
                    "prekeys left, omemo:2",
                    "sessions, omemo:2",
                    "on the own list as last heard, omemo:2",
                ],
            };
            facts.extend([
                area.fact(prekeys, version.pre_key_count),
                area.fact(sessions, version.session_count),
                area.fact(listed, version.is_listed),
            ]);
        }
        facts.push(area.fact("actions due", self.due_action_count));
        facts
    }
}
