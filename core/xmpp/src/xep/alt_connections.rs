//! XEP-0156: Discovering Alternative XMPP Connection Methods. Only the WebSocket of RFC 7395 is looked for.

use crate::limits::{MAX_WEBSOCKETS, XmlLimits};
use crate::ns;
use crate::xml::parse_document;

const WEBSOCKET: &str = "urn:xmpp:alt-connections:websocket";

/// Addresses in a `host-meta.json` (RFC 6415, appendix A), as they stand there; at most [`MAX_WEBSOCKETS`]. Empty if
/// there is none, and if it is no JSON.
#[must_use]
pub fn websockets_in_json(bytes: &[u8]) -> Vec<String> {
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(bytes) else {
        return Vec::new();
    };
    let links = document.get("links").and_then(serde_json::Value::as_array);
    links
        .into_iter()
        .flatten()
        .filter(|link| link.get("rel").and_then(|rel| rel.as_str()) == Some(WEBSOCKET))
        .filter_map(|link| link.get("href")?.as_str().map(str::to_owned))
        .take(MAX_WEBSOCKETS)
        .collect()
}

/// The same of a `host-meta` (RFC 6415 §3), under the restrictions that XMPP has for XML: no comments, no DTD.
#[must_use]
pub fn websockets_in_xml(bytes: &[u8]) -> Vec<String> {
    let Ok(document) = parse_document(bytes, XmlLimits::LOGIN) else {
        return Vec::new();
    };
    if !document.is("XRD", ns::XRD) {
        return Vec::new();
    }
    document
        .children()
        .filter(|link| link.is("Link", ns::XRD) && link.attr("rel") == Some(WEBSOCKET))
        .filter_map(|link| link.attr("href").map(str::to_owned))
        .take(MAX_WEBSOCKETS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_websockets_are_found_in_either_form() {
        let json = br#"{"links": [
            {"rel": "urn:xmpp:alt-connections:xbosh", "href": "https://b.example/bosh"},
            {"rel": "urn:xmpp:alt-connections:websocket"},
            {"rel": "urn:xmpp:alt-connections:websocket", "href": 7},
            "x", {"rel": "urn:xmpp:alt-connections:websocket", "href": "wss://b.example/ws"}]}"#;
        let xml = b"<?xml version='1.0' encoding='utf-8'?>
            <XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>
            <Link rel='urn:xmpp:alt-connections:xbosh' href='https://b.example/bosh'/>
            <Link rel='urn:xmpp:alt-connections:websocket'/>
            <Link xmlns='other' rel='urn:xmpp:alt-connections:websocket' href='wss://c.example/ws'/>
            <Link rel='urn:xmpp:alt-connections:websocket' href='wss://b.example/ws'/></XRD>\n";
        assert_eq!(websockets_in_json(json), ["wss://b.example/ws"]);
        assert_eq!(websockets_in_xml(xml), ["wss://b.example/ws"]);
    }

    #[test]
    fn rubbish_and_floods_are_bounded() {
        for text in [
            "",
            "{}",
            "[]",
            "{\"links\": 7}",
            "<XRD/>",
            "<html>",
            "<!DOCTYPE a><a/>",
        ] {
            assert!(websockets_in_json(text.as_bytes()).is_empty(), "{text}");
            assert!(websockets_in_xml(text.as_bytes()).is_empty(), "{text}");
        }
        let link = r#"{"rel": "urn:xmpp:alt-connections:websocket", "href": "wss://b.example/"},"#;
        let many = format!("{{\"links\": [{}7]}}", link.repeat(100));
        assert_eq!(websockets_in_json(many.as_bytes()).len(), MAX_WEBSOCKETS);
        let deep = "[".repeat(1_000_000);
        assert!(websockets_in_json(deep.as_bytes()).is_empty());
    }
}
