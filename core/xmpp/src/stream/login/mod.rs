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

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use eft_types::FullJid;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::config::{LoginConfig, Transport};
use super::error::{LoginError, StreamError};
use super::features::StreamFeatures;
use super::sasl::{
    AwaitServerFinal, AwaitServerFirst, Mechanism, ServerVerified, choose, plain_message, prepare,
};
use super::session::{Session, StreamResumption};
use crate::limits::{LOGIN_MAX_EARLY_STANZAS, LOGIN_MAX_FRAMES};
use crate::xep::stanza_error::StanzaError;
use crate::xml::{ElementExt, Frame, StreamHeader, element};
use crate::{Element, ns};

/// What the driver has to do, in order.
#[derive(Debug)]
pub enum LoginOutput {
    /// Write a stream header. What arrives from now on is a new document: take a new decoder, unless
    /// this is the first header.
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

enum State {
    Header(Phase),
    Features(Phase),
    Proceed,
    Tls,
    ServerFirst(Mechanism, Box<AwaitServerFirst>),
    ServerFinal(Mechanism, AwaitServerFinal),
    /// The signature came in a `<challenge/>`; `<success/>` is still due.
    Outcome(Mechanism, Verified),
    Bound(Mechanism, Box<StreamFeatures>),
    Enabled(Box<Session>),
    Finished,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Plaintext,
    Encrypted,
    Authenticated(Mechanism),
}

/// Reason why `<success/>` may be believed.
enum Verified {
    Scram(#[allow(dead_code, reason = "the value is the proof; nothing is in it")] ServerVerified),
    /// PLAIN proves nothing about the server beyond its certificate.
    ByCertificateOnly,
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
    /// [`crate::limits::SCRAM_MAX_ITERATIONS`] rounds, to be kept off a thread that others wait for.
    #[must_use]
    pub fn is_costly(&self, frame: &Frame) -> bool {
        matches!(self.state, State::ServerFirst(..))
            && matches!(frame, Frame::Element(element) if element.is("challenge", ns::SASL))
    }

    /// The server has been told who wants to log in. From here on a failure is about this account, and trying
    /// another host would not help.
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

    fn authenticate(&mut self, features: StreamFeatures) -> Result<Vec<LoginOutput>, LoginError> {
        let Some(mechanism) = choose(&features.mechanisms, self.config.allow_plain) else {
            return Err(LoginError::NoAcceptableMechanism {
                offered: features.mechanisms,
            });
        };
        let scram = core::mem::take(&mut self.scram)
            .into_iter()
            .find(|(candidate, ..)| *candidate == mechanism);
        self.has_begun_authentication = true;
        let initial = match scram {
            Some((_, state, first)) => {
                self.state = State::ServerFirst(mechanism, Box::new(state));
                BASE64.encode(first)
            }
            None => {
                self.state = State::Outcome(mechanism, Verified::ByCertificateOnly);
                BASE64.encode(plain_message(&self.username, &self.password))
            }
        };
        Ok(vec![LoginOutput::Send(
            element("auth", ns::SASL)
                .with_attr("mechanism", mechanism.name())
                .with_text(initial),
        )])
    }

    fn handle_server_first(
        &mut self,
        mechanism: Mechanism,
        state: AwaitServerFirst,
        element_in: &Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        sasl_failure(element_in)?;
        if element_in.is("success", ns::SASL) {
            // The server lets us in without having asked for proof, or given any.
            return Err(super::sasl::ScramError::NoServerSignature.into());
        }
        if !element_in.is("challenge", ns::SASL) {
            return Err(unexpected(element_in, "SASL challenge"));
        }
        let (state, message) = state.respond(&sasl_data(element_in)?)?;
        self.state = State::ServerFinal(mechanism, state);
        Ok(vec![LoginOutput::Send(
            element("response", ns::SASL).with_text(BASE64.encode(message)),
        )])
    }

    fn handle_server_final(
        &mut self,
        mechanism: Mechanism,
        state: AwaitServerFinal,
        element_in: &Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        sasl_failure(element_in)?;
        let is_success = element_in.is("success", ns::SASL);
        if !is_success && !element_in.is("challenge", ns::SASL) {
            return Err(unexpected(element_in, "SASL success"));
        }
        let data = sasl_data(element_in)?;
        if data.is_empty() {
            return Err(super::sasl::ScramError::NoServerSignature.into());
        }
        let verified = Verified::Scram(state.verify(&data)?);
        if is_success {
            return Ok(self.restart(mechanism, verified));
        }
        self.state = State::Outcome(mechanism, verified);
        Ok(vec![LoginOutput::Send(element("response", ns::SASL))])
    }

    fn handle_outcome(
        &mut self,
        mechanism: Mechanism,
        verified: Verified,
        element: &Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        sasl_failure(element)?;
        if !element.is("success", ns::SASL) {
            return Err(unexpected(element, "SASL success"));
        }
        Ok(self.restart(mechanism, verified))
    }

    /// Needs the reason why the server is believed.
    fn restart(&mut self, mechanism: Mechanism, _verified: Verified) -> Vec<LoginOutput> {
        self.state = State::Header(Phase::Authenticated(mechanism));
        vec![LoginOutput::OpenStream(self.header())]
    }

    fn handle_bound(
        &mut self,
        mechanism: Mechanism,
        features: StreamFeatures,
        element_in: &Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        if !element_in.is("iq", ns::CLIENT) || element_in.attr("id") != Some(BIND_ID) {
            return Err(unexpected(element_in, "bind result"));
        }
        let full_jid = match element_in.attr("type") {
            Some("result") => element_in
                .get_child("bind", ns::BIND)
                .and_then(|bind| bind.get_child("jid", ns::BIND))
                .and_then(|jid| FullJid::new(jid.text().trim()).ok())
                .ok_or_else(|| LoginError::BindRejected {
                    condition: "jid-malformed".to_owned(),
                })?,
            Some("error") => {
                return Err(LoginError::BindRejected {
                    condition: StanzaError::parse(element_in).condition.name().to_owned(),
                });
            }
            _ => return Err(unexpected(element_in, "bind result")),
        };
        // Everything that follows trusts "own bare address": it must be the one we logged in as.
        if full_jid.to_bare() != self.config.jid {
            return Err(LoginError::BindRejected {
                condition: "jid-mismatch".to_owned(),
            });
        }
        let wants_management = self.config.stream_management && features.stream_management;
        let session = Box::new(Session {
            full_jid,
            mechanism,
            stream_management: None,
            limits: features.limits,
            features,
            early: Vec::new(),
        });
        if !wants_management {
            return Ok(vec![LoginOutput::Ready(session)]);
        }
        self.state = State::Enabled(session);
        Ok(vec![LoginOutput::Send(
            element("enable", ns::SM).with_attr("resume", "true"),
        )])
    }

    fn handle_enabled(
        &mut self,
        mut session: Box<Session>,
        element: Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        if element.is("enabled", ns::SM) {
            let may_resume = matches!(element.attr("resume"), Some("true" | "1"));
            session.stream_management = Some(StreamResumption {
                id: element.attr("id").filter(|_| may_resume).map(str::to_owned),
                max_seconds: element.attr("max").and_then(|max| max.parse().ok()),
                location: element.attr("location").map(str::to_owned),
            });
            return Ok(vec![LoginOutput::Ready(session)]);
        }
        if element.is("failed", ns::SM) {
            return Ok(vec![LoginOutput::Ready(session)]);
        }
        let is_stanza = ["message", "presence", "iq"]
            .iter()
            .any(|name| element.is(name, ns::CLIENT));
        if !is_stanza {
            return Err(unexpected(&element, "enabled"));
        }
        if session.early.len() >= LOGIN_MAX_EARLY_STANZAS {
            return Err(LoginError::TooManySteps);
        }
        session.early.push(element);
        self.state = State::Enabled(session);
        Ok(Vec::new())
    }
}

impl State {
    const fn expected(&self) -> &'static str {
        match self {
            Self::Header(_) => "stream header",
            Self::Features(_) => "stream features",
            Self::Proceed => "STARTTLS proceed",
            Self::Tls => "nothing before TLS",
            Self::ServerFirst(..) => "SASL challenge",
            Self::ServerFinal(..) | Self::Outcome(..) => "SASL success",
            Self::Bound(..) => "bind result",
            Self::Enabled(_) => "enabled",
            Self::Finished => "nothing",
        }
    }
}

/// Turns `<failure/>` into an error (RFC 6120 §6.5).
fn sasl_failure(element: &Element) -> Result<(), LoginError> {
    if !element.is("failure", ns::SASL) {
        return Ok(());
    }
    let condition = element
        .children()
        .find(|child| child.has_ns(ns::SASL) && child.name() != "text")
        .map_or("undefined-condition", Element::name);
    Err(LoginError::AuthRejected {
        condition: condition.to_owned(),
        text: element
            .get_child("text", ns::SASL)
            .map(Element::text)
            .filter(|text| !text.is_empty()),
    })
}

/// Base64 data of a challenge or success; `=` alone stands for empty data (RFC 6120 §6.4.2).
fn sasl_data(element: &Element) -> Result<Vec<u8>, LoginError> {
    let text = element.text();
    let text = text.trim();
    if text == "=" {
        return Ok(Vec::new());
    }
    BASE64
        .decode(text)
        .map_err(|_| super::sasl::ScramError::Malformed.into())
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
