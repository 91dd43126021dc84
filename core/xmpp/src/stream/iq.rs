//! Answers to requests (RFC 6120 §8.2.3), matched by id *and* by who may answer.

use std::collections::HashMap;

use eft_types::{FullJid, Jid, Timestamp};

use crate::limits::MAX_PENDING_IQS;
use crate::xep::stanza_error::StanzaError;
use crate::{Element, address, ns};

/// Requests that wait for their answer. `T` is whatever the caller needs to go on.
#[derive(Debug)]
pub struct IqTracker<T> {
    own: FullJid,
    pending: HashMap<String, Pending<T>>,
}

#[derive(Debug)]
struct Pending<T> {
    to: Option<Jid>,
    deadline: Timestamp,
    token: T,
}

/// An answer and the request's token.
#[derive(Debug)]
pub struct IqAnswer<T> {
    /// Given with the request.
    pub token: T,
    /// The whole `<iq type='result'/>`, or the error.
    pub result: Result<Element, StanzaError>,
}

/// Why a request is not tracked. The token comes back.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrackError<T> {
    /// The id is in use.
    #[error("a request with this id is pending")]
    DuplicateId(T),
    /// [`MAX_PENDING_IQS`] are waiting already.
    #[error("too many requests are pending")]
    Full(T),
}

impl<T> IqTracker<T> {
    /// For one session: answers are addressed by the bound address.
    #[must_use]
    pub fn new(own: FullJid) -> Self {
        Self {
            own,
            pending: HashMap::new(),
        }
    }

    /// Notes a request before it is sent. `to` as in the stanza; `None` is the own account.
    ///
    /// # Errors
    /// [`TrackError`] gives the token back.
    pub fn track(
        &mut self,
        id: &str,
        to: Option<Jid>,
        deadline: Timestamp,
        token: T,
    ) -> Result<(), TrackError<T>> {
        if self.pending.contains_key(id) {
            return Err(TrackError::DuplicateId(token));
        }
        if self.pending.len() >= MAX_PENDING_IQS {
            return Err(TrackError::Full(token));
        }
        self.pending.insert(
            id.to_owned(),
            Pending {
                to,
                deadline,
                token,
            },
        );
        Ok(())
    }

    /// Takes a stanza. `None` if it answers nothing that was asked, or comes from somebody who was
    /// not asked; such a stanza is to be ignored if it is an `<iq/>` of type `result` or `error`.
    pub fn handle(&mut self, stanza: &Element) -> Option<IqAnswer<T>> {
        if !stanza.is("iq", ns::CLIENT) {
            return None;
        }
        let is_error = match stanza.attr("type") {
            Some("result") => false,
            Some("error") => true,
            _ => return None,
        };
        let id = stanza.attr("id")?;
        let to = &self.pending.get(id)?.to;
        if !self.may_answer(to.as_ref(), stanza.attr("from")) {
            return None;
        }
        let Pending { token, .. } = self.pending.remove(id)?;
        let result = if is_error {
            Err(StanzaError::parse(stanza))
        } else {
            Ok(stanza.clone())
        };
        Some(IqAnswer { token, result })
    }

