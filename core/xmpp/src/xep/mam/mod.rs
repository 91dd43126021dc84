//! XEP-0313: the archive of messages.

use eft_types::{BareJid, Jid, StanzaId, Timestamp};

use super::data_forms::DataForm;
use super::forward::Forwarded;
use super::rsm::{self, Page, ResultSet};
use super::text::{is_from_account, is_true, jid_attr};
use super::{datetime, iq};
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// Which archive is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Archive {
    /// That of our own account.
    Own,
    /// That of a room.
    Room(BareJid),
}

impl Archive {
    /// Addressee of requests; `None` is the own account.
    #[must_use]
    pub fn to(&self) -> Option<Jid> {
        match self {
            Self::Own => None,
            Self::Room(room) => Some(room.clone().into()),
        }
    }

    /// Whether a stanza speaks for the archive. Anything else that looks like a result is a
    /// forgery.
    fn is_author(&self, stanza: &Element, own: &BareJid) -> bool {
        match self {
            Self::Own => is_from_account(stanza, own),
            Self::Room(room) => jid_attr(stanza, "from") == Ok(Some(room.clone().into())),
        }
    }
}

/// A page of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which.
    pub archive: Archive,
    /// Names this query; results carry it. Fresh for each query, and hard to guess.
    pub query_id: String,
    /// Only messages with this party.
    pub with: Option<Jid>,
    /// Only messages at or after this time.
    pub start: Option<Timestamp>,
    /// Only messages at or before this time.
    pub end: Option<Timestamp>,
    /// Most messages of this page. The server may give fewer.
    pub max: u32,
    /// Where the page lies.
    pub page: Page,
}

impl Query {
    /// Everything after a known message, oldest first; from the beginning without one.
    #[must_use]
    pub fn forward(archive: Archive, query_id: String, after: Option<&StanzaId>, max: u32) -> Self {
        Self {
            archive,
            query_id,
            with: None,
            start: None,
            end: None,
            max,
            page: after.map_or(Page::First, |id| Page::After(id.as_str().to_owned())),
        }
    }

    /// The newest messages, or those before a known one. Within the page, oldest come first.
    #[must_use]
    pub fn backward(
        archive: Archive,
        query_id: String,
        before: Option<&StanzaId>,
        max: u32,
    ) -> Self {
        Self {
            page: before.map_or(Page::Last, |id| Page::Before(id.as_str().to_owned())),
            ..Self::forward(archive, query_id, None, max)
        }
    }

    /// The whole `<iq/>`.
    #[must_use]
    pub fn to_iq(&self, id: &str) -> Element {
        let mut form = DataForm::submit(ns::MAM);
        if let Some(with) = &self.with {
            form.set("with", with.as_str());
        }
        if let Some(start) = self.start {
            form.set("start", datetime::format(start));
        }
        if let Some(end) = self.end {
            form.set("end", datetime::format(end));
        }
        let is_filtered = self.with.is_some() || self.start.is_some() || self.end.is_some();
        let query = element("query", ns::MAM)
            .with_attr("queryid", self.query_id.as_str())
            .with_child_if(is_filtered.then(|| form.to_element()))
            .with_child(rsm::request(self.max, &self.page));
        iq::set(id, self.archive.to().as_ref(), query)
    }

    /// Unwraps a result of this query. `Ok(None)` if the stanza is no result at all.
    ///
    /// # Errors
    /// [`ResultError`]: ignore the stanza as a whole.
    pub fn unwrap(
        &self,
        stanza: &Element,
        own: &BareJid,
    ) -> Result<Option<ArchivedMessage>, ResultError> {
        let Some((result, stamp)) = self.find(stanza, own)? else {
            return Ok(None);
        };
        let Forwarded { message, .. } = Forwarded::find(result).ok_or(ResultError::Malformed)?;
        let id = result.attr("id").map(StanzaId::new);
        Ok(Some(ArchivedMessage {
            id: id.ok_or(ResultError::Malformed)?,
            stamp,
            message,
        }))
    }

