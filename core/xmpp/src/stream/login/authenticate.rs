//! SASL by `<auth/>` (RFC 6120 §6).

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::error::LoginError;
use super::super::features::StreamFeatures;
use super::super::sasl::{
    AwaitServerFinal, AwaitServerFirst, Mechanism, ScramError, choose, plain_message,
};
use super::state::{Phase, State, Verified};
use super::{Login, LoginOutput, unexpected};
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

impl Login {
    pub(super) fn authenticate(
        &mut self,
        features: StreamFeatures,
    ) -> Result<Vec<LoginOutput>, LoginError> {
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

    pub(super) fn handle_server_first(
        &mut self,
        mechanism: Mechanism,
        state: AwaitServerFirst,
        element_in: &Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        sasl_failure(element_in)?;
        if element_in.is("success", ns::SASL) {
            // The server lets us in without having asked for proof, or given any.
            return Err(ScramError::NoServerSignature.into());
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

    pub(super) fn handle_server_final(
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
            return Err(ScramError::NoServerSignature.into());
        }
        let verified = Verified::Scram(state.verify(&data)?);
        if is_success {
            return Ok(self.restart(mechanism, verified));
        }
        self.state = State::Outcome(mechanism, verified);
        Ok(vec![LoginOutput::Send(element("response", ns::SASL))])
    }

    pub(super) fn handle_outcome(
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
        .map_err(|_| ScramError::Malformed.into())
}
