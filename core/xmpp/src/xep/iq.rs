//! RFC 6120 §8.2.3: requests and their answers.

use eft_types::Jid;

use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// `<iq type='get'/>`. `to` is `None` for the own account.
#[must_use]
pub fn get(id: &str, to: Option<&Jid>, payload: Element) -> Element {
    request("get", id, to, payload)
}

/// `<iq type='set'/>`. `to` is `None` for the own account.
#[must_use]
pub fn set(id: &str, to: Option<&Jid>, payload: Element) -> Element {
    request("set", id, to, payload)
}

fn request(kind: &str, id: &str, to: Option<&Jid>, payload: Element) -> Element {
    element("iq", ns::CLIENT)
        .with_attr("type", kind)
        .with_attr("id", id)
        .with_attr_if("to", to.map(Jid::as_str))
        .with_child(payload)
}

/// The answer to a request; `None` if `request` is no `get` or `set` with an id.
#[must_use]
pub fn result(request: &Element, payload: Option<Element>) -> Option<Element> {
    let Request { id, .. } = Request::parse(request)?;
    Some(
        element("iq", ns::CLIENT)
            .with_attr("type", "result")
            .with_attr("id", id)
            .with_attr_if("to", request.attr("from"))
            .with_child_if(payload),
    )
}

/// A request that somebody sent us. It must be answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request<'a> {
    /// Id for the answer.
    pub id: &'a str,
    /// `set` rather than `get`.
    pub is_set: bool,
    /// The one child, if there is one.
    pub payload: Option<&'a Element>,
}

impl<'a> Request<'a> {
    /// `None` unless `stanza` is an `<iq/>` of type `get` or `set` with an id.
    #[must_use]
    pub fn parse(stanza: &'a Element) -> Option<Self> {
        if !stanza.is("iq", ns::CLIENT) {
            return None;
        }
        let is_set = match stanza.attr("type") {
            Some("set") => true,
            Some("get") => false,
            _ => return None,
        };
        Some(Self {
            id: stanza.attr("id")?,
            is_set,
            payload: stanza.children().next(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::encode_stanza;

    #[test]
    fn requests_and_answers() {
        let to = Jid::new("a@b.example/c").unwrap();
        let request = get("1", Some(&to), element("ping", ns::PING));
        assert_eq!(
            encode_stanza(&request).unwrap(),
            "<iq id='1' to='a@b.example/c' type='get'><ping xmlns='urn:xmpp:ping'/></iq>"
        );
        let parsed = Request::parse(&request).unwrap();
        assert!(
            !parsed.is_set
                && parsed
                    .payload
                    .is_some_and(|payload| payload.is("ping", ns::PING))
        );

        let incoming = request.with_attr("from", "x@y.example");
        let answer = result(&incoming, None).unwrap();
        assert_eq!(
            encode_stanza(&answer).unwrap(),
            "<iq id='1' to='x@y.example' type='result'/>"
        );
        assert_eq!(result(&answer, None), None, "an answer is not answered");
        assert!(
            Request::parse(&set("2", None, element("x", "n")))
                .unwrap()
                .is_set
        );
    }
}
