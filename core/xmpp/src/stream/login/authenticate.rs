//! Proving the password, by SASL1's `<auth/>` (RFC 6120 §6) or within SASL2.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use super::super::config::Transport;
use super::super::error::LoginError;
use super::super::pins::Downgrade;
use super::super::sasl::{
    AwaitServerFinal, AwaitServerFirst, Choice, Evidence, Gs2, Refusal, SaslOffer, ScramError,
    plain_message,
};
use super::super::session::Authentication;
use super::state::{Password, Phase, State, Verified};
use super::{Login, LoginOutput, unexpected};
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// A begun exchange with its first message.
pub(super) enum Opening {
    Scram(Box<AwaitServerFirst>, String),
    Plain(Zeroizing<Vec<u8>>),
}

impl Opening {
    pub(super) fn initial_response(&self) -> String {
        match self {
            Self::Scram(_, first) => BASE64.encode(first),
            Self::Plain(message) => BASE64.encode(message.as_slice()),
        }
    }
}

impl Login {
    /// The best of an offer, if it is no worse than what the server once had. Nothing was sent to
    /// this server before this is asked, except what is bound to its own TLS connection.
    pub(super) fn choose(&self, offer: &SaslOffer) -> Result<Choice, LoginError> {
        let pins = &self.config.pins;
        let allow_plain = pins.allows_plain(self.config.allow_plain);
        let mut choice = offer.choose(&self.tls, allow_plain).map_err(|refusal| {
            match (refusal, pins.mechanism) {
                (Refusal::BindingStripped, _) => Downgrade::BindingStripped.into(),
                (Refusal::NothingAcceptable, Some(pinned)) => Downgrade::Mechanism {
                    pinned,
                    offered: None,
                }
                .into(),
                (Refusal::NothingAcceptable, None) => LoginError::NoAcceptableMechanism {
                    offered: offer.mechanisms.clone(),
                },
            }
        })?;
        pins.check(&choice)?;
        // A web server in front may be where TLS ends, so unless the XMPP server says that it can see our TLS, we
        // cannot bind to it; and ejabberd 24.12 takes "we could" for an attack there. Who once let us in with a
        // binding has been refused above.
        if self.config.transport == Transport::WebSocket && choice.gs2 == Gs2::NotOffered {
            choice.gs2 = Gs2::CannotBind;
        }
        Ok(choice)
    }

    /// Begins with the password. Uses up one nonce.
    pub(super) fn open(&mut self, choice: &Choice) -> Result<(Password, Opening), LoginError> {
        let password = self.password.as_ref().ok_or(LoginError::NoCredentials)?;
        let nonce = self.nonces.pop().ok_or(LoginError::TooManySteps)?;
        let scram = AwaitServerFirst::start(
            choice.mechanism,
            &choice.gs2,
            &self.username,
            password,
            nonce,
        );
        let opening = match scram {
            Some((state, first)) => Opening::Scram(Box::new(state), first),
            None => Opening::Plain(plain_message(&self.username, password)),
        };
        self.has_begun_authentication = true;
        let password = Password {
            authentication: Authentication::Password {
                mechanism: choice.mechanism,
                channel_binding: choice.binding(),
            },
            needs_digest: choice.needs_digest,
        };
        Ok((password, opening))
    }

    /// SASL1.
    pub(super) fn authenticate(&mut self) -> Result<Vec<LoginOutput>, LoginError> {
        let choice = self.choose(&self.offers.sasl1.clone().unwrap_or_default())?;
        let (password, opening) = self.open(&choice)?;
        let initial = opening.initial_response();
        self.state = match opening {
            Opening::Scram(state, _) => State::ServerFirst(password, state),
            Opening::Plain(_) => State::Outcome(password, Verified::ByCertificateOnly),
        };
        Ok(vec![LoginOutput::Send(
            element("auth", ns::SASL)
                .with_attr("mechanism", choice.mechanism.name())
                .with_text(initial),
        )])
    }

