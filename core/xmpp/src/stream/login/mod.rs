//! From the first header to a bound, managed stream (RFC 6120 §4–§7, XEP-0388, XEP-0198).
//!
//! ```text
//! Header ► Features ─┬─ StartTls ► Proceed ► (TLS) ─┐        only over TCP without TLS
//!     ▲              │                              │
//!     └──────────────┼──────────────────────────────┘
//!                    ├─ Exchange ─┬─ ready                                     SASL2 with all inside
//!                    │            └─ Features ► …as below, from Resumed on     SASL2 without Bind 2
//!                    └─ ServerFirst ► ServerFinal ► Outcome ► Header ► Features ► Resumed ► Bound ► Enabled ► ready
//! ```
//!
//! Each state is a variant with what exists in it; a frame moves the machine on or ends it.

mod authenticate;
mod bind;
mod opening;
mod sasl2;
mod state;

use base64::Engine;
use eft_types::FullJid;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use self::sasl2::Exchange;
use self::state::{Phase, State};
use super::config::{LoginConfig, Transport};
use super::error::{LoginError, StreamError};
use super::features::StreamFeatures;
use super::inline::InlineOffer;
use super::resumption::Resumption;
use super::sasl::{Choice, SaslOffer, TlsFacts, draw_nonce, prepare};
use super::session::{Authentication, Session};
use super::token::TokenNews;
use crate::limits::{LOGIN_MAX_EARLY_STANZAS, LOGIN_MAX_FRAMES};
use crate::xml::{Frame, StreamHeader, element};
use crate::{Element, ns};

/// What the driver has to do, in order.
#[derive(Debug)]
pub enum LoginOutput {
    /// Write a stream header. What arrives from now on is a new document: take a new decoder,
    /// unless this is the first header.
    OpenStream(StreamHeader),
    /// Write an element, together with what stands before it.
    Send(Element),
    /// Start TLS on this connection, then call [`Login::tls_established`].
    StartTls,
    /// Done. The same decoder goes on.
    Ready(Box<Session>),
    /// Done: the server has forgotten the token, see [`Login::to_invalidate_token`].
    Invalidated,
}

/// What the login is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    Session,
    InvalidateToken,
}

/// What the server offers under TLS.
#[derive(Default)]
struct Offers {
    sasl1: Option<SaslOffer>,
    sasl2: Option<SaslOffer>,
    inline: Option<InlineOffer>,
    features: StreamFeatures,
}

/// The machine. Dropping it forgets the password.
pub struct Login {
    config: LoginConfig,
    goal: Goal,
    /// Prepared at the start, so that bad credentials fail before any traffic.
    username: Zeroizing<String>,
    password: Option<Zeroizing<String>>,
    nonces: Vec<String>,
    tls: TlsFacts,
    offers: Offers,
    /// The choice among what SASL2 offers.
    plan: Option<Choice>,
    /// Went out behind the header, and the server's features are still to come.
    pipelined: Option<Box<Exchange>>,
    has_pipelined: bool,
    token_news: TokenNews,
    resumption: Resumption,
    state: State,
    frame_count: usize,
    has_begun_authentication: bool,
}

const BIND_ID: &str = "bind";

/// A login begins at most this many exchanges: by a plan, then with what the server offers.
const NONCES: usize = 2;

impl Login {
    /// Prepares a login. The nonces are drawn here, so that the machine needs no randomness later.
    ///
    /// # Errors
    /// [`LoginError::NoLocalPart`], [`LoginError::UnpreparableCredentials`],
    /// [`LoginError::NoCredentials`].
    pub fn new(config: LoginConfig, rng: &mut impl CryptoRng) -> Result<Self, LoginError> {
        let node = config.jid.node().ok_or(LoginError::NoLocalPart)?;
        let username = prepare(node.as_str()).ok_or(LoginError::UnpreparableCredentials)?;
        let password = config
            .password
            .as_ref()
            .map(|password| prepare(password.as_str()).ok_or(LoginError::UnpreparableCredentials))
            .transpose()?;
        if password.is_none() && config.token.is_none() {
            return Err(LoginError::NoCredentials);
        }
        let phase = match config.transport {
            Transport::StartTls => Phase::Plaintext,
            Transport::DirectTls | Transport::WebSocket => Phase::Encrypted,
        };
        Ok(Self {
            config,
            goal: Goal::Session,
            username,
            password,
            nonces: (0..NONCES).map(|_| draw_nonce(rng)).collect(),
            tls: TlsFacts::default(),
            offers: Offers::default(),
            plan: None,
            pipelined: None,
            has_pipelined: false,
            token_news: TokenNews::Unchanged,
            resumption: Resumption::NotAsked,
            state: State::Header(phase),
            frame_count: 0,
            has_begun_authentication: false,
        })
    }

