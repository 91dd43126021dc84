//! The contact list, as the server keeps it (RFC 6121 §2).

use eft_types::BareJid;
use eft_xmpp::xep::roster::{RosterItem, Subscription};

/// A contact of the account. Kept by the server; Eft has it while connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The contact's address.
    pub jid: BareJid,
    /// The name that the user gave it.
    pub name: Option<String>,
    /// The groups that the user put it into.
    pub groups: Vec<String>,
    /// Whether the contact sees when we are online.
    pub sees_us: bool,
    /// Whether we see when the contact is online. If both see each other, we hear at once of its new
    /// devices.
    pub seen_by_us: bool,
}

impl From<RosterItem> for Contact {
    fn from(item: RosterItem) -> Self {
        Self {
            sees_us: item.subscription.shows_ours(),
            seen_by_us: item.subscription.shows_theirs(),
            jid: item.jid,
            name: item.name,
            groups: item.groups,
        }
    }
}

/// The contacts of a connected account, in the order of their addresses.
#[derive(Debug, Default)]
pub(crate) struct Contacts(std::collections::BTreeMap<BareJid, Contact>);

impl Contacts {
    /// The whole list, as the server answered.
    pub(crate) fn new(items: Vec<RosterItem>) -> Self {
        let mut contacts = Self::default();
        for item in items {
            contacts.update(item);
        }
        contacts
    }

    /// One change, as the server pushed it.
    pub(crate) fn update(&mut self, item: RosterItem) {
        if item.subscription == Subscription::Remove {
            self.0.remove(&item.jid);
        } else {
            self.0.insert(item.jid.clone(), item.into());
        }
    }

    pub(crate) fn contains(&self, jid: &BareJid) -> bool {
        self.0.contains_key(jid)
    }

    /// Whether a contact sees when we are online.
    pub(crate) fn sees_us(&self, jid: &BareJid) -> bool {
        self.0.get(jid).is_some_and(|contact| contact.sees_us)
    }

    /// Whether both see each other's presence: then PEP tells us of the contact's changes.
    pub(crate) fn is_mutual(&self, jid: &BareJid) -> bool {
        self.0
            .get(jid)
            .is_some_and(|contact| contact.sees_us && contact.seen_by_us)
    }

    pub(crate) fn to_vec(&self) -> Vec<Contact> {
        self.0.values().cloned().collect()
    }
}
