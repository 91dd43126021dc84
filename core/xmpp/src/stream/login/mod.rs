//! From the first header to a bound, managed stream (RFC 6120 §4–§7, XEP-0198 §3).
//!
//! ```text
//! Header ► Features ─┬─ StartTls ► Proceed ► (TLS) ─┐        only over TCP without TLS
//!     ▲              │                              │
//!     └──────────────┼──────────────────────────────┘
//!                    └─ ServerFirst ► ServerFinal ► Outcome ► Header ► Features ► Bound ► Enabled ► ready
//! ```
//!
//! Each state is a variant with what exists in it; a frame moves the machine on or ends it.

mod authenticate;
mod bind;
mod state;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use self::state::{Phase, State};
use super::config::{LoginConfig, Transport};
use super::error::{LoginError, StreamError};
use super::features::StreamFeatures;
use super::sasl::{AwaitServerFirst, Mechanism, prepare};
use super::session::Session;
use crate::limits::{LOGIN_MAX_EARLY_STANZAS, LOGIN_MAX_FRAMES};
use crate::xml::{ElementExt, Frame, StreamHeader, element};
use crate::{Element, ns};

/// What the driver has to do, in order.
#[derive(Debug)]
pub enum LoginOutput {
    /// Write a stream header. What arrives from now on is a new document: take a new decoder,
    /// unless this is the first header.
    OpenStream(StreamHeader),
    /// Write an element.
    Send(Element),
    /// Start TLS on this connection, then call [`Login::tls_established`].
    StartTls,
    /// Done. The same decoder goes on.
    Ready(Box<Session>),
}

/// The machine. Dropping it forgets the password.
pub struct Login {
    config: LoginConfig,
    /// Prepared at the start, so that bad credentials fail before any traffic.
    username: Zeroizing<String>,
    password: Zeroizing<String>,
    scram: Vec<(Mechanism, AwaitServerFirst, String)>,
    state: State,
    frame_count: usize,
    has_begun_authentication: bool,
}

const BIND_ID: &str = "bind";

impl Login {
    /// Prepares a login. The nonce is drawn here, so that the machine needs no randomness later.
    ///
    /// # Errors
    /// [`LoginError::NoLocalPart`], [`LoginError::UnpreparableCredentials`].
    pub fn new(config: LoginConfig, rng: &mut impl CryptoRng) -> Result<Self, LoginError> {
        let node = config.jid.node().ok_or(LoginError::NoLocalPart)?;
        let username = prepare(node.as_str()).ok_or(LoginError::UnpreparableCredentials)?;
        let password =
            prepare(config.password.as_str()).ok_or(LoginError::UnpreparableCredentials)?;
        let scram = [
            Mechanism::ScramSha512,
            Mechanism::ScramSha256,
            Mechanism::ScramSha1,
        ]
        .into_iter()
        .filter_map(|mechanism| {
            let (state, first) = AwaitServerFirst::start(mechanism, &username, &password, rng)?;
            Some((mechanism, state, first))
        })
        .collect();
        let phase = match config.transport {
            Transport::StartTls => Phase::Plaintext,
            Transport::DirectTls => Phase::Encrypted,
        };
        Ok(Self {
            config,
            username,
            password,
            scram,
            state: State::Header(phase),
            frame_count: 0,
            has_begun_authentication: false,
        })
    }

    /// The first thing to do. With direct TLS, TLS is up already.
    #[must_use]
    pub fn start(&self) -> LoginOutput {
        LoginOutput::OpenStream(self.header())
    }

    /// Takes the next frame. `unread_bytes` is how much has been received behind it and not yet
    /// decoded: nothing may stand behind `<proceed/>`.
    ///
    /// # Errors
    /// See [`LoginError`]; the connection is to be dropped.
    pub fn handle_frame(
        &mut self,
        frame: Frame,
        unread_bytes: usize,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        self.frame_count += 1;
        if self.frame_count > LOGIN_MAX_FRAMES + LOGIN_MAX_EARLY_STANZAS {
            return Err(LoginError::TooManySteps);
        }
        let state = core::mem::replace(&mut self.state, State::Finished);
        let element = match frame {
            Frame::Header(header) => return self.handle_header(state, &header),
            Frame::Close => return Err(LoginError::Closed),
            Frame::Oversized { shell, .. } => return Err(unexpected(&shell, state.expected())),
            Frame::Element(element) => element,
        };
        if let Some(error) = StreamError::parse(&element) {
            return Err(error.into());
        }
        match state {
            State::Features(phase) => {
                let features = StreamFeatures::parse(&element)
                    .ok_or_else(|| unexpected(&element, State::Features(phase).expected()))?;
                self.handle_features(phase, features)
            }
            State::Proceed => self.handle_proceed(&element, unread_bytes),
            State::ServerFirst(mechanism, state) => {
                self.handle_server_first(mechanism, *state, &element)
            }
            State::ServerFinal(mechanism, state) => {
                self.handle_server_final(mechanism, state, &element)
            }
            State::Outcome(mechanism, verified) => {
                self.handle_outcome(mechanism, verified, &element)
            }
            State::Bound(mechanism, features) => self.handle_bound(mechanism, *features, &element),
            State::Enabled(session) => self.handle_enabled(session, element),
            State::Header(_) | State::Tls | State::Finished => {
                Err(unexpected(&element, state.expected()))
            }
        }
    }

