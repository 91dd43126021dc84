//! The sorting of what the server sends: what it is, who may say it, and what is answered.

use eft_omemo::{DeviceList, Version};
use eft_types::{BareJid, Jid};
use eft_xmpp::Element;
use eft_xmpp::stream::StanzaSeq;
use eft_xmpp::xep::pubsub::{NodeChange, PubSubEvent};
use eft_xmpp::xep::stanza_error::{DefinedCondition, ErrorType, StanzaError};
use eft_xmpp::xep::{carbons, iq, mam, ping, roster, stanza_id};
use tokio::time::Instant;

use super::catch_up::CatchUp;
use super::inbound::{Inbound, Seen, Source};
use super::link::{Answer, Link};
use super::{Pump, lists, stanza};
use crate::error::Error;
use crate::translate::encrypted;
use crate::unit::Unit;

/// Live messages that wait for the end of catch-up, at most, if the archive has them too.
const HELD_MAX: usize = 500;

/// What is to be done with a stanza of the server.
pub(super) enum Sorted {
    /// Its effects are in the unit: acknowledge it after the commit.
    InUnit,
    /// It has no durable effect.
    Transient,
    /// It waits for the end of catch-up, unacknowledged.
    Held(Element),
    /// It belongs to an archive page that is not complete yet.
    InPage,
    /// The server is to keep it until it has pushed for it.
    Unacknowledged,
    /// The pump itself asked for it.
    Answer(Answer),
}

impl Pump {
    pub(super) fn sort(
        &mut self,
        unit: &mut Unit<'_>,
        seen: &mut Seen,
        seq: StanzaSeq,
        element: Element,
    ) -> Result<Sorted, Error> {
        match element.name() {
            "iq" => Ok(self.sort_iq(&element)),
            "message" => self.sort_message(unit, seen, seq, element),
            // Presence: who is online is not kept.
            _ => Ok(Sorted::Transient),
        }
    }

    fn sort_iq(&mut self, element: &Element) -> Sorted {
        let Some(link) = self.link.as_mut() else {
            return Sorted::Transient;
        };
        if let Some(answer) = link.take_answer(element) {
            match (&answer, &mut link.catch_up) {
                (Some(Answer::ArchivePage { query_id, .. }), CatchUp::Running(page))
                    if page.query.query_id == *query_id =>
                {
                    page.end();
                }
                (Some(Answer::OlderPage(_)), _) => link.older.end(),
                _ => {}
            }
            return answer.map_or(Sorted::Transient, Sorted::Answer);
        }
        match roster::parse_push(element, &self.own.jid) {
            Ok(Some(push)) => {
                // Before the whole list is known, its answer will have the change in it.
                if let Some(contacts) = link.contacts.as_mut() {
                    contacts.update(push.item);
                }
                if let Some(reply) = iq::result(element, None) {
                    link.send(reply, None);
                }
            }
            Ok(None) => {
                let may_know = may_know_of_us(link, &self.own.jid, element);
                if let Some(reply) = answer_request(element, may_know) {
                    link.send(reply, None);
                }
            }
            // RFC 6121 §2.1.6: only our own server pushes. Not answered, so that nobody learns
            // anything by trying.
            Err(error) => tracing::warn!(%error, "a roster push was ignored"),
        }
        Sorted::Transient
    }

    fn sort_message(
        &mut self,
        unit: &mut Unit<'_>,
        seen: &mut Seen,
        seq: StanzaSeq,
        element: Element,
    ) -> Result<Sorted, Error> {
        let element = match self.take_archived(seq, element) {
            Ok(()) => return Ok(Sorted::InPage),
            Err(element) => element,
        };
        // An archive result that we did not ask for, or from somebody else, is nothing.
        if mam::is_result(&element) {
            return Ok(Sorted::Transient);
        }
        if let Some(event) = PubSubEvent::parse(&element) {
            return self.take_pubsub_event(unit, &event);
        }
        match self.takes_push_test(&element) {
            (false, _) => {}
            (true, true) => return Ok(Sorted::Unacknowledged),
            (true, false) => return Ok(Sorted::Transient),
        }
        if self.link.as_ref().is_none_or(|link| !link.is_current) {
            return Ok(self.hold(element));
        }
        let (message, source) = match carbons::unwrap(&element, &self.own.jid) {
            Ok(Some(carbon)) => (carbon.message, Source::Carbon),
            Ok(None) => (element, Source::Live),
            // A forged copy: not from our own account.
            Err(error) => {
                tracing::warn!(%error, "a forged carbon was dropped");
                return Ok(Sorted::Transient);
            }
        };
        let Some(inbound) = Inbound::new(&self.own, &message, source) else {
            return Ok(Sorted::Transient);
        };
        let receiving = self.receiving();
        inbound.take(unit, seen, receiving, &mut self.rng)?;
        Ok(Sorted::InUnit)
    }

