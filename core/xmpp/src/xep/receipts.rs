//! XEP-0184: delivery receipts.

use super::message::{MessageHead, MessageKind};
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// Asks for a receipt. The message needs an id; not in rooms, and not in a receipt.
#[must_use]
pub fn request() -> Element {
    element("request", ns::RECEIPTS)
}

/// Says that the message with this id arrived.
#[must_use]
pub fn received(id: &str) -> Element {
    element("received", ns::RECEIPTS).with_attr("id", id)
}

/// The id to confirm, if a message asks for it and may be answered (§5.3: not in rooms, not for an
/// error, not for another receipt). `children` are those of the decrypted content where there is
/// one.
#[must_use]
pub fn requested<'a>(
    head: &MessageHead,
    children: impl IntoIterator<Item = &'a Element>,
) -> Option<String> {
    if matches!(head.kind, MessageKind::Groupchat | MessageKind::Error) {
        return None;
    }
    let (mut is_asked, mut is_receipt) = (false, false);
    for child in children {
        is_asked |= child.is("request", ns::RECEIPTS);
        is_receipt |= child.is("received", ns::RECEIPTS);
    }
    head.id.clone().filter(|_| is_asked && !is_receipt)
}

/// The id that a receipt confirms. Counts only from the account to which that message went.
#[must_use]
pub fn confirmed<'a>(children: impl IntoIterator<Item = &'a Element>) -> Option<String> {
    children
        .into_iter()
        .find(|child| child.is("received", ns::RECEIPTS))?
        .attr("id")
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested_in(kind: MessageKind, id: Option<&str>, children: &[Element]) -> Option<String> {
        let head = MessageHead {
            from: None,
            to: None,
            id: id.map(str::to_owned),
            kind,
        };
        requested(&head, children)
    }

    #[test]
    fn a_request_is_answered_where_it_may_be() {
        assert_eq!(
            requested_in(MessageKind::Chat, Some("1"), &[request()]).as_deref(),
            Some("1")
        );
        assert_eq!(requested_in(MessageKind::Chat, Some("1"), &[]), None);
        assert_eq!(requested_in(MessageKind::Chat, None, &[request()]), None);
        assert_eq!(
            requested_in(MessageKind::Groupchat, Some("1"), &[request()]),
            None
        );
        assert_eq!(
            requested_in(MessageKind::Error, Some("1"), &[request()]),
            None
        );
        assert_eq!(
            requested_in(MessageKind::Chat, Some("1"), &[request(), received("0")]),
            None
        );
    }

    #[test]
    fn a_receipt_names_its_message() {
        assert_eq!(confirmed(&[received("1")]).as_deref(), Some("1"));
        assert_eq!(confirmed(&[received("")]), None);
        assert_eq!(confirmed(&[request()]), None);
    }
}
