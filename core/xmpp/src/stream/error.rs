//! How a login or a stream ends badly. Texts written by a server are kept: they are addressed to
//! the user, and hold no content of messages.

use crate::stream::management::HandledCountTooHigh;
use crate::stream::pins::Downgrade;
use crate::stream::sasl::ScramError;
use crate::{Element, ns};

/// A `<stream:error/>` (RFC 6120 §4.9).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stream error: {condition}")]
pub struct StreamError {
    /// Name of the defined condition, e.g. `conflict`; `undefined-condition` if none was there.
    pub condition: String,
    /// Text of the server, if any.
    pub text: Option<String>,
    /// Address in `<see-other-host/>`.
    pub other_host: Option<String>,
    /// The counters of `<handled-count-too-high/>` (XEP-0198 §4): what we reported, what was sent.
    pub handled_count_too_high: bool,
}

impl StreamError {
    /// Reads a `<stream:error/>`; `None` if it is something else.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("error", ns::STREAM) {
            return None;
        }
        let condition = element
            .children()
            .find(|child| child.has_ns(ns::STREAM_ERRORS) && child.name() != "text");
        let other_host = condition
            .filter(|condition| condition.name() == "see-other-host")
            .map(Element::text)
            .filter(|host| !host.is_empty());
        Some(Self {
            condition: condition
                .map_or("undefined-condition", Element::name)
                .to_owned(),
            text: element
                .get_child("text", ns::STREAM_ERRORS)
                .map(Element::text)
                .filter(|text| !text.is_empty()),
            other_host,
            handled_count_too_high: element.has_child("handled-count-too-high", ns::SM),
        })
    }
}

/// Why a login failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The server said no to name or password, or to the account as such (RFC 6120 §6.5).
    #[error("authentication rejected: {condition}")]
    AuthRejected {
        /// SASL condition, e.g. `not-authorized`, `account-disabled`, `temporary-auth-failure`.
        condition: String,
        /// Text of the server, if any.
        text: Option<String>,
    },
    /// The server offers no TLS, or refused it. Nothing is sent in the clear.
    #[error("the server offers no TLS")]
    TlsRequired,
    /// Bytes came behind `<proceed/>` before TLS began: somebody injects plaintext.
    #[error("{bytes} bytes were injected before TLS began")]
    PlaintextInjected {
        /// How many.
        bytes: usize,
    },
    /// No mechanism that we accept. PLAIN counts only if [`super::LoginConfig::allow_plain`] is
    /// set.
    #[error("no acceptable SASL mechanism among {offered:?}")]
    NoAcceptableMechanism {
        /// What the server offered.
        offered: Vec<String>,
    },
    /// The server offers less than it once did. Nothing was sent to it, or nothing that another
    /// could use, but for a token that is bound to no channel: that goes out with the first bytes, where the
    /// server never offered any binding. The user may accept it by dropping [`super::LoginConfig::pins`].
    #[error("refused a weaker offer: {0}")]
    Downgraded(#[from] Downgrade),
    /// The server let us in by a token without showing that it knows the token.
    #[error("the server did not prove that it knows the token")]
    UnprovenToken,
    /// The server wants more than a password (XEP-0388 §2.6.3), such as a second factor.
    #[error("the server asks for further steps: {tasks:?}")]
    FurtherSteps {
        /// Names of the tasks to choose from.
        tasks: Vec<String>,
    },
    /// There is no password, and no token that this server takes.
    #[error("no password, and no token that the server takes")]
    NoCredentials,
    /// The SCRAM exchange failed on the server's side: bad nonce, signature, iteration count.
    #[error("SCRAM: {0}")]
    Scram(#[from] ScramError),
    /// Name or password holds characters that SASLprep (RFC 4013) prohibits.
    #[error("name or password cannot be prepared by SASLprep")]
    UnpreparableCredentials,
    /// The account address has no local part.
    #[error("the account address has no local part")]
    NoLocalPart,
    /// The stream was resumed with a count that cannot be: begin a new one.
    #[error(transparent)]
    HandledCountTooHigh(#[from] HandledCountTooHigh),
    /// No resource was bound.
    #[error("resource binding rejected: {condition}")]
    BindRejected {
        /// Stanza error condition, or `jid-mismatch` if the server bound another account.
        condition: String,
    },
    /// The server ended the stream with an error.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The server closed the stream.
    #[error("the server closed the stream during login")]
    Closed,
    /// The server speaks something older than XMPP 1.0.
    #[error("the server does not speak XMPP 1.0")]
    UnsupportedVersion,
    /// Something that does not belong in this step.
    #[error("unexpected {name} while waiting for {expected}")]
    UnexpectedElement {
        /// `{namespace}name` of what came, cut to a sane length.
        name: String,
        /// What would have been right.
        expected: &'static str,
    },
    /// The server keeps the login going without end.
    #[error("login takes too many steps")]
    TooManySteps,
}

impl LoginError {
    /// Trying again later, with the same account data, can help.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::AuthRejected { condition, .. } => condition == "temporary-auth-failure",
            Self::BindRejected { condition } => {
                condition == "resource-constraint" || condition == "conflict"
            }
            Self::Stream(error) => !matches!(
                error.condition.as_str(),
                "host-gone"
                    | "host-unknown"
                    | "not-authorized"
                    | "policy-violation"
                    | "unsupported-version"
            ),
            Self::Closed => true,
            Self::TlsRequired
            | Self::PlaintextInjected { .. }
            | Self::NoAcceptableMechanism { .. }
            | Self::Downgraded(_)
            | Self::UnprovenToken
            | Self::FurtherSteps { .. }
            | Self::NoCredentials
            | Self::HandledCountTooHigh(_)
            | Self::Scram(_)
            | Self::UnpreparableCredentials
            | Self::NoLocalPart
            | Self::UnsupportedVersion
            | Self::UnexpectedElement { .. }
            | Self::TooManySteps => false,
        }
    }

    /// Somebody may sit between us and the server: worth telling the user in those words.
    #[must_use]
    pub const fn is_suspicious(&self) -> bool {
        matches!(
            self,
            Self::TlsRequired
                | Self::PlaintextInjected { .. }
                | Self::Downgraded(_)
                | Self::UnprovenToken
                | Self::Scram(
                    ScramError::OfferAltered
                        | ScramError::OfferUnproven
                        | ScramError::TlsVersionAltered { .. }
                        | ScramError::ServerSignature
                        | ScramError::NoServerSignature
                        | ScramError::Nonce
                        | ScramError::Iterations { .. }
                )
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_error_gives_condition_text_and_host() {
        let element: Element = "<error xmlns='http://etherx.jabber.org/streams'>\
            <see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>[::1]:5222</see-other-host>\
            <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>moved</text></error>"
            .parse()
            .unwrap();
        let error = StreamError::parse(&element).unwrap();
        assert_eq!(error.condition, "see-other-host");
        assert_eq!(error.text.as_deref(), Some("moved"));
        assert_eq!(error.other_host.as_deref(), Some("[::1]:5222"));
    }

    #[test]
    fn an_empty_stream_error_is_undefined() {
        let element = Element::bare("error", ns::STREAM);
        assert_eq!(
            StreamError::parse(&element).unwrap().condition,
            "undefined-condition"
        );
        assert_eq!(
            StreamError::parse(&Element::bare("error", ns::CLIENT)),
            None
        );
    }
}
