//! SASL2 (XEP-0388) with Bind 2 (XEP-0386), FAST (XEP-0484) and resumption (XEP-0198 §9) in one
//! `<authenticate/>`, which may go out directly behind the stream header.
//!
//! ```text
//!   header + authenticate ─► (features come, and are compared) ─► challenge ► response ─► success ► ready
//!                                        │                     └► failure: token refused, or the plan was old
//!                                        └► weaker than pinned: refused
//! ```

mod request;
mod success;

use zeroize::Zeroizing;

use super::super::error::LoginError;
use super::super::inline::InlineOffer;
use super::super::pins::Downgrade;
use super::super::sasl::{
    AwaitResponder, AwaitServerFinal, AwaitServerFirst, Choice, FastMechanism, Gs2, Mechanism,
};
use super::super::session::Authentication;
use super::super::token::TokenNews;
use super::authenticate::{Opening, check_failure, sasl_data};
use super::state::{Password, State, Verified};
use super::{Goal, Login, LoginOutput, unexpected};
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

use self::request::Asked;

/// An `<authenticate/>` that the server has not answered for good.
pub(super) struct Exchange {
    proof: Proof,
    asked: Asked,
    /// It went out before the server's features were known, on this plan.
    plan: Option<Plan>,
}

/// What was sent, and is awaited.
enum Proof {
    ServerFirst(Password, Box<AwaitServerFirst>),
    ServerFinal(Password, AwaitServerFinal),
    /// Only `<success/>` is missing.
    Known(Password, Verified),
    Token(FastMechanism, AwaitResponder),
}

/// What was assumed of a server that had not spoken yet.
#[derive(PartialEq, Eq)]
enum Plan {
    Password(Choice),
    Token,
}

impl Login {
    /// What may go out before the server said anything, by its record.
    pub(super) fn pipelined(&mut self) -> Option<(Element, Box<Exchange>)> {
        if !self.config.sasl2 || self.config.pins.breaks_pipelining {
            return None;
        }
        let inline = self.config.pins.sasl2.clone()?;
        if let Some((element, exchange)) = self.with_token(&inline) {
            let exchange = Exchange {
                plan: Some(Plan::Token),
                ..exchange
            };
            return Some((element, Box::new(exchange)));
        }
        let choice = self.planned_choice()?;
        let (element, exchange) = self.with_password(&choice, &inline).ok()?;
        let exchange = Exchange {
            plan: Some(Plan::Password(choice)),
            ..exchange
        };
        Some((element, Box::new(exchange)))
    }

    /// The choice of the last login, if this connection can repeat it. PLAIN never: it would hand
    /// the password to a server that has said nothing.
    fn planned_choice(&self) -> Option<Choice> {
        let (mechanism, binding) = self.config.pins.plan?;
        if mechanism == Mechanism::Plain {
            return None;
        }
        let gs2 = match binding {
            Some(kind) => Gs2::Bound(kind, self.tls.binding(kind)?.to_vec()),
            None if self.tls.can_bind() => Gs2::NotOffered,
            None => Gs2::CannotBind,
        };
        let choice = Choice {
            mechanism,
            gs2,
            needs_digest: false,
        };
        self.config.pins.check(&choice).ok()?;
        Some(choice)
    }

    /// The server's features are here; SASL2 is among them or was pinned.
    pub(super) fn handle_sasl2_offer(&mut self) -> Result<Vec<LoginOutput>, LoginError> {
        let Some(offer) = self.offers.sasl2.clone() else {
            return Err(Downgrade::Sasl2Missing.into());
        };
        let choice = self.choose(&offer);
        // A token needs no mechanism for passwords, but what was pinned must still be there.
        let choice = match choice {
            Err(LoginError::NoAcceptableMechanism { .. }) if self.config.token.is_some() => None,
            other => Some(other?),
        };
        self.plan.clone_from(&choice);
        if let Some(exchange) = self.pipelined.take() {
            // If the server has what was assumed, it is answering already; if not, it says so.
            self.state = State::Exchange(exchange);
            return Ok(Vec::new());
        }
        let inline = self.offers.inline.clone().unwrap_or_default();
        if let Some((element, exchange)) = self.with_token(&inline) {
            self.state = State::Exchange(Box::new(exchange));
            return Ok(vec![LoginOutput::Send(element)]);
        }
        self.authenticate2()
    }

    /// With the password, on what the server offers.
    fn authenticate2(&mut self) -> Result<Vec<LoginOutput>, LoginError> {
        if self.goal == Goal::InvalidateToken {
            return Err(LoginError::NoCredentials);
        }
        let choice = self.plan.clone().ok_or(LoginError::NoCredentials)?;
        let inline = self.offers.inline.clone().unwrap_or_default();
        let (element, exchange) = self.with_password(&choice, &inline)?;
        self.state = State::Exchange(Box::new(exchange));
        Ok(vec![LoginOutput::Send(element)])
    }

