//! What a decoder gives.

use minidom::Element;

#[cfg(doc)]
use crate::limits::XmlLimits;
use crate::ns;

/// One thing that stood in the stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// `<stream:stream>` was opened.
    Header(StreamHeader),
    /// A complete child of the stream: stanza or nonza.
    Element(Element),
    /// A child of the stream that broke an inner limit. Its end was found, its content is gone.
    Oversized {
        /// Name and attributes; without children.
        shell: Element,
        /// The limit that was broken.
        limit: InnerLimit,
    },
    /// `</stream:stream>`.
    Close,
}

/// Attributes of `<stream:stream>` (RFC 6120 §4.7), as text: nobody is authenticated yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamHeader {
    /// Who opened it.
    pub from: Option<String>,
    /// For whom.
    pub to: Option<String>,
    /// The server's id of this stream.
    pub id: Option<String>,
    /// `1.0` for anything that can negotiate.
    pub version: Option<String>,
    /// Default language of human-readable text.
    pub lang: Option<String>,
}

/// A limit whose breach costs the stanza but not the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InnerLimit {
    /// [`XmlLimits::stanza_bytes`].
    Bytes,
    /// [`XmlLimits::stanza_memory_bytes`].
    Memory,
    /// [`XmlLimits::depth`].
    Depth,
    /// [`XmlLimits::attributes`].
    Attributes,
}

impl StreamHeader {
    pub(super) fn from_element(element: &Element) -> Self {
        let text = |name: &str| element.attr(name).map(str::to_owned);
        Self {
            from: text("from"),
            to: text("to"),
            id: text("id"),
            version: text("version"),
            lang: element.attr_ns(ns::XML, "lang").map(str::to_owned),
        }
    }
}
