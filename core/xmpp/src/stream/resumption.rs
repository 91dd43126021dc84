//! Taking a stream up again (XEP-0198 §5): what is asked, and what the server answers.

use eft_types::FullJid;

use crate::Element;
use crate::ns;
use crate::xml::{ElementExt, element};

/// A stream that may still live on the server. All of it can be read from disk by another process
/// than the one that had the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeRequest {
    /// `previd`: [`super::StreamResumption::id`] of then.
    pub id: String,
    /// `h`: what we have of the server's stanzas, durably.
    pub handled: u32,
    /// The address that was bound.
    pub full_jid: FullJid,
}

impl ResumeRequest {
    pub(super) fn to_element(&self) -> Element {
        element("resume", ns::SM)
            .with_attr("previd", &*self.id)
            .with_attr("h", self.handled.to_string())
    }
}

/// The server's answer.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Resumption {
    /// No stream was to be resumed, or the server cannot.
    #[default]
    NotAsked,
    /// The stream goes on: same address, same counters, no presence and no carbons to be sent
    /// again.
    Resumed {
        /// Stanzas of ours that the server has, modulo 2³². See
        /// [`super::OutboundQueue::resume_at`].
        h: u32,
    },
    /// The server gave the stream up; this is a new one.
    Refused {
        /// Stanzas of ours that it had by then, if it still knows. See
        /// [`super::OutboundQueue::give_up`].
        h: Option<u32>,
        /// Stanza error condition, `item-not-found` mostly.
        condition: String,
    },
}

impl Resumption {
    /// Reads `<resumed/>` to this request. `None` if it is no such answer.
    pub(super) fn resumed(answer: &Element, request: &ResumeRequest) -> Option<Self> {
        if !answer.is("resumed", ns::SM) || answer.attr("previd") != Some(&request.id) {
            return None;
        }
        let h = answer.attr("h")?.parse().ok()?;
        Some(Self::Resumed { h })
    }

    /// Reads `<failed/>`. `None` if it is something else.
    pub(super) fn refused(answer: &Element) -> Option<Self> {
        if !answer.is("failed", ns::SM) {
            return None;
        }
        Some(Self::Refused {
            h: answer.attr("h").and_then(|h| h.parse().ok()),
            condition: failed_condition(answer),
        })
    }
}

/// The condition stands directly in `<failed/>`, or one level below, in an `<error/>` of whatever
/// namespace, as Prosody writes it.
fn failed_condition(failed: &Element) -> String {
    failed
        .children()
        .chain(failed.children().flat_map(Element::children))
        .find(|child| child.has_ns(ns::STANZA_ERRORS) && child.name() != "text")
        .map_or("undefined-condition", Element::name)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> ResumeRequest {
        ResumeRequest {
            id: "some-id".to_owned(),
            handled: 7,
            full_jid: FullJid::new("user@b.example/phone").unwrap(),
        }
    }

    fn parse(text: &str) -> Element {
        text.parse().unwrap()
    }

    #[test]
    fn an_answer_about_another_stream_or_without_a_count_is_none() {
        let request = request();
        let resumed = |text: &str| Resumption::resumed(&parse(text), &request);
        assert_eq!(
            resumed("<resumed xmlns='urn:xmpp:sm:3' previd='some-id' h='4294967295'/>"),
            Some(Resumption::Resumed { h: u32::MAX })
        );
        for bad in [
            "<resumed xmlns='urn:xmpp:sm:3' previd='other' h='1'/>",
            "<resumed xmlns='urn:xmpp:sm:3' h='1'/>",
            "<resumed xmlns='urn:xmpp:sm:3' previd='some-id'/>",
            "<resumed xmlns='urn:xmpp:sm:3' previd='some-id' h='4294967296'/>",
            "<resumed xmlns='urn:xmpp:sm:3' previd='some-id' h='-1'/>",
            "<resumed xmlns='urn:xmpp:sm:2' previd='some-id' h='1'/>",
        ] {
            assert_eq!(resumed(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_refusal_keeps_the_count_and_the_condition_wherever_they_stand() {
        let refused = |text: &str| match Resumption::refused(&parse(text)) {
            Some(Resumption::Refused { h, condition }) => (h, condition),
            other => panic!("{other:?}"),
        };
        let gone = "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>";
        assert_eq!(
            refused(&format!(
                "<failed xmlns='urn:xmpp:sm:3' h='12'>{gone}</failed>"
            )),
            (Some(12), "item-not-found".to_owned())
        );
        assert_eq!(
            refused(&format!(
                "<failed xmlns='urn:xmpp:sm:3'><error type='cancel'>{gone}</error></failed>"
            )),
            (None, "item-not-found".to_owned())
        );
        assert_eq!(
            refused("<failed xmlns='urn:xmpp:sm:3' h='x'/>"),
            (None, "undefined-condition".to_owned())
        );
        assert_eq!(
            Resumption::refused(&parse("<resumed xmlns='urn:xmpp:sm:3'/>")),
            None
        );
    }
}
