//! What the server can do, and what it publishes for us.

use eft_types::Timestamp;

use super::fact::{Fact, ReportArea};
use crate::message::Encryption;

/// What the account's server said. `None` wherever it did not answer, or was not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerReport {
    /// When it was asked.
    pub at: Timestamp,
    /// Its software (XEP-0092), or what it calls itself (XEP-0030). Its own word.
    pub software: Option<String>,
    /// It keeps an archive (XEP-0313).
    pub has_archive: Option<bool>,
    /// It pushes (XEP-0357).
    pub has_push: Option<bool>,
    /// It publishes for the account (XEP-0163).
    pub has_personal_eventing: Option<bool>,
    /// Who may read can be said while publishing (XEP-0060): everybody has to, or nobody can write to this device.
    pub has_publish_options: Option<bool>,
    /// It copies to our other devices (XEP-0280).
    pub has_carbons: Option<bool>,
    /// It says that it knows `urn:xmpp:omemo:2`: that it takes such messages for messages when it pushes.
    pub knows_omemo2: Option<bool>,
    /// What it publishes for this account, by OMEMO version.
    pub published: Vec<PublishedReport>,
}

/// What others find of this device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedReport {
    /// Of which version.
    pub version: Encryption,
    /// The account's device list.
    pub list: DeviceListing,
    /// Whether this device's bundle is there; `None` if the server did not say.
    pub has_bundle: Option<bool>,
}

/// Whether this device is on the account's own list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceListing {
    /// It is.
    Listed,
    /// There is a list, and this device is not on it.
    NotListed,
    /// There is no list.
    Absent,
    /// The server did not say.
    Unknown,
}

impl DeviceListing {
    const fn name(self) -> &'static str {
        match self {
            Self::Listed => "this device is listed",
            Self::NotListed => "this device is NOT listed",
            Self::Absent => "there is no list",
            Self::Unknown => "unknown",
        }
    }
}

impl ServerReport {
    /// Of a server that was not asked yet.
    pub(crate) const fn new(at: Timestamp) -> Self {
        Self {
            at,
            software: None,
            has_archive: None,
            has_push: None,
            has_personal_eventing: None,
            has_publish_options: None,
            has_carbons: None,
            knows_omemo2: None,
            published: Vec::new(),
        }
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let area = ReportArea::Server;
        let mut facts = vec![
            area.fact("asked at", self.at),
            area.fact("software, by its own word", self.software.clone()),
            area.fact("archive", self.has_archive),
            area.fact("push", self.has_push),
            area.fact("personal eventing", self.has_personal_eventing),
            area.fact("publish options", self.has_publish_options),
            area.fact("carbons", self.has_carbons),
            area.fact("says that it knows omemo:2", self.knows_omemo2),
        ];
        for published in &self.published {
            let [list, bundle] = match published.version {
                Encryption::OmemoLegacy => ["device list, omemo:legacy", "bundle, omemo:legacy"],
                _ => ["device list, omemo:2", "bundle, omemo:2"],
            };
            facts.push(area.fact(list, published.list.name()));
            facts.push(area.fact(bundle, published.has_bundle));
        }
        facts
    }
}
