//! What logs an account in, and what is known of its server: one value in the encrypted database.

use core::fmt;

use eft_store::Credential;
use eft_xmpp::stream::{FastToken, LoginConfig, Password, Pins, TokenNews, UserAgent};
use zeroize::Zeroizing;

use crate::config::Credentials;
use crate::error::Error;
use crate::fields;
use crate::report::LoginReport;

/// First byte of what 0.1 wrote at first: a password alone follows.
const PASSWORD: u8 = 1;

/// First byte of the present form: four fields, each with its length before it.
const LOGIN: u8 = 2;

/// The name of this software, as the server sees it.
const SOFTWARE: &str = "Eft";

/// The beginning of the resource that Bind 2 makes up. Contacts may see it.
const TAG: &str = "eft";

/// Kept between connections: password, token (XEP-0484), who we are to the server (XEP-0388), and what the server once
/// showed of itself ([`Pins`]).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    password: Zeroizing<String>,
    /// UUID of this installation: tokens belong to it.
    user_agent: String,
    token: Option<FastToken>,
    pins: Pins,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

impl Login {
    /// Of a new installation.
    pub(crate) fn new(credentials: &Credentials, random: [u8; 16]) -> Self {
        Self {
            password: credentials.password.clone(),
            user_agent: uuid(random),
            token: None,
            pins: Pins::default(),
        }
    }

    /// What a connection is made with.
    pub(crate) fn config(&self, jid: eft_types::BareJid) -> Result<LoginConfig, Error> {
        let mut user_agent = UserAgent::new(&self.user_agent).map_err(|_| damaged())?;
        user_agent.software = Some(SOFTWARE.to_owned());
        let mut config = LoginConfig::new(jid, Password::new(self.password.as_str().to_owned()));
        config.user_agent = Some(user_agent);
        config.tag = Some(TAG.to_owned());
        config.token.clone_from(&self.token);
        config.request_token = true;
        config.pins = self.pins.clone();
        Ok(config)
    }

    /// What is to be kept after a login. A new token works from now on, and the old one until then.
    #[must_use]
    pub(crate) fn after(&self, pins: &Pins, token: &TokenNews) -> Self {
        Self {
            pins: pins.clone(),
            token: match token {
                TokenNews::Unchanged => self.token.clone(),
                TokenNews::New(token) => Some(token.clone()),
                TokenNews::Rejected => None,
            },
            ..self.clone()
        }
    }

    /// Another password. The token stood for the one before; that the server offers no less than it did still holds.
    #[must_use]
    pub(crate) fn with_password(&self, password: Zeroizing<String>) -> Self {
        Self {
            password,
            token: None,
            ..self.clone()
        }
    }

    /// The user knows why the server offers less than it did, and goes on.
    #[must_use]
    pub(crate) fn without_pins(&self) -> Self {
        Self {
            pins: Pins::default(),
            ..self.clone()
        }
    }

    /// What may be told of it.
    pub(crate) fn report(&self) -> LoginReport {
        LoginReport::new(&self.pins, self.token.is_some())
    }

    /// What must not be told, whoever says it.
    pub(crate) fn password(&self) -> Zeroizing<String> {
        self.password.clone()
    }

    /// For the database.
    pub(crate) fn encode(&self) -> Credential {
        let token = self.token.as_ref().map(FastToken::to_bytes);
        let pins = self.pins.to_bytes();
        let mut bytes = vec![LOGIN];
        for field in [
            self.password.as_bytes(),
            self.user_agent.as_bytes(),
            token.as_ref().map_or(&[], |token| token.as_slice()),
            &pins,
        ] {
            fields::put(&mut bytes, field);
        }
        Credential::new(bytes)
    }

    /// Out of the database. `random` names an installation that has no name yet.
    ///
    /// # Errors
    /// [`Error::AuthRejected`] if there is nothing to log in with; [`Error::StoreDamaged`] if it cannot be read:
    /// going on without the pins would be what somebody in between hopes for.
    pub(crate) fn decode(credential: Option<&Credential>, random: [u8; 16]) -> Result<Self, Error> {
        let Some(credential) = credential else {
            return Err(Error::AuthRejected {
                reason: "no password is stored for this account".to_owned(),
            });
        };
        let text = |bytes: &[u8]| {
            core::str::from_utf8(bytes)
                .map(str::to_owned)
                .map_err(|_| damaged())
        };
        match credential.as_bytes().split_first() {
            Some((&PASSWORD, password)) => Ok(Self {
                password: text(password)?.into(),
                user_agent: uuid(random),
                token: None,
                pins: Pins::default(),
            }),
            Some((&LOGIN, mut rest)) => {
                let mut field = || fields::take(&mut rest).ok_or_else(damaged);
                let login = Self {
                    password: text(field()?)?.into(),
                    user_agent: text(field()?)?,
                    // A token that cannot be read is one less; the password is still there.
                    token: FastToken::from_bytes(field()?).ok(),
                    pins: Pins::from_bytes(field()?).map_err(|_| damaged())?,
                };
                if rest.is_empty() {
                    Ok(login)
                } else {
                    Err(damaged())
                }
            }
            _ => Err(damaged()),
        }
    }
}

fn damaged() -> Error {
    Error::StoreDamaged {
        reason: "what logs the account in cannot be read".to_owned(),
        cause: None,
    }
}

/// A UUID of version 4 (RFC 9562 §5.4).
fn uuid(mut random: [u8; 16]) -> String {
    random[6] = (random[6] & 0x0f) | 0x40;
    random[8] = (random[8] & 0x3f) | 0x80;
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    [0..8, 8..12, 12..16, 16..20, 20..32]
        .map(|part| &hex[part])
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Login {
        let credentials = Credentials {
            jid: "alice@a.example".parse().unwrap(),
            password: "pässword".to_owned().into(),
        };
        Login::new(&credentials, [0xff; 16])
    }

    #[test]
    fn a_login_survives_its_bytes_and_does_not_print() {
        let login = login();
        let again = Login::decode(Some(&login.encode()), [0; 16]).unwrap();
        assert_eq!(again, login);
        assert_eq!(again.user_agent, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert!(!format!("{login:?}").contains("pässword"));
        let config = again.config("alice@a.example".parse().unwrap()).unwrap();
        assert!(config.request_token && config.user_agent.is_some());
    }

    #[test]
    fn a_password_of_the_first_form_gets_an_installation_of_its_own() {
        let old = Credential::new(b"\x01secret".to_vec());
        let login = Login::decode(Some(&old), [7; 16]).unwrap();
        assert_eq!(login.password.as_str(), "secret");
        assert!(UserAgent::new(&login.user_agent).is_ok());
    }

    #[test]
    fn a_cut_or_longer_or_unknown_one_is_damaged_and_not_taken_for_one_without_pins() {
        let whole = login().encode().as_bytes().to_vec();
        for cut in 0..whole.len() {
            let error = Login::decode(Some(&Credential::new(whole[..cut].to_vec())), [0; 16]);
            assert_eq!(error.unwrap_err().code(), "store-damaged", "{cut}");
        }
        let longer = [whole.as_slice(), b"x"].concat();
        let unknown = b"\x09secret".to_vec();
        for bytes in [longer, unknown] {
            let error = Login::decode(Some(&Credential::new(bytes)), [0; 16]).unwrap_err();
            assert_eq!(error.code(), "store-damaged");
        }
        let none = Login::decode(None, [0; 16]).unwrap_err();
        assert_eq!(none.code(), "auth-rejected");
    }
}
