//! `<success/>` and what stands in it.

use super::super::super::error::LoginError;
use super::super::super::resumption::Resumption;
use super::super::super::session::{Authentication, StreamResumption};
use super::super::super::token::{FastToken, TokenNews};
use super::super::state::{Phase, State, Verified};
use super::super::{Goal, Login, LoginOutput};
use super::request::Asked;
use crate::{Element, address, ns};

impl Login {
    /// Needs the reason why the server is believed.
    pub(super) fn handle_success(
        &mut self,
        authentication: Authentication,
        _verified: Verified,
        asked: &Asked,
        success: &Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        if self.goal == Goal::InvalidateToken {
            return Ok(vec![LoginOutput::Invalidated]);
        }
        let identifier = success
            .get_child("authorization-identifier", ns::SASL2)
            .map(Element::text);
        self.note_token(authentication, asked, success);
        // Not those of the authenticated stream: they follow when the stream is already in use.
        let features = self.offers.features.clone();

        let mut resumption = Resumption::NotAsked;
        if let Some(request) = self.config.resume.clone().filter(|_| asked.resume) {
            let resumed = success
                .children()
                .find_map(|child| Resumption::resumed(child, &request));
            if let Some(resumed) = resumed {
                // Prosody names the full address here, ejabberd may name the bare one: what counts
                // is what was bound then.
                self.check_own(identifier.as_deref())?;
                let mut session = self.session(authentication, request.full_jid, features);
                session.resumption = resumed;
                session.stream_management = Some(StreamResumption {
                    id: Some(request.id),
                    ..StreamResumption::default()
                });
                return Ok(vec![LoginOutput::Ready(session)]);
            }
            resumption =
                success
                    .children()
                    .find_map(Resumption::refused)
                    .unwrap_or(Resumption::Refused {
                        h: None,
                        condition: "undefined-condition".to_owned(),
                    });
        }

        let bound = success.get_child("bound", ns::BIND2);
        let (Some(bind), Some(bound)) = (asked.bind, bound) else {
            self.check_own(identifier.as_deref())?;
            // Features follow without a new header, and binding goes the old way.
            self.resumption = resumption;
            self.state = State::Features(Phase::Authenticated(authentication));
            return Ok(Vec::new());
        };
        let full_jid = self.own_full_jid(identifier.as_deref())?;
        let mut session = self.session(authentication, full_jid, features);
        session.resumption = resumption;
        session.carbons = bind.carbons;
        session.client_state = bind.client_state;
        session.stream_management = bound
            .get_child("enabled", ns::SM)
            .filter(|_| bind.stream_management)
            .map(StreamResumption::parse);
        Ok(vec![LoginOutput::Ready(session)])
    }

    /// The address that the server let us in as, with or without a resource.
    fn check_own(&self, identifier: Option<&str>) -> Result<(), LoginError> {
        let is_own = identifier
            .and_then(|text| address::jid(text.trim()).ok())
            .is_some_and(|jid| jid.to_bare() == self.config.jid);
        if is_own {
            Ok(())
        } else {
            Err(LoginError::BindRejected {
                condition: "jid-mismatch".to_owned(),
            })
        }
    }

    fn note_token(&mut self, authentication: Authentication, asked: &Asked, success: &Element) {
        let mechanism = match authentication {
            Authentication::Token(mechanism) => Some(mechanism),
            Authentication::Password { .. } => asked.token,
        };
        let token = mechanism.and_then(|mechanism| {
            success
                .children()
                .find_map(|child| FastToken::parse(child, mechanism))
        });
        if let Some(token) = token {
            self.token_news = TokenNews::New(token);
        }
    }
}