    /// TLS is up, with a certificate that names the account's domain.
    ///
    /// # Errors
    /// [`LoginError::UnexpectedElement`] if TLS was not asked for.
    pub fn tls_established(&mut self) -> Result<Vec<LoginOutput>, LoginError> {
        if !matches!(self.state, State::Tls) {
            return Err(LoginError::UnexpectedElement {
                name: "TLS".to_owned(),
                expected: self.state.expected(),
            });
        }
        self.state = State::Header(Phase::Encrypted);
        Ok(vec![LoginOutput::OpenStream(self.header())])
    }

    /// [`Self::handle_frame`] with this frame does the key derivation: up to
    /// [`crate::limits::SCRAM_MAX_ITERATIONS`] rounds, to be kept off a thread that others wait
    /// for.
    #[must_use]
    pub fn is_costly(&self, frame: &Frame) -> bool {
        matches!(self.state, State::ServerFirst(..))
            && matches!(frame, Frame::Element(element) if element.is("challenge", ns::SASL))
    }

    /// The server has been told who wants to log in. From here on a failure is about this account,
    /// and trying another host would not help.
    #[must_use]
    pub const fn has_begun_authentication(&self) -> bool {
        self.has_begun_authentication
    }

    /// The name of the account goes into the header only under TLS: in the clear, anyone on the way
    /// could read it (RFC 6120 §4.7.1); behind TLS, servers offer SASL2 only to those who say it.
    fn header(&self) -> StreamHeader {
        let encrypted = !matches!(self.state, State::Header(Phase::Plaintext));
        StreamHeader {
            from: encrypted.then(|| self.config.jid.to_string()),
            to: Some(self.config.jid.domain().as_str().to_owned()),
            id: None,
            version: Some("1.0".to_owned()),
            lang: Some("en".to_owned()),
        }
    }

    fn handle_header(
        &mut self,
        state: State,
        header: &StreamHeader,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        let State::Header(phase) = state else {
            return Err(LoginError::UnexpectedElement {
                name: "stream header".to_owned(),
                expected: state.expected(),
            });
        };
        // RFC 6120 §4.7.5: without 1.0 there are no features. A higher major version would be a
        // protocol that we do not know.
        let major = header
            .version
            .as_deref()
            .and_then(|version| version.split('.').next());
        if major != Some("1") {
            return Err(LoginError::UnsupportedVersion);
        }
        self.state = State::Features(phase);
        Ok(Vec::new())
    }

    fn handle_features(
        &mut self,
        phase: Phase,
        features: StreamFeatures,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        match phase {
            Phase::Plaintext => {
                if !features.starttls {
                    return Err(LoginError::TlsRequired);
                }
                self.state = State::Proceed;
                Ok(vec![LoginOutput::Send(element("starttls", ns::TLS))])
            }
            Phase::Encrypted => self.authenticate(features),
            Phase::Authenticated(mechanism) => {
                if !features.bind {
                    return Err(LoginError::BindRejected {
                        condition: "feature-not-implemented".to_owned(),
                    });
                }
                self.state = State::Bound(mechanism, Box::new(features));
                let resource = self
                    .config
                    .resource
                    .as_ref()
                    .map(|resource| element("resource", ns::BIND).with_text(resource));
                Ok(vec![LoginOutput::Send(
                    element("iq", ns::CLIENT)
                        .with_attr("type", "set")
                        .with_attr("id", BIND_ID)
                        .with_child(element("bind", ns::BIND).with_child_if(resource)),
                )])
            }
        }
    }

    fn handle_proceed(
        &mut self,
        element: &Element,
        unread_bytes: usize,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        if element.is("failure", ns::TLS) {
            return Err(LoginError::TlsRequired);
        }
        if !element.is("proceed", ns::TLS) {
            return Err(unexpected(element, State::Proceed.expected()));
        }
        // What was received before TLS must not be taken for what TLS protects.
        if unread_bytes > 0 {
            return Err(LoginError::PlaintextInjected {
                bytes: unread_bytes,
            });
        }
        self.state = State::Tls;
        Ok(vec![LoginOutput::StartTls])
    }
}

fn unexpected(element: &Element, expected: &'static str) -> LoginError {
    let name = format!("{{{}}}{}", element.ns(), element.name());
    LoginError::UnexpectedElement {
        name: name.chars().take(120).collect(),
        expected,
    }
}

#[cfg(test)]
mod tests;