    /// The answer to the server's challenge.
    pub(super) fn respond(
        &self,
        password: Password,
        state: AwaitServerFirst,
        challenge: &[u8],
        is_sasl2: bool,
    ) -> Result<(AwaitServerFinal, String), LoginError> {
        let offer = if is_sasl2 {
            &self.offers.sasl2
        } else {
            &self.offers.sasl1
        };
        let evidence = Evidence {
            offer: offer.as_ref().ok_or(LoginError::TooManySteps)?,
            tls_version: self.tls.version,
            needs_digest: password.needs_digest,
        };
        Ok(state.respond(challenge, evidence)?)
    }

    pub(super) fn handle_server_first(
        &mut self,
        password: Password,
        state: AwaitServerFirst,
        element_in: &Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        check_failure(element_in, ns::SASL)?;
        if element_in.is("success", ns::SASL) {
            // The server lets us in without having asked for proof, or given any.
            return Err(ScramError::NoServerSignature.into());
        }
        if !element_in.is("challenge", ns::SASL) {
            return Err(unexpected(element_in, "SASL challenge"));
        }
        let (state, message) =
            self.respond(password, state, &sasl_data(&element_in.text())?, false)?;
        self.state = State::ServerFinal(password, state);
        Ok(vec![LoginOutput::Send(
            element("response", ns::SASL).with_text(BASE64.encode(message)),
        )])
    }

    pub(super) fn handle_server_final(
        &mut self,
        password: Password,
        state: AwaitServerFinal,
        element_in: &Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        check_failure(element_in, ns::SASL)?;
        let is_success = element_in.is("success", ns::SASL);
        if !is_success && !element_in.is("challenge", ns::SASL) {
            return Err(unexpected(element_in, "SASL success"));
        }
        let verified = verify(state, &sasl_data(&element_in.text())?)?;
        if is_success {
            return Ok(self.restart(password, verified));
        }
        self.state = State::Outcome(password, verified);
        Ok(vec![LoginOutput::Send(element("response", ns::SASL))])
    }

    pub(super) fn handle_outcome(
        &mut self,
        password: Password,
        verified: Verified,
        element: &Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        check_failure(element, ns::SASL)?;
        if !element.is("success", ns::SASL) {
            return Err(unexpected(element, "SASL success"));
        }
        Ok(self.restart(password, verified))
    }

    /// Needs the reason why the server is believed.
    fn restart(&mut self, password: Password, _verified: Verified) -> Vec<LoginOutput> {
        self.state = State::Header(Phase::Authenticated(password.authentication));
        vec![LoginOutput::OpenStream(self.header())]
    }
}

/// The server's signature, which must be there.
pub(super) fn verify(state: AwaitServerFinal, data: &[u8]) -> Result<Verified, LoginError> {
    if data.is_empty() {
        return Err(ScramError::NoServerSignature.into());
    }
    Ok(Verified::Proven(state.verify(data)?))
}

/// Turns `<failure/>` into an error (RFC 6120 §6.5, XEP-0388 §2.6.2). In SASL2 the condition should
/// stand in the namespace of SASL1; Prosody's FAST puts it into its own.
pub(super) fn check_failure(element: &Element, ns: &str) -> Result<(), LoginError> {
    if !element.is("failure", ns) {
        return Ok(());
    }
    let is_ours = |child: &&Element| child.has_ns(ns::SASL) || child.has_ns(ns);
    let condition = element
        .children()
        .filter(is_ours)
        .find(|child| child.name() != "text")
        .map_or("undefined-condition", Element::name);
    Err(LoginError::AuthRejected {
        condition: condition.to_owned(),
        text: element
            .children()
            .filter(is_ours)
            .find(|child| child.name() == "text")
            .map(Element::text)
            .filter(|text| !text.is_empty()),
    })
}

/// Base64 data of a challenge or success; `=` alone stands for empty data (RFC 6120 §6.4.2).
pub(super) fn sasl_data(text: &str) -> Result<Vec<u8>, LoginError> {
    let text = text.trim();
    if text == "=" {
        return Ok(Vec::new());
    }
    BASE64
        .decode(text)
        .map_err(|_| ScramError::Malformed.into())
}
