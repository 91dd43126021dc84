//! Why a decoder stops.

#[cfg(doc)]
use crate::limits::XmlLimits;

/// Why the stream cannot be read any further. Holds no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not well-formed XML.
    #[error("not well-formed XML: {0}")]
    Malformed(&'static str),
    /// DTD, processing instruction, comment, or a token beyond all bounds.
    #[error("XML that XMPP forbids")]
    Restricted,
    /// A reference to anything but the five predefined entities.
    #[error("undeclared entity")]
    Entity,
    /// Bytes that are not UTF-8.
    #[error("invalid UTF-8")]
    Utf8,
    /// An undeclared or misused namespace prefix.
    #[error("undeclared or reserved namespace prefix")]
    Prefix,
    /// The same attribute twice.
    #[error("duplicate attribute")]
    DuplicateAttribute,
    /// The document's root is not `<stream:stream>` with content in `jabber:client`.
    #[error("root element is not an XMPP client stream")]
    NotAStream,
    /// Text where only stanzas may stand.
    #[error("text between stanzas")]
    TextBetweenStanzas,
    /// A stanza of more bytes than [`XmlLimits::stanza_bytes_fatal`], or a header that broke a
    /// limit.
    #[error("stanza or stream header beyond {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// Bytes after the end of the stream.
    #[error("data after the end of the stream")]
    AfterEnd,
}

impl From<rxml::Error> for DecodeError {
    fn from(error: rxml::Error) -> Self {
        use rxml::Error as E;
        match error {
            E::RestrictedXml(_) => Self::Restricted,
            E::UndeclaredEntity => Self::Entity,
            E::InvalidUtf8Byte(_) => Self::Utf8,
            E::DuplicateAttribute => Self::DuplicateAttribute,
            E::UndeclaredNamespacePrefix(_)
            | E::ReservedNamespacePrefix
            | E::ReservedNamespaceName
            | E::EmptyNamespaceUri => Self::Prefix,
            E::InvalidChar(..) => Self::Malformed("character not allowed in XML 1.0"),
            E::ElementMismatch => Self::Malformed("end tag does not match"),
            E::MultiColonName(_) | E::EmptyNamePart(_) | E::InvalidLocalName(_) => {
                Self::Malformed("bad name")
            }
            E::InvalidEof(_) => Self::Malformed("unexpected end"),
            E::UnexpectedChar(..)
            | E::UnexpectedByte(..)
            | E::InvalidSyntax(_)
            | E::UnexpectedToken(..) => Self::Malformed("unexpected token"),
        }
    }
}
