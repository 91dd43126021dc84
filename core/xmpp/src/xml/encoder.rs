//! Elements to text. Namespaces are always written as `xmlns='…'` where they change and never as
//! prefixes: deployed clients drop a prefixed SCE envelope, and no server needs prefixes beyond
//! those of the stream header.

use minidom::{Element, Node};

use super::decoder::StreamHeader;
use crate::ns;

/// Why an element cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Text or an attribute holds a character that XML 1.0 cannot express (most control
    /// characters). The server would end the stream over it.
    #[error("character U+{0:04X} is not allowed in XML")]
    Character(u32),
    /// An element name that is no XML name.
    #[error("element name is not an XML name")]
    Name,
    /// An attribute in a namespace other than that of `xml:`. Nothing in XMPP needs one.
    #[error("attribute in a foreign namespace")]
    ForeignAttribute,
}

/// Text of a child of the stream: the content namespace, which the header declared, is not
/// repeated.
///
/// # Errors
/// See [`EncodeError`].
pub fn encode_stanza(element: &Element) -> Result<String, EncodeError> {
    let mut out = String::with_capacity(256);
    write_element(&mut out, element, Some(ns::CLIENT))?;
    Ok(out)
}

/// Text of an element that stands alone, its namespace always declared.
///
/// # Errors
/// See [`EncodeError`].
pub fn encode_element(element: &Element) -> Result<String, EncodeError> {
    let mut out = String::with_capacity(256);
    write_element(&mut out, element, None)?;
    Ok(out)
}

/// `<?xml …?><stream:stream …>`.
///
/// # Errors
/// [`EncodeError::Character`] if an attribute cannot be written.
pub fn encode_stream_open(header: &StreamHeader) -> Result<String, EncodeError> {
    let mut out = String::from("<?xml version='1.0'?><stream:stream xmlns='jabber:client'");
    out.push_str(" xmlns:stream='http://etherx.jabber.org/streams'");
    let attributes = [
        ("from", &header.from),
        ("to", &header.to),
        ("id", &header.id),
        ("version", &header.version),
        ("xml:lang", &header.lang),
    ];
    for (name, value) in attributes {
        if let Some(value) = value {
            write_attribute(&mut out, name, value)?;
        }
    }
    out.push('>');
    Ok(out)
}

/// `</stream:stream>`.
#[must_use]
pub fn encode_stream_close() -> &'static str {
    "</stream:stream>"
}

/// Appends an element. `parent_ns` is the default namespace in force; `None` forces a declaration.
/// Recursion is as deep as the element, which is ours or came through the decoder's depth limit.
pub(crate) fn write_element(
    out: &mut String,
    element: &Element,
    parent_ns: Option<&str>,
) -> Result<(), EncodeError> {
    let name = element.name();
    if rxml::NcNameStr::from_str(name).is_err() {
        return Err(EncodeError::Name);
    }
    let ns = element.ns();
    out.push('<');
    out.push_str(name);
    if parent_ns != Some(ns.as_str()) {
        write_attribute(out, "xmlns", &ns)?;
    }
    for ((attribute_ns, name), value) in element.attrs() {
        if attribute_ns.is_none() {
            write_attribute(out, name.as_str(), value)?;
        } else if attribute_ns.as_str() == ns::XML {
            write_attribute(out, &format!("xml:{}", name.as_str()), value)?;
        } else {
            return Err(EncodeError::ForeignAttribute);
        }
    }
    if element.nodes().next().is_none() {
        out.push_str("/>");
        return Ok(());
    }
    out.push('>');
    for node in element.nodes() {
        match node {
            Node::Element(child) => write_element(out, child, Some(&ns))?,
            Node::Text(text) => write_text(out, text)?,
        }
    }
    out.push_str("</");
    out.push_str(name);
    out.push('>');
    Ok(())
}

fn write_attribute(out: &mut String, name: &str, value: &str) -> Result<(), EncodeError> {
    out.push(' ');
    out.push_str(name);
    out.push_str("='");
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&apos;"),
            // A parser turns bare ones into spaces (XML 1.0 §3.3.3).
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(allowed(other)?),
        }
    }
    out.push('\'');
    Ok(())
}

fn write_text(out: &mut String, text: &str) -> Result<(), EncodeError> {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A parser turns a bare one into a line feed (XML 1.0 §2.11).
            '\r' => out.push_str("&#xD;"),
            other => out.push(allowed(other)?),
        }
    }
    Ok(())
}

/// XML 1.0 §2.2, production `Char`.
fn allowed(character: char) -> Result<char, EncodeError> {
    match character {
        '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'.. => {
            Ok(character)
        }
        other => Err(EncodeError::Character(other.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{ElementExt, element};

    #[test]
    fn a_stanza_does_not_repeat_the_content_namespace() {
        let stanza = element("message", ns::CLIENT)
            .with_attr("to", "a@b.example")
            .with_child(element("body", ns::CLIENT).with_text("1 < 2 & 3 > 2"))
            .with_child(element("store", ns::HINTS));
        assert_eq!(
            encode_stanza(&stanza).unwrap(),
            "<message to='a@b.example'><body>1 &lt; 2 &amp; 3 &gt; 2</body><store xmlns='urn:xmpp:hints'/></message>"
        );
    }

    #[test]
    fn namespaces_are_declared_where_they_change_and_never_prefixed() {
        let tree: Element = "<a:x xmlns:a='one'><b:y xmlns:b='two'><a:z/></b:y></a:x>"
            .parse()
            .unwrap();
        assert_eq!(
            encode_element(&tree).unwrap(),
            "<x xmlns='one'><y xmlns='two'><z xmlns='one'/></y></x>"
        );
    }

    #[test]
    fn white_space_in_attributes_and_carriage_returns_survive_a_round_trip() {
        let original = element("x", "n")
            .with_attr("a", "tab\tline\nreturn\rquote'\"")
            .with_text("line\nreturn\r\n");
        let text = encode_element(&original).unwrap();
        assert_eq!(text.parse::<Element>().unwrap(), original);
    }

    #[test]
    fn characters_outside_xml_are_refused() {
        for bad in ['\0', '\u{1}', '\u{B}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
            let in_text = element("x", "n").with_text(bad.to_string());
            let in_attribute = element("x", "n").with_attr("a", bad.to_string());
            let expected = Err(EncodeError::Character(bad.into()));
            assert_eq!(encode_stanza(&in_text), expected);
            assert_eq!(encode_stanza(&in_attribute), expected);
        }
    }

    #[test]
    fn an_element_name_cannot_smuggle_markup() {
        let bad = Element::bare("x><y", "n");
        assert_eq!(encode_stanza(&bad), Err(EncodeError::Name));
    }

    #[test]
    fn the_header_is_open_and_escaped() {
        let header = StreamHeader {
            from: Some("o'hara@b.example".to_owned()),
            to: Some("b.example".to_owned()),
            version: Some("1.0".to_owned()),
            lang: Some("en".to_owned()),
            ..StreamHeader::default()
        };
        assert_eq!(
            encode_stream_open(&header).unwrap(),
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' from='o&apos;hara@b.example' \
             to='b.example' version='1.0' xml:lang='en'>"
        );
    }
}
