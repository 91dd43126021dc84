//! XEP-0484: the token that stands for a password, on one device.

use core::fmt;

use eft_types::Timestamp;
use zeroize::Zeroizing;

use super::record::{FieldReader, Fields, RecordError};
use super::sasl::FastMechanism;
use crate::xep::datetime;
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

const VERSION: u8 = 1;
const KIND: &str = "FAST token";

/// A token as a server gave it. As secret as a password: zeroized on drop, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct FastToken {
    /// The only mechanism that it works with (XEP-0484 §3.4).
    pub mechanism: FastMechanism,
    /// When the server forgets it.
    pub expires_at: Option<Timestamp>,
    secret: Zeroizing<String>,
}

impl FastToken {
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// Reads `<token/>` in the answer to a request for `mechanism`; `None` if it holds no token.
    #[must_use]
    pub fn parse(element: &Element, mechanism: FastMechanism) -> Option<Self> {
        if !element.is("token", ns::FAST) {
            return None;
        }
        let secret = element.attr("token").filter(|secret| !secret.is_empty())?;
        Some(Self {
            mechanism,
            expires_at: element.attr("expiry").and_then(datetime::parse),
            secret: Zeroizing::new(secret.to_owned()),
        })
    }

    /// For the caller's store, which keeps it like a password.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Fields::new(VERSION)
            .text(&self.mechanism.to_string())
            .optional(self.expires_at, |fields, time| {
                fields.number(time.as_millis().cast_unsigned())
            })
            .text(&self.secret)
            .finish()
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`RecordError`]: log in with the password.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        Self::read(bytes).ok_or(RecordError { kind: KIND })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = FieldReader::new(bytes, VERSION)?;
        let token = Self {
            mechanism: FastMechanism::from_name(fields.text()?)?,
            expires_at: fields
                .optional(FieldReader::number)?
                .map(|millis| Timestamp::from_millis(millis.cast_signed())),
            secret: Zeroizing::new(fields.text()?.to_owned()),
        };
        fields.finish()?;
        (!token.secret.is_empty()).then_some(token)
    }
}

impl fmt::Debug for FastToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FastToken")
            .field("mechanism", &self.mechanism)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What a login did to the token that the caller keeps.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum TokenNews {
    /// Keep what there is.
    #[default]
    Unchanged,
    /// Keep this one instead; the old one works until this one is used.
    New(FastToken),
    /// The server no longer takes it: forget it.
    Rejected,
}

/// `<request-token/>`.
pub(super) fn request(mechanism: FastMechanism) -> Element {
    element("request-token", ns::FAST).with_attr("mechanism", mechanism.to_string())
}

/// `<fast/>`: the proof beside it is that of a token.
pub(super) fn announcement(invalidate: bool) -> Element {
    element("fast", ns::FAST).with_attr_if("invalidate", invalidate.then_some("true"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token() -> FastToken {
        let element: Element =
            "<token xmlns='urn:xmpp:fast:0' expiry='2026-12-01T00:00:00Z' token='s3cret'/>"
                .parse()
                .unwrap();
        FastToken::parse(
            &element,
            FastMechanism::from_name("HT-SHA-256-EXPR").unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn a_token_survives_its_bytes_and_does_not_print() {
        let token = token();
        assert_eq!(token.secret(), "s3cret");
        assert_eq!(token.expires_at, datetime::parse("2026-12-01T00:00:00Z"));
        assert_eq!(FastToken::from_bytes(&token.to_bytes()).unwrap(), token);
        let eternal = FastToken {
            expires_at: None,
            ..token
        };
        assert_eq!(FastToken::from_bytes(&eternal.to_bytes()).unwrap(), eternal);
        assert!(!format!("{eternal:?}").contains("s3cret"));
    }

    #[test]
    fn what_holds_no_token_is_none() {
        let mechanism = token().mechanism;
        for text in [
            "<token xmlns='urn:xmpp:fast:0'/>",
            "<token xmlns='urn:xmpp:fast:0' token=''/>",
            "<token xmlns='urn:xmpp:fast:1' token='x'/>",
        ] {
            let element: Element = text.parse().unwrap();
            assert_eq!(FastToken::parse(&element, mechanism), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_or_cut_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), cut in 0usize..40) {
            let _ = FastToken::from_bytes(&bytes);
            let whole = token().to_bytes();
            let part = &whole[..cut.min(whole.len() - 1)];
            prop_assert!(FastToken::from_bytes(part).is_err());
        }
    }
}