    fn with_token(&mut self, inline: &InlineOffer) -> Option<(Element, Exchange)> {
        let token = self.config.token.clone()?;
        self.config.user_agent.as_ref()?;
        if self.token_news == TokenNews::Rejected
            || !inline.fast.contains(&token.mechanism)
            || !self.is_bound_enough(token.mechanism)
        {
            return None;
        }
        let (state, message) =
            AwaitResponder::start(token.mechanism, &self.username, token.secret(), &self.tls)?;
        self.has_begun_authentication = true;
        let asked = self.asked(inline, true);
        let initial = super::base64(&message);
        let element = self.request(&token.mechanism.to_string(), &initial, &asked);
        let exchange = Exchange {
            proof: Proof::Token(token.mechanism, state),
            asked,
            plan: None,
        };
        Some((element, exchange))
    }

    fn with_password(
        &mut self,
        choice: &Choice,
        inline: &InlineOffer,
    ) -> Result<(Element, Exchange), LoginError> {
        let (password, opening) = self.open(choice)?;
        let asked = self.asked(inline, false);
        let initial = Zeroizing::new(opening.initial_response());
        let element = self.request(choice.mechanism.name(), &initial, &asked);
        let proof = match opening {
            Opening::Scram(state, _) => Proof::ServerFirst(password, state),
            Opening::Plain(_) => Proof::Known(password, Verified::ByCertificateOnly),
        };
        let exchange = Exchange {
            proof,
            asked,
            plan: None,
        };
        Ok((element, exchange))
    }

    pub(super) fn handle_exchange(
        &mut self,
        exchange: Exchange,
        answer: &Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        if let Err(error) = check_failure(answer, ns::SASL2) {
            return self.handle_refusal(exchange, error);
        }
        if answer.is("continue", ns::SASL2) {
            return Err(further_steps(answer));
        }
        let Exchange { proof, asked, plan } = exchange;
        if answer.is("challenge", ns::SASL2) {
            let data = sasl_data(&answer.text())?;
            let (proof, response) = match proof {
                Proof::ServerFirst(password, state) => {
                    let (state, message) = self.respond(password, *state, &data, true)?;
                    let response = element("response", ns::SASL2);
                    (
                        Proof::ServerFinal(password, state),
                        response.with_text(super::base64(message.as_bytes())),
                    )
                }
                Proof::ServerFinal(password, state) => {
                    let verified = super::authenticate::verify(state, &data)?;
                    (
                        Proof::Known(password, verified),
                        element("response", ns::SASL2),
                    )
                }
                Proof::Known(..) | Proof::Token(..) => {
                    return Err(unexpected(answer, "SASL2 success"));
                }
            };
            self.state = State::Exchange(Box::new(Exchange { proof, asked, plan }));
            return Ok(vec![LoginOutput::Send(response)]);
        }
        if !answer.is("success", ns::SASL2) {
            return Err(unexpected(answer, "SASL2 challenge or success"));
        }
        let data = match answer.get_child("additional-data", ns::SASL2) {
            Some(data) => sasl_data(&data.text())?,
            None => Vec::new(),
        };
        let (authentication, verified) = believe(proof, &data)?;
        self.handle_success(authentication, verified, &asked, answer)
    }

    /// The server said no. A token that it no longer takes gives way to the password, and a plan
    /// that was made without the server to what it really offers.
    fn handle_refusal(
        &mut self,
        exchange: Exchange,
        error: LoginError,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        if error.is_temporary() {
            return Err(error);
        }
        match (&exchange.proof, &exchange.plan) {
            (Proof::Token(..), _) => {
                self.token_news = TokenNews::Rejected;
                if self.password.is_none() || self.goal == Goal::InvalidateToken {
                    return Err(error);
                }
                self.authenticate2()
            }
            (Proof::ServerFirst(..), Some(Plan::Password(planned)))
                if self.plan.as_ref().is_some_and(|offered| offered != planned) =>
            {
                self.authenticate2()
            }
            _ => Err(error),
        }
    }
}

/// Why the server is believed. Without a reason there is no session.
fn believe(proof: Proof, data: &[u8]) -> Result<(Authentication, Verified), LoginError> {
    match proof {
        // The server lets us in without having asked for proof, or given any.
        Proof::ServerFirst(..) => Err(super::super::sasl::ScramError::NoServerSignature.into()),
        Proof::ServerFinal(password, state) => Ok((
            password.authentication,
            super::authenticate::verify(state, data)?,
        )),
        Proof::Known(password, verified) => Ok((password.authentication, verified)),
        Proof::Token(mechanism, state) => {
            let proven = state.verify(data).ok_or(LoginError::UnprovenToken)?;
            Ok((Authentication::Token(mechanism), Verified::Proven(proven)))
        }
    }
}

fn further_steps(answer: &Element) -> LoginError {
    LoginError::FurtherSteps {
        tasks: answer
            .get_child("tasks", ns::SASL2)
            .into_iter()
            .flat_map(Element::children)
            .map(|task| task.text().chars().take(64).collect())
            .take(16)
            .collect(),
    }
}

#[cfg(test)]
mod tests;