    /// Tokens of requests whose deadline is `now` or earlier. They are forgotten.
    pub fn expire(&mut self, now: Timestamp) -> Vec<T> {
        let ids: Vec<String> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.deadline <= now)
            .map(|(id, _)| id.clone())
            .collect();
        ids.iter()
            .filter_map(|id| self.pending.remove(id))
            .map(|pending| pending.token)
            .collect()
    }

    /// When [`Self::expire`] has something to do next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.pending.values().map(|pending| pending.deadline).min()
    }

    /// All tokens, at the end of the session.
    pub fn take_all(&mut self) -> Vec<T> {
        self.pending
            .drain()
            .map(|(_, pending)| pending.token)
            .collect()
    }

    /// RFC 6120 §8.1.2.1: what the server says for the account has no `from`, or the account's bare
    /// address. Older servers use the full one. All three can only come from our own server, which
    /// stamps everybody else's `from`.
    fn may_answer(&self, to: Option<&Jid>, from: Option<&str>) -> bool {
        let own_bare = self.own.to_bare();
        let asked_account = to.is_none_or(|to| *to == own_bare || *to == self.own);
        let Some(from) = from else {
            // Only our server can leave it out; it answers for the account and for itself.
            return asked_account || to.is_some_and(|to| to.as_str() == own_bare.domain().as_str());
        };
        let Ok(from) = address::jid(from) else {
            return false;
        };
        if asked_account {
            return from == own_bare || from == self.own;
        }
        to.is_some_and(|to| *to == from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracker() -> IqTracker<u32> {
        IqTracker::new(FullJid::new("me@b.example/phone").unwrap())
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn answer(id: &str, from: Option<&str>) -> Element {
        let from = from.map_or(String::new(), |from| format!(" from='{from}'"));
        format!("<iq xmlns='jabber:client' type='result' id='{id}'{from}/>")
            .parse()
            .unwrap()
    }

    fn accepted(to: Option<&str>, from: Option<&str>) -> bool {
        let mut tracker = tracker();
        let to = to.map(|to| Jid::new(to).unwrap());
        tracker.track("1", to, at(10), 7).unwrap();
        tracker.handle(&answer("1", from)).is_some()
    }

    #[test]
    fn only_the_entity_asked_may_answer() {
        for (to, from, expected) in [
            (None, None, true),
            (None, Some("me@b.example"), true),
            (None, Some("ME@B.example"), true),
            (None, Some("me@b.example/phone"), true),
            (None, Some("me@b.example/other"), false),
            (None, Some("b.example"), false),
            (None, Some("evil@b.example"), false),
            (None, Some("me@evil.example"), false),
            (Some("me@b.example"), None, true),
            (Some("me@b.example"), Some("me@b.example"), true),
            (Some("b.example"), Some("b.example"), true),
            (Some("b.example"), None, true),
            (Some("b.example"), Some("me@b.example"), false),
            (Some("friend@c.example"), Some("friend@c.example"), true),
            (Some("friend@c.example"), Some("friend@c.example/x"), false),
            (Some("friend@c.example"), Some("evil@c.example"), false),
            (Some("friend@c.example"), None, false),
            (Some("friend@c.example"), Some("not a jid@@"), false),
            (Some("friend@c.example/x"), Some("friend@c.example/x"), true),
            (Some("friend@c.example/x"), Some("friend@c.example"), false),
        ] {
            assert_eq!(accepted(to, from), expected, "to {to:?} from {from:?}");
        }
    }

    #[test]
    fn a_forged_answer_leaves_the_request_waiting() {
        let mut tracker = tracker();
        tracker.track("1", None, at(10), 7).unwrap();
        assert!(
            tracker
                .handle(&answer("1", Some("evil@c.example")))
                .is_none()
        );
        assert!(tracker.handle(&answer("2", None)).is_none());
        assert_eq!(tracker.handle(&answer("1", None)).unwrap().token, 7);
        assert!(
            tracker.handle(&answer("1", None)).is_none(),
            "answered once"
        );
    }

    #[test]
    fn an_error_answer_is_typed() {
        let mut tracker = tracker();
        tracker.track("1", None, at(10), 7).unwrap();
        let stanza: Element = "<iq xmlns='jabber:client' type='error' id='1'><error type='cancel'>\
            <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
            .parse()
            .unwrap();
        let error = tracker.handle(&stanza).unwrap().result.unwrap_err();
        assert!(error.is_item_not_found());
    }

    #[test]
    fn requests_and_pushes_are_not_answers() {
        let mut tracker = tracker();
        tracker.track("1", None, at(10), 7).unwrap();
        for kind in ["get", "set", "weird"] {
            let stanza: Element = format!("<iq xmlns='jabber:client' type='{kind}' id='1'/>")
                .parse()
                .unwrap();
            assert!(tracker.handle(&stanza).is_none());
        }
        assert!(
            tracker
                .handle(
                    &"<message xmlns='jabber:client' type='result' id='1'/>"
                        .parse()
                        .unwrap()
                )
                .is_none()
        );
    }

    #[test]
    fn requests_expire_in_time_and_ids_are_not_reused() {
        let mut tracker = tracker();
        tracker.track("1", None, at(10), 1).unwrap();
        tracker.track("2", None, at(20), 2).unwrap();
        assert_eq!(
            tracker.track("2", None, at(20), 3),
            Err(TrackError::DuplicateId(3))
        );
        assert_eq!(tracker.next_deadline(), Some(at(10)));
        assert_eq!(tracker.expire(at(9)), Vec::<u32>::new());
        assert_eq!(tracker.expire(at(10)), [1]);
        assert_eq!(tracker.next_deadline(), Some(at(20)));
        assert_eq!(tracker.take_all(), [2]);
        assert_eq!(tracker.next_deadline(), None);
    }

    #[test]
    fn a_flood_of_requests_is_refused() {
        let mut tracker = tracker();
        for id in 0..MAX_PENDING_IQS {
            tracker.track(&id.to_string(), None, at(1), 0).unwrap();
        }
        assert_eq!(
            tracker.track("more", None, at(1), 9),
            Err(TrackError::Full(9))
        );
    }
}
