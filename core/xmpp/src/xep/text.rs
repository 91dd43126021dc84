//! Values inside elements that many files read: base64, addresses, booleans.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use eft_types::{BareJid, Jid};

use crate::Element;
use crate::address::{self, NotAnAddress};

/// Deployed clients wrap lines, leave padding out, and leave bits behind the end.
const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(super) fn encode_base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// `None` for anything that is no base64, or for nothing.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let is_space = |byte: &u8| byte.is_ascii_whitespace();
    let decoded = match text.as_bytes().iter().any(is_space) {
        false => TOLERANT.decode(text),
        true => {
            let bytes: Vec<u8> = text.bytes().filter(|byte| !is_space(byte)).collect();
            TOLERANT.decode(bytes)
        }
    };
    decoded.ok().filter(|decoded| !decoded.is_empty())
}

/// The text in an element, copied only if it stands in pieces.
pub(super) fn text_of(element: &Element) -> Cow<'_, str> {
    let mut texts = element.texts();
    match (texts.next(), texts.next()) {
        (None, _) => Cow::Borrowed(""),
        (Some(text), None) => Cow::Borrowed(text),
        (Some(_), Some(_)) => Cow::Owned(element.text()),
    }
}

/// An attribute that holds an address. `Ok(None)` if it is missing, `Err` if it is no address.
pub(super) fn jid_attr(element: &Element, name: &str) -> Result<Option<Jid>, NotAnAddress> {
    element.attr(name).map(address::jid).transpose()
}

/// A stanza speaks for our account: no `from`, or our bare address (RFC 6120 §8.1.2.1). The full
/// address does not count: another of our clients may be compromised or just wrong.
pub(super) fn is_from_account(stanza: &Element, own: &BareJid) -> bool {
    match jid_attr(stanza, "from") {
        Ok(None) => true,
        Ok(Some(from)) => from == *own,
        Err(NotAnAddress) => false,
    }
}

/// `true` and `1` (XML Schema).
pub(super) fn is_true(value: Option<&str>) -> bool {
    matches!(value.map(str::trim), Some("true" | "1"))
}

/// A decimal `u32`; the sign that Rust's parser takes is none of XML's business here.
pub(super) fn parse_u32(text: &str) -> Option<u32> {
    let text = text.trim();
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_tolerates_what_peers_write() {
        for text in ["aGVsbG8=", "aGVsbG8", " aGVs\n\tbG8= \r\n", "aGVsbG9="] {
            assert_eq!(
                decode_base64(text).as_deref(),
                Some(&b"hello"[..]),
                "{text:?}"
            );
        }
        for bad in ["", "  ", "=", "a", "aGVsb!8=", "aGVsbG8==="] {
            assert_eq!(decode_base64(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_the_bare_address_or_none_speaks_for_the_account() {
        let own = BareJid::new("me@b.example").unwrap();
        let says = |from: &str| {
            let stanza: Element = format!("<iq xmlns='jabber:client' {from}/>")
                .parse()
                .unwrap();
            is_from_account(&stanza, &own)
        };
        assert!(says(""));
        assert!(says("from='me@b.example'"));
        assert!(says("from='ME@B.EXAMPLE'"));
        for forged in [
            "from='me@b.example/phone'",
            "from='b.example'",
            "from='friend@b.example'",
            "from='me@b.example.evil'",
            "from='mе@b.example'", // Cyrillic
            "from=''",
            "from='@@'",
        ] {
            assert!(!says(forged), "{forged}");
        }
    }

    #[test]
    fn numbers_are_plain_decimals() {
        assert_eq!(parse_u32(" 42 "), Some(42));
        assert_eq!(parse_u32("4294967295"), Some(u32::MAX));
        for bad in ["", "+1", "-1", "4294967296", "1.0", "0x1", "١"] {
            assert_eq!(parse_u32(bad), None, "{bad:?}");
        }
    }
}
