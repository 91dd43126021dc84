//! XEP-0199: ping.

use crate::xml::element;
use crate::{Element, ns};

/// Payload of the `get`.
#[must_use]
pub fn ping() -> Element {
    element("ping", ns::PING)
}

/// Whether a stanza is a ping. The answer is an empty result: [`super::iq::result`].
#[must_use]
pub fn is_ping(stanza: &Element) -> bool {
    super::iq::Request::parse(stanza).is_some_and(|request| {
        !request.is_set
            && request
                .payload
                .is_some_and(|payload| payload.is("ping", ns::PING))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xep::iq;

    #[test]
    fn a_ping_is_recognised_and_answered_empty() {
        let stanza = iq::get("1", None, ping());
        assert!(is_ping(&stanza));
        assert!(!is_ping(&iq::set("1", None, ping())));
        assert!(!is_ping(&iq::get("1", None, element("ping", "other"))));
        assert_eq!(iq::result(&stanza, None).unwrap().children().count(), 0);
    }
}
