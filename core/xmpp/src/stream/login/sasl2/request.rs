//! `<authenticate/>` with everything in it.

use super::super::super::config::ClientState;
use super::super::super::inline::InlineOffer;
use super::super::super::sasl::{Choice, FastMechanism};
use super::super::super::token;
use super::super::{Goal, Login};
use crate::xep::{carbons, csi};
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// What an `<authenticate/>` asks for beside authentication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) bind: Option<Bind>,
    pub(super) resume: bool,
    /// A token for this mechanism.
    pub(super) token: Option<FastMechanism>,
    /// The proof is that of a token.
    by_token: bool,
}

/// Features of the session to be bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bind {
    pub(super) carbons: bool,
    pub(super) client_state: Option<ClientState>,
    pub(super) stream_management: bool,
}

impl Login {
    /// What to ask of a server with this offer. What it does not do inline is asked for later, in
    /// the old manner.
    pub(super) fn asked(&self, inline: &InlineOffer, by_token: bool) -> Asked {
        if self.goal == Goal::InvalidateToken {
            return Asked {
                by_token,
                ..Asked::default()
            };
        }
        let config = &self.config;
        // A wish for a resource can only be told in the old manner; and where an old stream can only
        // be taken up in that manner, nothing must be bound before.
        let can_resume = config.resume.is_none() || inline.resume;
        let bind = inline
            .bind
            .filter(|_| config.resource.is_none() && can_resume);
        Asked {
            bind: bind.map(|offer| Bind {
                carbons: config.carbons && offer.carbons,
                client_state: config.client_state.filter(|_| offer.client_state),
                stream_management: config.stream_management && offer.stream_management,
            }),
            resume: config.resume.is_some() && inline.resume,
            token: self.token_to_ask_for(inline, by_token),
            by_token,
        }
    }

    /// The strongest mechanism that this connection could use itself. A token that is bound to no
    /// connection is not taken where passwords are bound to one: it would be the weaker key to the
    /// same door.
    fn token_to_ask_for(&self, inline: &InlineOffer, by_token: bool) -> Option<FastMechanism> {
        // A server hands out a new token by itself when the old one grows old.
        if by_token || !self.config.request_token || self.config.user_agent.is_none() {
            return None;
        }
        let is_usable = |mechanism: &&FastMechanism| {
            mechanism.binding_data(&self.tls).is_some() && self.is_bound_enough(**mechanism)
        };
        inline.fast.iter().filter(is_usable).max().copied()
    }

    pub(super) fn is_bound_enough(&self, mechanism: FastMechanism) -> bool {
        let of_plan = self.plan.as_ref().and_then(Choice::binding);
        let of_password = of_plan.max(self.config.pins.channel_binding);
        mechanism.binding.is_some() || of_password.is_none()
    }

    pub(super) fn request(&self, mechanism: &str, initial: &str, asked: &Asked) -> Element {
        let config = &self.config;
        let invalidate = self.goal == Goal::InvalidateToken;
        element("authenticate", ns::SASL2)
            .with_attr("mechanism", mechanism)
            .with_child(element("initial-response", ns::SASL2).with_text(initial))
            .with_child_if(config.user_agent.as_ref().map(|agent| agent.to_element()))
            .with_child_if(asked.by_token.then(|| token::announcement(invalidate)))
            .with_child_if(asked.token.map(token::request))
            .with_child_if(
                config
                    .resume
                    .as_ref()
                    .filter(|_| asked.resume)
                    .map(|request| request.to_element()),
            )
            .with_child_if(asked.bind.map(|bind| self.bind_request(bind)))
    }

    fn bind_request(&self, bind: Bind) -> Element {
        let tag = self.config.tag.as_ref();
        let state = bind.client_state.map(|state| match state {
            ClientState::Active => csi::active(),
            ClientState::Inactive => csi::inactive(),
        });
        element("bind", ns::BIND2)
            .with_child_if(tag.map(|tag| element("tag", ns::BIND2).with_text(tag)))
            .with_child_if(bind.carbons.then(carbons::enable))
            .with_child_if(
                bind.stream_management
                    .then(|| element("enable", ns::SM).with_attr("resume", "true")),
            )
            .with_child_if(state)
    }
}
