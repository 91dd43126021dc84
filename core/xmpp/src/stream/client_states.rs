//! Which client state (XEP-0352) the server is to be told, and when. Every stream begins as active, a resumed one
//! too (§4.2), whatever the server was told before: so what is wanted is said again.

use super::config::ClientState;
use super::session::Session;

/// What is wanted, and what the server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientStates {
    wanted: ClientState,
    told: ClientState,
    is_offered: bool,
}

impl ClientStates {
    /// At the beginning of a stream, resumed or not. `wanted` as in [`super::LoginConfig::client_state`]; without a wish,
    /// a session is active.
    #[must_use]
    pub fn begin(session: &Session, wanted: Option<ClientState>) -> Self {
        let inline = session.pins.sasl2.as_ref().and_then(|offer| offer.bind);
        Self {
            wanted: wanted.unwrap_or(ClientState::Active),
            told: session.client_state.unwrap_or(ClientState::Active),
            is_offered: session.features.client_state
                || inline.is_some_and(|bind| bind.client_state),
        }
    }

    /// Features came that offer it. With SASL2 they come late.
    pub fn note_offer(&mut self) {
        self.is_offered = true;
    }

    /// The app was looked at, or is no longer.
    pub fn want(&mut self, state: ClientState) {
        self.wanted = state;
    }

    /// What to tell the server now. It counts as told then.
    pub fn take_due(&mut self) -> Option<ClientState> {
        if !self.is_offered || self.wanted == self.told {
            return None;
        }
        self.told = self.wanted;
        Some(self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::super::features::StreamFeatures;
    use super::*;
    use ClientState::{Active, Inactive};

    fn states(
        told: Option<ClientState>,
        wanted: Option<ClientState>,
        is_offered: bool,
    ) -> ClientStates {
        let mut session = Session::bare("user@b.example/phone");
        session.client_state = told;
        session.features = StreamFeatures {
            client_state: is_offered,
            ..StreamFeatures::default()
        };
        ClientStates::begin(&session, wanted)
    }

    #[test]
    fn what_the_login_told_is_not_told_again_and_a_resumed_stream_is_told_anew() {
        assert_eq!(
            states(Some(Inactive), Some(Inactive), true).take_due(),
            None
        );
        let mut resumed = states(None, Some(Inactive), true);
        assert_eq!(resumed.take_due(), Some(Inactive));
        assert_eq!(resumed.take_due(), None);
        resumed.want(Active);
        resumed.want(Inactive);
        assert_eq!(resumed.take_due(), None, "there and back is nothing");
        resumed.want(Active);
        assert_eq!(resumed.take_due(), Some(Active));
        assert_eq!(states(None, None, true).take_due(), None);
    }

    #[test]
    fn a_server_that_does_not_offer_it_hears_nothing_until_it_does() {
        let mut states = states(None, Some(Inactive), false);
        assert_eq!(states.take_due(), None);
        states.note_offer();
        assert_eq!(states.take_due(), Some(Inactive));
    }
}
