//! A login against whatever a server says: STARTTLS, SASL with SCRAM challenges, bind, stream management.

mod proof;
mod seeds;
mod server;
mod text;

use eft_types::BareJid;
use eft_xmpp::limits::XmlLimits;
use eft_xmpp::ns;
use eft_xmpp::stream::sasl::{FastMechanism, TlsFacts};
use eft_xmpp::stream::{FastToken, Login, LoginConfig, Password, Transport, UserAgent};
use eft_xmpp::xml::Decoder;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use self::proof::Dialogue;
pub(crate) use self::seeds::seeds;
use self::server::Server;
use crate::input::Input;

const PASSWORD: &str = "pencil";
const TOKEN: &str = "a-token-of-before";

/// Nobody is let in who does not prove to be the server, by what was asked for: password or token. Neither is anywhere in
/// what we send.
pub(crate) fn run(data: &[u8]) {
    let _ = play(data);
}

/// Whether it ends in a session.
fn play(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let flags = input.byte();
    let direct = flags & 1 == 1;
    let config = LoginConfig {
        transport: if direct {
            Transport::DirectTls
        } else {
            Transport::StartTls
        },
        allow_plain: flags & 2 == 2,
        stream_management: flags & 4 == 4,
        resource: (flags & 8 == 8).then(|| "balcony".to_owned()),
        token: (flags & 16 == 16).then(token),
        request_token: flags & 32 == 32,
        user_agent: (flags & 48 != 0)
            .then(|| UserAgent::new("d4565fa7-4d72-4749-b3d3-740edbf87770").unwrap()),
        ..LoginConfig::new(
            BareJid::new("juliet@capulet.example").unwrap(),
            Password::new(PASSWORD.to_owned()),
        )
    };
    let allow_plain = config.allow_plain;
    let login = Login::new(config, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
    let mut server = Server {
        login,
        decoder: Decoder::new(XmlLimits::LOGIN),
        encrypted: direct,
        allow_plain,
        dialogue: Dialogue::default(),
        done: false,
    };
    let outputs = server.login.start(TlsFacts::default());
    server.follow(outputs);
    while !input.is_empty() {
        if !server.say(input.block()) {
            break;
        }
    }
    server.done
}

/// For HT-SHA-256-NONE: what proves it is the same on every connection.
fn token() -> FastToken {
    let text = format!("<token xmlns='{}' token='{TOKEN}'/>", ns::FAST);
    let mechanism = FastMechanism::from_name("HT-SHA-256-NONE").unwrap();
    FastToken::parse(&super::stanzas(text.as_bytes())[0], mechanism).unwrap()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_seeds_reach_a_session_in_each_way_that_there_is() {
        let done: Vec<bool> = super::seeds()
            .iter()
            .map(|seed| super::play(seed))
            .collect();
        let tokens = done.len() - 5;
        assert_eq!(done[..6], [true, true, true, true, false, true]);
        assert!(done[6..tokens].iter().all(|done| !done));
        assert_eq!(done[tokens..], [true, true, true, false, false]);
    }
}