    /// The same, without a copy of the message: an archive is long.
    ///
    /// # Errors
    /// What is no result of this query comes back as it was.
    pub fn take(
        &self,
        mut stanza: Element,
        own: &BareJid,
    ) -> Result<ArchivedMessage, Box<Element>> {
        let found = match self.find(&stanza, own) {
            Ok(Some((result, stamp))) => result.attr("id").map(|id| (StanzaId::new(id), stamp)),
            Ok(None) | Err(_) => None,
        };
        let Some((id, stamp)) = found else {
            return Err(Box::new(stanza));
        };
        let message = stanza
            .get_child_mut("result", ns::MAM)
            .and_then(|result| result.get_child_mut("forwarded", ns::FORWARD))
            .and_then(|forwarded| forwarded.remove_child("message", ns::CLIENT));
        match message {
            Some(message) => Ok(ArchivedMessage { id, stamp, message }),
            None => Err(Box::new(stanza)),
        }
    }

    /// The `<result/>` in a stanza, and its time, if both and the message are in order. `Ok(None)` if the stanza is
    /// no result at all.
    fn find<'s>(
        &self,
        stanza: &'s Element,
        own: &BareJid,
    ) -> Result<Option<(&'s Element, Timestamp)>, ResultError> {
        let Some(result) = stanza.get_child("result", ns::MAM) else {
            return Ok(None);
        };
        if !stanza.is("message", ns::CLIENT) || !self.archive.is_author(stanza, own) {
            return Err(ResultError::Forged);
        }
        if result.attr("queryid") != Some(self.query_id.as_str()) {
            return Err(ResultError::OtherQuery);
        }
        if result.attr("id").is_none_or(str::is_empty) {
            return Err(ResultError::Malformed);
        }
        let (_, delay) = Forwarded::look(result).ok_or(ResultError::Malformed)?;
        let stamp = delay.ok_or(ResultError::Malformed)?.stamp;
        Ok(Some((result, stamp)))
    }
}

/// Whether a stanza is an archive result, whoever wrote it. One that belongs to no running query is
/// to be ignored.
#[must_use]
pub fn is_result(stanza: &Element) -> bool {
    stanza.has_child("result", ns::MAM)
}

/// A message from an archive.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchivedMessage {
    /// Its id in this archive.
    pub id: StanzaId,
    /// When the archive received it.
    pub stamp: Timestamp,
    /// The message. Stanza ids inside it are not checked yet.
    pub message: Element,
}

/// Why something that looks like a result is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResultError {
    /// It does not come from the archive.
    #[error("archive result from somebody else")]
    Forged,
    /// It belongs to another query, or to none.
    #[error("archive result of another query")]
    OtherQuery,
    /// No id, no time, or no message.
    #[error("malformed archive result")]
    Malformed,
}

/// The end of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fin {
    /// Nothing lies beyond this page, in the direction of paging.
    pub is_complete: bool,
    /// Ids and order will not change later. `false` only if the server says so.
    pub is_stable: bool,
    /// First and last id of the page.
    pub set: ResultSet,
}

impl Fin {
    /// Reads the `<iq type='result'/>` that answers a query; `None` without `<fin/>`.
    #[must_use]
    pub fn parse(result: &Element) -> Option<Self> {
        let fin = result.get_child("fin", ns::MAM)?;
        Some(Self {
            is_complete: is_true(fin.attr("complete")),
            is_stable: fin
                .attr("stable")
                .is_none_or(|stable| is_true(Some(stable))),
            set: ResultSet::find(fin),
        })
    }
}

/// Payload of the `get` for [`Metadata`]; needs the feature [`ns::MAM_EXTENDED`].
#[must_use]
pub fn metadata_request() -> Element {
    element("metadata", ns::MAM)
}

/// Both ends of an archive (§4.2). `None`: it is empty.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Oldest message.
    pub start: Option<(StanzaId, Timestamp)>,
    /// Newest message.
    pub end: Option<(StanzaId, Timestamp)>,
}

impl Metadata {
    /// Reads the answer, or the `<metadata/>` inside a XEP-0386 `<bound/>`. `None` without one.
    #[must_use]
    pub fn find(parent: &Element) -> Option<Self> {
        let metadata = parent.get_child("metadata", ns::MAM)?;
        let tip = |name: &str| {
            let tip = metadata.get_child(name, ns::MAM)?;
            let id = tip.attr("id").filter(|id| !id.is_empty())?;
            Some((StanzaId::new(id), datetime::parse(tip.attr("timestamp")?)?))
        };
        Some(Self {
            start: tip("start"),
            end: tip("end"),
        })
    }
}

#[cfg(test)]
mod tests;
