//! Finds the end of an element whose content is of no interest any more.
//!
//! The parser proper would hold the names of all open elements, and build each attribute, only for them to be dropped. A
//! contact can make both large within what a server passes on. Here a level is a number, and nothing is kept. What is
//! well-formed ends where the parser would say; what is not is nobody's loss, as it is dropped up to there.

use super::error::DecodeError;

/// Stands behind a start tag, and reads up to the end tag that belongs to it.
#[derive(Debug)]
pub(super) struct Scanner {
    place: Place,
    /// Elements open within.
    depth: u64,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Text,
    /// Behind `<`.
    Markup,
    /// In a start tag; `is_empty` behind a `/`.
    StartTag {
        is_empty: bool,
    },
    /// In an attribute's value, up to this quote.
    Value(u8),
    EndTag,
    /// Behind so many letters of `<![CDATA[`.
    CdataBegin(usize),
    /// Behind so many of `]]`.
    Cdata(usize),
}

const CDATA: &[u8] = b"<![CDATA[";

/// Behind `</` of the end tag. It is for the parser again, from these two bytes on.
pub(super) const END_TAG: &[u8] = b"</";

impl Scanner {
    pub(super) const fn new() -> Self {
        Self {
            place: Place::Text,
            depth: 0,
        }
    }

    /// Reads from `input`, and moves it behind what was read. `true` behind the `</` of the element's end.
    pub(super) fn scan(&mut self, input: &mut &[u8]) -> Result<bool, DecodeError> {
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            self.place = match (self.place, byte) {
                (Place::Text, b'<') => Place::Markup,
                (Place::Text, _) => {
                    // Most bytes are text: no need to look at each of them here.
                    let next = input.iter().position(|byte| *byte == b'<');
                    *input = input.get(next.unwrap_or(input.len())..).unwrap_or_default();
                    Place::Text
                }
                (Place::Markup, b'/') if self.depth == 0 => return Ok(true),
                (Place::Markup, b'/') => Place::EndTag,
                (Place::Markup, b'!') => Place::CdataBegin(2),
                // What XMPP forbids ends the stream, wherever it stands.
                (Place::Markup, b'?') => return Err(DecodeError::Restricted),
                (Place::Markup | Place::StartTag { .. }, b'<') => {
                    return Err(DecodeError::Malformed("markup within a tag"));
                }
                (Place::Markup, _) => Place::StartTag { is_empty: false },
                (Place::StartTag { is_empty: true }, b'>') => Place::Text,
                (Place::StartTag { is_empty: false }, b'>') => {
                    self.depth = self.depth.saturating_add(1);
                    Place::Text
                }
                (Place::StartTag { .. }, quote @ (b'\'' | b'"')) => Place::Value(quote),
                (Place::StartTag { .. }, byte) => Place::StartTag {
                    is_empty: byte == b'/',
                },
                (Place::Value(quote), byte) if byte == quote => Place::StartTag { is_empty: false },
                (Place::Value(_), b'<') => {
                    return Err(DecodeError::Malformed("markup within a value"));
                }
                (Place::Value(quote), _) => Place::Value(quote),
                (Place::EndTag, b'>') => {
                    self.depth = self.depth.saturating_sub(1);
                    Place::Text
                }
                (Place::EndTag, _) => Place::EndTag,
                (Place::CdataBegin(at), byte) if CDATA.get(at) == Some(&byte) => {
                    if at + 1 == CDATA.len() {
                        Place::Cdata(0)
                    } else {
                        Place::CdataBegin(at + 1)
                    }
                }
                (Place::CdataBegin(_), _) => return Err(DecodeError::Restricted),
                (Place::Cdata(2), b'>') => Place::Text,
                (Place::Cdata(count), b']') => Place::Cdata((count + 1).min(2)),
                (Place::Cdata(_), _) => Place::Cdata(0),
            };
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left behind the `</` of the end, for every way to cut the text in two.
    fn rest_of(text: &str) -> Result<Option<String>, DecodeError> {
        let whole = scan(&[text.as_bytes()]);
        for at in 0..text.len() {
            let (first, second) = text.as_bytes().split_at(at);
            assert_eq!(scan(&[first, second]), whole, "cut at {at} of {text}");
        }
        whole
    }

    fn scan(pieces: &[&[u8]]) -> Result<Option<String>, DecodeError> {
        let mut scanner = Scanner::new();
        let mut pieces = pieces.iter();
        for mut piece in pieces.by_ref().copied() {
            if scanner.scan(&mut piece)? {
                let rest = [piece, &pieces.copied().collect::<Vec<_>>().concat()].concat();
                return Ok(Some(String::from_utf8(rest).unwrap()));
            }
        }
        Ok(None)
    }

    #[test]
    fn the_end_is_found_behind_all_that_xml_may_hold() {
        for content in [
            "",
            "text > & text ]]> ",
            "<a/>",
            "<a></a>",
            "<a><b><c/></b></a>",
            "<a b='/'/>",
            "<a b='/'></a>",
            "<a b=\"'/>\" c='\"'></a>",
            "<a / ></a>",
            "<![CDATA[</x><y>]]]>]]>",
            "<![CDATA[]]]]>",
            "<a\n>text</a\n>",
        ] {
            let text = format!("{content}</end>behind");
            assert_eq!(
                rest_of(&text),
                Ok(Some("end>behind".to_owned())),
                "{content}"
            );
        }
    }

    #[test]
    fn what_has_no_end_has_none() {
        for text in [
            "",
            "<a>",
            "<a></a>",
            "<![CDATA[</a>",
            "<a b='>",
            "<a><b></b></end>",
            "<",
        ] {
            assert_eq!(rest_of(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn what_xmpp_forbids_is_refused_within_dropped_content_too() {
        for text in [
            "<!-- x -->",
            "<?php ?>",
            "<!DOCTYPE a>",
            "<a><![CDAT[x]]></a>",
        ] {
            assert_eq!(rest_of(text), Err(DecodeError::Restricted), "{text}");
        }
        for text in ["<<a/>", "<a <b/>", "<a b='<'/>"] {
            assert!(
                matches!(rest_of(text), Err(DecodeError::Malformed(_))),
                "{text}"
            );
        }
    }
}
