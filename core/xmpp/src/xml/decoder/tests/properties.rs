//! What holds for any bytes.

use proptest::prelude::*;

use super::*;
use crate::xml::{encode_element, encode_stanza};

fn arb_element() -> impl Strategy<Value = Element> {
    let text = proptest::string::string_regex("[ -~\u{e9}\u{4e2d}\u{1F600}\n\t]{0,12}")
        .unwrap()
        .boxed();
    let name = prop_oneof![Just("a"), Just("body"), Just("x-1")];
    let ns = prop_oneof![Just("jabber:client"), Just("n:1"), Just("")];
    let leaf =
        (name, ns, proptest::option::of(text.clone()), text).prop_map(|(name, ns, attr, text)| {
            let mut element = Element::bare(name, ns);
            if let Some(value) = attr {
                use crate::xml::ElementExt;
                element = element.with_attr("k", value);
            }
            if !text.is_empty() {
                element.append_text(text);
            }
            element
        });
    leaf.prop_recursive(4, 24, 4, |inner| {
        (inner.clone(), proptest::collection::vec(inner, 0..4)).prop_map(
            |(mut parent, children)| {
                for child in children {
                    parent.append_child(child);
                }
                parent
            },
        )
    })
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_frames(
        elements in proptest::collection::vec(arb_element(), 1..4),
        cuts in proptest::collection::vec(1usize..40, 1..60),
    ) {
        let mut text = OPEN.to_owned();
        for element in &elements {
            text.push_str(&encode_stanza(element).unwrap());
        }
        text.push_str("</stream:stream>");
        let whole = decode(&text).unwrap();
        prop_assert_eq!(whole.len(), elements.len() + 2);
        for (frame, element) in whole[1..].iter().zip(&elements) {
            let Frame::Element(got) = frame else { panic!("{frame:?}") };
            prop_assert_eq!(encode_element(got).unwrap(), encode_element(element).unwrap());
        }

        let mut decoder = Decoder::new(XmlLimits::SESSION);
        let mut pieces = Vec::new();
        let mut rest = text.as_bytes();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break }
            let (piece, tail) = rest.split_at((*cut).min(rest.len()));
            pieces.extend(decode_all(&mut decoder, piece).unwrap());
            rest = tail;
        }
        prop_assert_eq!(pieces, whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), in_stream: bool) {
        let mut decoder = Decoder::new(small());
        if in_stream {
            decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
        }
        let _ = decode_all(&mut decoder, &bytes);
    }

    #[test]
    fn arbitrary_markup_never_panics(text in "(<|>|/|a|:|p|xmlns|=|'| |&|;|!|\\[|\\]|-|\\?|\"|message|#){0,80}") {
        let mut decoder = Decoder::new(small());
        decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
        let _ = decode_all(&mut decoder, text.as_bytes());
    }
}
