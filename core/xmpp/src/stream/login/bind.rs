//! After authentication in the old manner: `<resume/>` (XEP-0198 §5), or resource binding (RFC 6120
//! §7) and `<enable/>` (XEP-0198 §3).

use eft_types::FullJid;

use super::super::error::LoginError;
use super::super::features::StreamFeatures;
use super::super::resumption::Resumption;
use super::super::session::{Authentication, Session, StreamResumption};
use super::state::{State, Unbound};
use super::{BIND_ID, Login, LoginOutput, unexpected};
use crate::limits::LOGIN_MAX_EARLY_STANZAS;
use crate::xep::stanza_error::StanzaError;
use crate::xml::{ElementExt, element};
use crate::{Element, address, ns};

impl Login {
    /// The features of the authenticated stream are here.
    pub(super) fn take_up_or_bind(
        &mut self,
        authentication: Authentication,
        features: StreamFeatures,
        resumption: Resumption,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        if let Some(request) = &self.config.resume
            && resumption == Resumption::NotAsked
            && features.stream_management
        {
            let request = request.to_element();
            self.state = State::Resumed(authentication, Box::new(features));
            return Ok(vec![LoginOutput::Send(request)]);
        }
        if !features.bind {
            return Err(LoginError::BindRejected {
                condition: "feature-not-implemented".to_owned(),
            });
        }
        self.state = State::Bound(Box::new(Unbound {
            authentication,
            features,
            resumption,
        }));
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

    pub(super) fn handle_resumed(
        &mut self,
        authentication: Authentication,
        features: StreamFeatures,
        answer: &Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        let Some(request) = self.config.resume.clone() else {
            return Err(unexpected(answer, "nothing"));
        };
        if let Some(resumption) = Resumption::resumed(answer, &request) {
            let mut session = self.session(authentication, request.full_jid, features);
            session.resumption = resumption;
            session.stream_management = Some(StreamResumption {
                id: Some(request.id),
                ..StreamResumption::default()
            });
            return Ok(vec![LoginOutput::Ready(session)]);
        }
        match Resumption::refused(answer) {
            Some(refused) => self.take_up_or_bind(authentication, features, refused),
            None => Err(unexpected(answer, "resumed")),
        }
    }

    pub(super) fn handle_bound(
        &mut self,
        unbound: Unbound,
        element_in: &Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        if !element_in.is("iq", ns::CLIENT) || element_in.attr("id") != Some(BIND_ID) {
            return Err(unexpected(element_in, "bind result"));
        }
        let full_jid = match element_in.attr("type") {
            Some("result") => element_in
                .get_child("bind", ns::BIND)
                .and_then(|bind| bind.get_child("jid", ns::BIND))
                .map(Element::text),
            Some("error") => {
                return Err(LoginError::BindRejected {
                    condition: StanzaError::parse(element_in).condition.name().to_owned(),
                });
            }
            _ => return Err(unexpected(element_in, "bind result")),
        };
        let full_jid = self.own_full_jid(full_jid.as_deref())?;
        let wants_management = self.config.stream_management && unbound.features.stream_management;
        let limits = unbound.features.limits;
        let mut session = self.session(unbound.authentication, full_jid, unbound.features);
        session.resumption = unbound.resumption;
        session.limits = limits;
        if !wants_management {
            return Ok(vec![LoginOutput::Ready(session)]);
        }
        self.state = State::Enabled(session);
        Ok(vec![LoginOutput::Send(
            element("enable", ns::SM).with_attr("resume", "true"),
        )])
    }

    /// Everything that follows trusts "own bare address": it must be the one we logged in as.
    pub(super) fn own_full_jid(&self, text: Option<&str>) -> Result<FullJid, LoginError> {
        let rejected = |condition: &str| LoginError::BindRejected {
            condition: condition.to_owned(),
        };
        let full_jid = text
            .and_then(|text| address::full_jid(text.trim()).ok())
            .ok_or_else(|| rejected("jid-malformed"))?;
        if full_jid.to_bare() != self.config.jid {
            return Err(rejected("jid-mismatch"));
        }
        Ok(full_jid)
    }

    pub(super) fn handle_enabled(
        &mut self,
        mut session: Box<Session>,
        element: Element,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        if element.is("enabled", ns::SM) {
            session.stream_management = Some(StreamResumption::parse(&element));
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