    /// A node of somebody's PEP service changed (XEP-0163). Only its owner's server can say so for
    /// this `from`, and the node's content concerns that owner alone.
    fn take_pubsub_event(
        &mut self,
        unit: &mut Unit<'_>,
        event: &PubSubEvent,
    ) -> Result<Sorted, Error> {
        let owner = match &event.from {
            Some(from) => from.to_bare(),
            None => self.own.jid.clone(),
        };
        for version in Version::ALL {
            if event.node != encrypted::devices_node(version) {
                continue;
            }
            let is_own = owner == self.own.jid;
            let Some(list) = event_list(version, &event.change, is_own) else {
                continue;
            };
            if !self.cares_about(unit, &owner)? {
                return Ok(Sorted::Transient);
            }
            lists::apply_list(unit, &owner, version, &list)?;
            let announced = self.announced(&owner, version);
            if let Some(link) = self.link.as_mut() {
                link.lists
                    .received(owner.clone(), version, announced, Instant::now());
            }
            return Ok(Sorted::InUnit);
        }
        Ok(Sorted::Transient)
    }

    /// A live message in the middle of a catch-up. It waits for the end, unless so many wait that
    /// memory is in question: then those that our archive holds as well are left to the archive,
    /// which is read once more behind its end.
    fn hold(&mut self, element: Element) -> Sorted {
        let own: Jid = self.own.jid.clone().into();
        if let Some(link) = self.link.as_mut()
            && link.held.len() >= HELD_MAX
            && stanza_id::stanza_id(&element, &own).is_some()
        {
            link.left_to_archive = true;
            return Sorted::Transient;
        }
        Sorted::Held(element)
    }

    /// Whether an account's devices concern us: it is ours, a contact, or somebody we talk with.
    /// Anybody may send us events about himself, and the store must not fill with strangers.
    fn cares_about(&self, unit: &Unit<'_>, jid: &BareJid) -> Result<bool, Error> {
        if *jid == self.own.jid || self.link.as_ref().is_some_and(|link| link.is_contact(jid)) {
            return Ok(true);
        }
        Ok(unit.store().conversation(jid)?.is_some())
    }
}

/// The list that an event carries. A node that was emptied or deleted is an empty list. So is our
/// own with something unreadable in it: the engine then puts this device back. Of others, what
/// cannot be read is passed over.
fn event_list(version: Version, change: &NodeChange, is_own: bool) -> Option<DeviceList> {
    match change {
        NodeChange::Items { published, .. } => {
            let payload = published.last()?.payload.as_ref()?;
            encrypted::device_list(version, payload).or_else(|| is_own.then(DeviceList::default))
        }
        NodeChange::Purged | NodeChange::Deleted => Some(DeviceList::default()),
        NodeChange::Other => None,
    }
}

/// Whether who asks may learn that this device is there: our own account and server, and whom we show our presence.
fn may_know_of_us(link: &Link, own: &BareJid, element: &Element) -> bool {
    let Some(from) = element.attr("from") else {
        return true;
    };
    let Ok(from) = from.parse::<Jid>() else {
        return false;
    };
    let bare = from.to_bare();
    bare == *own || bare.as_str() == own.domain().as_str() || link.shows_presence_to(&bare)
}

/// Answers to what others may ask of a client (RFC 6120 §8.2.3: every request is answered). Strangers get what a server
/// says for a device that is not there (RFC 6121 §8.5.3.2.3).
fn answer_request(element: &Element, may_know: bool) -> Option<Element> {
    if !matches!(element.attr("type"), Some("get" | "set")) {
        return None;
    }
    if !may_know {
        let refusal = DefinedCondition::ServiceUnavailable;
        return StanzaError::answer(element, ErrorType::Cancel, refusal);
    }
    if ping::is_ping(element) {
        iq::result(element, None)
    } else {
        stanza::disco_answer(element).or_else(|| {
            let refusal = DefinedCondition::ServiceUnavailable;
            StanzaError::answer(element, ErrorType::Cancel, refusal)
        })
    }
}

#[cfg(test)]
mod tests;
