//! The message that brings a push about.

use eft_types::{BareJid, FullJid};
use eft_xmpp::xep::carbons;
use eft_xmpp::xep::hints::Hint;
use eft_xmpp::xep::message::{self, MessageKind};
use eft_xmpp::{Element, address};

/// What tells this message from all others; our account alone can send it to us.
const NS: &str = "eft:push-test:0";

/// For whoever sees it all the same. A server pushes for a text, whichever kinds of encryption it knows.
const BODY: &str = "Eft makes its server send a push. There is nothing to read here.";

/// The message. It goes to this very device, is kept by nobody, and copied to nobody.
pub(super) fn request(to: &FullJid, id: &str) -> Element {
    let to = to.clone().into();
    let children = vec![
        message::body(BODY),
        Element::bare("push-test", NS),
        Hint::NoStore.to_element(),
        Hint::NoCopy.to_element(),
        carbons::private(),
    ];
    message::build(&to, MessageKind::Chat, id, children)
}

/// Whether our own account has sent this.
pub(super) fn is_request(element: &Element, own: &BareJid) -> bool {
    let from = element.attr("from").map(address::jid);
    element.has_child("push-test", NS)
        && from.is_some_and(|from| from.is_ok_and(|from| from.to_bare() == *own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_account_asks_for_a_push() {
        let own = "me@b.example".parse().unwrap();
        let message = request(&"me@b.example/phone".parse().unwrap(), "1");
        assert!(!is_request(&message, &own));
        for (from, is) in [
            ("me@b.example/phone", true),
            ("me@b.example", true),
            ("mallory@b.example/me@b.example", false),
            ("b.example", false),
            ("@", false),
        ] {
            let text = String::from(&message).replacen(
                "<message ",
                &format!("<message from='{from}' "),
                1,
            );
            assert_eq!(is_request(&text.parse().unwrap(), &own), is, "{from}");
        }
        assert!(Hint::NoStore.is_in(&message) && Hint::NoCopy.is_in(&message));
    }
}
