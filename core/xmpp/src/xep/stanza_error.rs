//! RFC 6120 §8.3: stanza errors, with the XEP-0060 §12.20 conditions that stand beside them.

use core::fmt;

pub use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType};

use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// Why a peer or server refused a stanza.
#[derive(Clone, Debug, PartialEq)]
pub struct StanzaError {
    /// What the sender may do about it.
    pub kind: ErrorType,
    /// The defined condition; `undefined-condition` if it was missing or unknown.
    pub condition: Condition,
    /// Text for a human, if any.
    pub text: Option<String>,
    /// Who says so, where it is not the addressee.
    pub by: Option<String>,
    /// Conditions of an application, such as those of pubsub.
    pub application: Vec<Element>,
}

/// A defined condition (RFC 6120 §8.3.3) by its element name.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(pub DefinedCondition);

impl Condition {
    /// Element name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        use DefinedCondition as C;
        match self.0 {
            C::BadRequest => "bad-request",
            C::Conflict => "conflict",
            C::FeatureNotImplemented => "feature-not-implemented",
            C::Forbidden => "forbidden",
            C::Gone { .. } => "gone",
            C::InternalServerError => "internal-server-error",
            C::ItemNotFound => "item-not-found",
            C::JidMalformed => "jid-malformed",
            C::NotAcceptable => "not-acceptable",
            C::NotAllowed => "not-allowed",
            C::NotAuthorized => "not-authorized",
            C::PolicyViolation => "policy-violation",
            C::RecipientUnavailable => "recipient-unavailable",
            C::Redirect { .. } => "redirect",
            C::RegistrationRequired => "registration-required",
            C::RemoteServerNotFound => "remote-server-not-found",
            C::RemoteServerTimeout => "remote-server-timeout",
            C::ResourceConstraint => "resource-constraint",
            C::ServiceUnavailable => "service-unavailable",
            C::SubscriptionRequired => "subscription-required",
            C::UndefinedCondition => "undefined-condition",
            C::UnexpectedRequest => "unexpected-request",
        }
    }
}

impl fmt::Display for StanzaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.condition.name())
    }
}

impl std::error::Error for StanzaError {}

impl StanzaError {
    /// Reads the `<error/>` of a stanza of type `error`. Always gives something: a peer that cannot
    /// even write an error has still refused.
    #[must_use]
    pub fn parse(stanza: &Element) -> Self {
        let mut parsed = Self {
            kind: ErrorType::Cancel,
            condition: Condition(DefinedCondition::UndefinedCondition),
            text: None,
            by: None,
            application: Vec::new(),
        };
        let Some(error) = stanza.get_child("error", ns::CLIENT) else {
            return parsed;
        };
        parsed.kind = match error.attr("type") {
            Some("auth") => ErrorType::Auth,
            Some("continue") => ErrorType::Continue,
            Some("modify") => ErrorType::Modify,
            Some("wait") => ErrorType::Wait,
            _ => ErrorType::Cancel,
        };
        parsed.by = error.attr("by").map(str::to_owned);
        for child in error.children() {
            if !child.has_ns(ns::STANZA_ERRORS) {
                parsed.application.push(child.clone());
            } else if child.name() == "text" {
                let text = child.text();
                if parsed.text.is_none() && !text.is_empty() {
                    parsed.text = Some(text);
                }
            } else if let Ok(condition) = DefinedCondition::try_from(child.clone()) {
                parsed.condition = Condition(condition);
            }
        }
        parsed
    }

    /// The answer to a request that we refuse; `None` if `request` is no `get` or `set` with an id.
    #[must_use]
    pub fn answer(
        request: &Element,
        kind: ErrorType,
        condition: DefinedCondition,
    ) -> Option<Element> {
        if !request.is("iq", ns::CLIENT) || !matches!(request.attr("type"), Some("get" | "set")) {
            return None;
        }
        let id = request.attr("id")?;
        let kind = match kind {
            ErrorType::Auth => "auth",
            ErrorType::Cancel => "cancel",
            ErrorType::Continue => "continue",
            ErrorType::Modify => "modify",
            ErrorType::Wait => "wait",
        };
        let condition = element(Condition(condition).name(), ns::STANZA_ERRORS);
        Some(
            element("iq", ns::CLIENT)
                .with_attr("type", "error")
                .with_attr("id", id)
                .with_attr_if("to", request.attr("from"))
                .with_child(
                    element("error", ns::CLIENT)
                        .with_attr("type", kind)
                        .with_child(condition),
                ),
        )
    }