    /// Instead of a session, asks the server to forget [`LoginConfig::token`] (XEP-0484 §3.6), as
    /// the user logs out. Ends in [`LoginOutput::Invalidated`]; if the server says
    /// [`LoginError::AuthRejected`], it knew the token no more.
    ///
    /// # Errors
    /// As [`Self::new`], and [`LoginError::NoCredentials`] if there is no token.
    pub fn to_invalidate_token(
        config: LoginConfig,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, LoginError> {
        if config.token.is_none() {
            return Err(LoginError::NoCredentials);
        }
        Ok(Self {
            goal: Goal::InvalidateToken,
            ..Self::new(config, rng)?
        })
    }

    /// The first thing to do. With direct TLS, TLS is up already, and `tls` says what is known of
    /// it; else it is not looked at.
    #[must_use]
    pub fn start(&mut self, tls: TlsFacts) -> Vec<LoginOutput> {
        match self.state {
            State::Header(Phase::Encrypted) => self.open_encrypted(tls),
            _ => self.open_plaintext(),
        }
    }

    /// Something went out behind the header, and the server has not taken it yet. If the server then hangs
    /// up, it may be for that: try again without, by [`super::Pins::breaks_pipelining`].
    #[must_use]
    pub const fn has_pipelined(&self) -> bool {
        self.has_pipelined
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
                if phase == Phase::Encrypted {
                    self.offers = Offers {
                        sasl1: SaslOffer::sasl1(&element),
                        sasl2: SaslOffer::sasl2(&element),
                        inline: InlineOffer::parse(&element),
                        features: StreamFeatures::default(),
                    };
                }
                self.handle_features(phase, features)
            }
            State::Proceed => self.handle_proceed(&element, unread_bytes),
            State::ServerFirst(password, state) => {
                self.handle_server_first(password, *state, &element)
            }
            State::ServerFinal(password, state) => {
                self.handle_server_final(password, state, &element)
            }
            State::Outcome(password, verified) => self.handle_outcome(password, verified, &element),
            State::Exchange(exchange) => self.handle_exchange(*exchange, &element),
            State::Resumed(authentication, features) => {
                self.handle_resumed(authentication, *features, &element)
            }
            State::Bound(unbound) => self.handle_bound(*unbound, &element),
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
    pub fn tls_established(&mut self, tls: TlsFacts) -> Result<Vec<LoginOutput>, LoginError> {
        if !matches!(self.state, State::Tls) {
            return Err(LoginError::UnexpectedElement {
                name: "TLS".to_owned(),
                expected: self.state.expected(),
            });
        }
        self.state = State::Header(Phase::Encrypted);
        Ok(self.open_encrypted(tls))
    }

    /// [`Self::handle_frame`] with this frame does the key derivation: up to
    /// [`crate::limits::SCRAM_MAX_ITERATIONS`] rounds, to be kept off a thread that others wait
    /// for.
    #[must_use]
    pub fn is_costly(&self, frame: &Frame) -> bool {
        matches!(self.state, State::ServerFirst(..) | State::Exchange(_))
            && matches!(frame, Frame::Element(element)
                if element.is("challenge", ns::SASL) || element.is("challenge", ns::SASL2))
    }

    /// The server let us in, and what follows is under the limits of a session.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        matches!(
            self.state,
            State::Header(Phase::Authenticated(_))
                | State::Features(Phase::Authenticated(_))
                | State::Resumed(..)
                | State::Bound(_)
                | State::Enabled(_)
        )
    }

    /// The server has been told who wants to log in. From here on a failure is about this account,
    /// and trying another host would not help.
    #[must_use]
    pub const fn has_begun_authentication(&self) -> bool {
        self.has_begun_authentication
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
                if self.has_pipelined {
                    return Ok(Vec::new());
                }
                Ok(vec![LoginOutput::Send(element("starttls", ns::TLS))])
            }
            Phase::Encrypted => {
                self.offers.features = features;
                let is_pinned = self.config.pins.sasl2.is_some();
                if self.config.sasl2 && (self.offers.sasl2.is_some() || is_pinned) {
                    return self.handle_sasl2_offer();
                }
                if self.goal == Goal::InvalidateToken {
                    return Err(LoginError::NoCredentials);
                }
                self.authenticate()
            }
            Phase::Authenticated(authentication) => {
                let resumption = core::mem::take(&mut self.resumption);
                self.take_up_or_bind(authentication, features, resumption)
            }
        }
    }

    /// What a login ends with, before what binding adds to it.
    fn session(
        &self,
        authentication: Authentication,
        full_jid: FullJid,
        features: StreamFeatures,
    ) -> Box<Session> {
        let mut pins = self.config.pins.clone();
        pins.note_offer(
            [self.offers.sasl1.as_ref(), self.offers.sasl2.as_ref()],
            self.offers.inline.as_ref().filter(|_| self.config.sasl2),
            self.plan.as_ref(),
        );
        if let Authentication::Password {
            mechanism,
            channel_binding,
        } = authentication
        {
            pins.note_login(mechanism, channel_binding);
        }
        Box::new(Session {
            full_jid,
            authentication,
            stream_management: None,
            resumption: Resumption::NotAsked,
            carbons: false,
            client_state: None,
            token: self.token_news.clone(),
            pins,
            limits: features.limits,
            features,
            early: Vec::new(),
        })
    }
}

fn base64(data: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(data)
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
