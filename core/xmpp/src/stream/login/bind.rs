//! Resource binding (RFC 6120 §7) and the start of XEP-0198.

use eft_types::FullJid;

use super::super::error::LoginError;
use super::super::features::StreamFeatures;
use super::super::sasl::Mechanism;
use super::super::session::{Session, StreamResumption};
use super::state::State;
use super::{BIND_ID, Login, LoginOutput, unexpected};
use crate::limits::LOGIN_MAX_EARLY_STANZAS;
use crate::xep::stanza_error::StanzaError;
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

impl Login {
    pub(super) fn handle_bound(
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

    pub(super) fn handle_enabled(
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