    /// `<item-not-found/>`.
    #[must_use]
    pub fn is_item_not_found(&self) -> bool {
        self.condition.0 == DefinedCondition::ItemNotFound
    }

    /// The entity does not know what was asked: `<service-unavailable/>` or `<feature-not-implemented/>`.
    #[must_use]
    pub fn is_not_implemented(&self) -> bool {
        matches!(
            self.condition.0,
            DefinedCondition::ServiceUnavailable | DefinedCondition::FeatureNotImplemented
        )
    }

    /// A condition of `pubsub#errors` stands beside the defined one. Servers differ in the defined
    /// one, so only this is looked at (XEP-0060 §7.1.5).
    #[must_use]
    pub fn has_pubsub_condition(&self, name: &str) -> bool {
        self.application
            .iter()
            .any(|child| child.is(name, ns::PUBSUB_ERRORS))
    }

    /// The node exists with a configuration other than the publish options asked for.
    #[must_use]
    pub fn is_precondition_not_met(&self) -> bool {
        self.has_pubsub_condition("precondition-not-met")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(inner: &str) -> StanzaError {
        let text = format!("<iq xmlns='jabber:client' type='error' id='1'>{inner}</iq>");
        StanzaError::parse(&text.parse().unwrap())
    }

    #[test]
    fn several_unknown_children_do_not_hide_the_condition() {
        let error = parse(
            "<error type='cancel' code='409' by='s.example'><x xmlns='a'/><y xmlns='b'/>\
             <conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
             <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>no</text>\
             <precondition-not-met xmlns='http://jabber.org/protocol/pubsub#errors'/></error>",
        );
        assert_eq!(error.condition.name(), "conflict");
        assert_eq!(error.text.as_deref(), Some("no"));
        assert_eq!(error.by.as_deref(), Some("s.example"));
        assert!(error.is_precondition_not_met());
        assert_eq!(error.application.len(), 3);
    }

    #[test]
    fn rubbish_is_still_a_refusal() {
        for inner in [
            "",
            "<error/>",
            "<error type='weird'><made-up xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
        ] {
            let error = parse(inner);
            assert_eq!(error.condition.name(), "undefined-condition");
            assert_eq!(error.kind, ErrorType::Cancel);
        }
    }

    #[test]
    fn every_condition_is_read_by_its_name() {
        for name in [
            "bad-request",
            "conflict",
            "feature-not-implemented",
            "forbidden",
            "gone",
            "internal-server-error",
            "item-not-found",
            "jid-malformed",
            "not-acceptable",
            "not-allowed",
            "not-authorized",
            "policy-violation",
            "recipient-unavailable",
            "redirect",
            "registration-required",
            "remote-server-not-found",
            "remote-server-timeout",
            "resource-constraint",
            "service-unavailable",
            "subscription-required",
            "undefined-condition",
            "unexpected-request",
        ] {
            let error = parse(&format!(
                "<error type='wait'><{name} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
            ));
            assert_eq!(error.condition.name(), name);
            assert_eq!(error.kind, ErrorType::Wait);
        }
    }

    #[test]
    fn a_refusal_goes_back_to_who_asked_and_only_for_requests() {
        let request: Element =
            "<iq xmlns='jabber:client' type='get' id='7' from='a@b/c'><x xmlns='n'/></iq>"
                .parse()
                .unwrap();
        let answer = StanzaError::answer(
            &request,
            ErrorType::Cancel,
            DefinedCondition::ServiceUnavailable,
        )
        .unwrap();
        assert_eq!(answer.attr("to"), Some("a@b/c"));
        assert_eq!(answer.attr("id"), Some("7"));
        assert_eq!(
            StanzaError::parse(&answer).condition.name(),
            "service-unavailable"
        );
        let result: Element = "<iq xmlns='jabber:client' type='result' id='7'/>"
            .parse()
            .unwrap();
        assert_eq!(
            StanzaError::answer(&result, ErrorType::Cancel, DefinedCondition::BadRequest),
            None
        );
    }
}
