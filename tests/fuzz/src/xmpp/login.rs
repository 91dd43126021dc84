//! A login against whatever a server says: STARTTLS, SASL with SCRAM challenges, bind, stream management.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use eft_types::BareJid;
use eft_xmpp::limits::XmlLimits;
use eft_xmpp::stream::sasl::{FastMechanism, TlsFacts};
use eft_xmpp::stream::{
    FastToken, Login, LoginConfig, LoginOutput, Password, Transport, UserAgent,
};
use eft_xmpp::xml::{Decoder, Frame, encode_stanza};
use eft_xmpp::{Element, ns};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sha2::Sha256;

use crate::input::{Input, Seed};

const PASSWORD: &str = "pencil";
const TOKEN: &str = "a-token-of-before";
/// More rounds than this take time and show nothing new; that they are bounded is tested elsewhere.
const ROUNDS: u32 = 5000;
/// Stands in a server's text for the nonce that we sent.
const NONCE: &[u8] = b"{nonce}";
/// Stands in a server's text for its proof, as a server with our password makes it.
const PROOF: &[u8] = b"{proof}";
/// Stands in a server's text for its proof that it knows the token.
const RESPONDER: &[u8] = b"{responder}";

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

/// The server's proof for that token, as one that knows it makes it.
fn responder() -> [u8; 32] {
    hmac(TOKEN.as_bytes(), b"Responder")
}

/// What a server needs to prove itself (RFC 5802 §3).
#[derive(Default)]
struct Dialogue {
    /// The client tries its token, not its password.
    by_token: bool,
    nonce: String,
    first_bare: String,
    server_first: String,
    without_proof: String,
    proven: bool,
}

struct Server {
    login: Login,
    decoder: Decoder,
    encrypted: bool,
    allow_plain: bool,
    dialogue: Dialogue,
    /// There is a session.
    done: bool,
}

impl Server {
    /// Sends bytes to the client. `false` when the login is over.
    fn say(&mut self, text: &[u8]) -> bool {
        let text = self.filled_in(text);
        let mut rest = &text[..];
        loop {
            let frame = match self.decoder.decode(&mut rest) {
                Ok(Some(frame)) => frame,
                Ok(None) => return true,
                Err(_) => return false,
            };
            if self.takes_too_long(&frame) {
                return false;
            }
            self.note(&frame);
            match self.login.handle_frame(frame, rest.len()) {
                Ok(outputs) => {
                    self.done = outputs
                        .iter()
                        .any(|output| matches!(output, LoginOutput::Ready(_)));
                    let restarts = self.follow(outputs);
                    if self.done {
                        return false;
                    }
                    if restarts {
                        // What stood behind belongs to a stream that is over.
                        return true;
                    }
                }
                Err(error) => {
                    let text = format!("{error:?} {error}");
                    assert!(!text.contains(PASSWORD) && !text.contains(TOKEN));
                    return false;
                }
            }
        }
    }

    /// Does what the client asks. `true` if a new stream begins.
    fn follow(&mut self, outputs: Vec<LoginOutput>) -> bool {
        let mut restarts = false;
        for output in outputs {
            match output {
                LoginOutput::OpenStream(header) => {
                    assert_eq!(header.to.as_deref(), Some("capulet.example"));
                    restarts = true;
                }
                LoginOutput::StartTls => {
                    assert!(!self.encrypted, "TLS inside TLS");
                    self.encrypted = true;
                    let outputs = self.login.tls_established(TlsFacts::default()).unwrap();
                    assert!(matches!(outputs[..], [LoginOutput::OpenStream(_)]));
                    restarts = true;
                }
                LoginOutput::Send(element) => self.hear(&element),
                LoginOutput::Invalidated => panic!("a token is given back that there is not"),
                LoginOutput::Ready(session) => {
                    assert!(self.encrypted, "a session in the clear");
                    assert!(
                        self.dialogue.proven || self.allow_plain,
                        "anybody may be the server"
                    );
                    assert!(session.early.len() <= eft_xmpp::limits::LOGIN_MAX_EARLY_STANZAS);
                }
            }
        }
        if restarts {
            self.decoder = Decoder::new(XmlLimits::LOGIN);
        }
        restarts
    }

    /// What the client says.
    fn hear(&mut self, element: &Element) {
        let text = encode_stanza(element).unwrap();
        assert!(!text.contains(PASSWORD), "the password on the wire");
        assert!(!text.contains(TOKEN), "the token on the wire");
        // A proof for a token is no text, so `said` is nothing.
        if let Some(mechanism) = element.attr("mechanism") {
            assert!(self.encrypted, "credentials in the clear");
            self.dialogue.by_token = mechanism.starts_with("HT-");
        }
        let said = BASE64.decode(data_of(element)).ok();
        let said = said.and_then(|said| String::from_utf8(said).ok());
        match (element.name(), said) {
            ("auth" | "authenticate", Some(said)) => {
                assert!(self.encrypted, "credentials in the clear");
                assert!(self.allow_plain || !said.contains(PASSWORD));
                if let Some((_, first_bare)) = said.split_once(",,")
                    && let Some((_, nonce)) = first_bare.split_once(",r=")
                {
                    self.dialogue.nonce = nonce.to_owned();
                    self.dialogue.first_bare = first_bare.to_owned();
                }
            }
            // The answer to a proof inside a challenge is empty.
            ("response", Some(said)) => {
                if let Some((without_proof, _)) = said.rsplit_once(",p=") {
                    self.dialogue.without_proof = without_proof.to_owned();
                }
            }
            _ => {}
        }
    }

    /// Keeps what both sides sign.
    fn note(&mut self, frame: &Frame) {
        let Frame::Element(element) = frame else {
            return;
        };
        let said = BASE64.decode(data_of(element).trim()).unwrap_or_default();
        if self.dialogue.by_token {
            self.dialogue.proven |= element.name() == "success" && said == responder();
            return;
        }
        let said = String::from_utf8(said).unwrap_or_default();
        match element.name() {
            "challenge" if self.dialogue.server_first.is_empty() => {
                self.dialogue.server_first = said;
            }
            "challenge" | "success" => {
                if let Some(said) = said.strip_prefix("v=") {
                    self.dialogue.proven |= self.proof().is_some_and(|proof| said == proof);
                }
            }
            _ => {}
        }
    }

    /// The text with our nonce and a genuine proof where it asks for them, and what stands in `[[ ]]` in base64.
    fn filled_in(&self, text: &[u8]) -> Vec<u8> {
        let text = replaced(text, NONCE, self.dialogue.nonce.as_bytes());
        let text = replaced(&text, RESPONDER, BASE64.encode(responder()).as_bytes());
        let text = if contains(&text, PROOF) {
            let proof = self.proof().unwrap_or_default();
            replaced(&text, PROOF, proof.as_bytes())
        } else {
            text
        };
        let mut rest = &text[..];
        let mut filled = Vec::new();
        while let Some((before, inside, after)) = bracketed(rest) {
            filled.extend_from_slice(before);
            filled.extend(BASE64.encode(inside).into_bytes());
            rest = after;
        }
        filled.extend_from_slice(rest);
        filled
    }

    /// The server's signature for SCRAM-SHA-256, as one that knows the password makes it.
    fn proof(&self) -> Option<String> {
        let (salt, rounds) = parameters(&self.dialogue.server_first)?;
        let dialogue = &self.dialogue;
        let auth_message = [
            &dialogue.first_bare[..],
            &dialogue.server_first,
            &dialogue.without_proof,
        ]
        .join(",");
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(PASSWORD.as_bytes(), &salt, rounds, &mut salted);
        let key = hmac(&salted, b"Server Key");
        Some(BASE64.encode(hmac(&key, auth_message.as_bytes())))
    }

    fn takes_too_long(&self, frame: &Frame) -> bool {
        let Frame::Element(element) = frame else {
            return false;
        };
        self.login.is_costly(frame)
            && BASE64
                .decode(data_of(element).trim())
                .ok()
                .and_then(|said| String::from_utf8(said).ok())
                .and_then(|said| said.split(',').nth(2)?.strip_prefix("i=")?.parse().ok())
                .is_some_and(|rounds: u32| {
                    (ROUNDS + 1..=eft_xmpp::limits::SCRAM_MAX_ITERATIONS).contains(&rounds)
                })
    }
}

/// What SASL says in an element: in a child of SASL2's first and last, else as its text.
fn data_of(element: &Element) -> String {
    let child = element.children().find(|child| {
        child.is("initial-response", ns::SASL2) || child.is("additional-data", ns::SASL2)
    });
    child.unwrap_or(element).text()
}

/// Salt and rounds of a server's first message, if they are few.
fn parameters(server_first: &str) -> Option<(Vec<u8>, u32)> {
    let mut attributes = server_first.split(',').skip(1);
    let salt = BASE64.decode(attributes.next()?.strip_prefix("s=")?).ok()?;
    let rounds = attributes.next()?.strip_prefix("i=")?.parse().ok()?;
    (1..=ROUNDS).contains(&rounds).then_some((salt, rounds))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Text before, inside and behind the first `[[ ]]`.
fn bracketed(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let open = text.windows(2).position(|window| window == b"[[")?;
    let inside = &text[open + 2..];
    let close = inside.windows(2).position(|window| window == b"]]")?;
    Some((&text[..open], &inside[..close], &inside[close + 2..]))
}

/// Logins that succeed, each in another way, and servers that cheat.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let header = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>";
    let starttls =
        "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
    let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    let mechanisms = |name: &str| {
        format!(
            "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>{name}</mechanism></mechanisms></stream:features>"
        )
    };
    let sasl = |name: &str, text: &str| {
        format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{text}</{name}>")
    };
    let challenge = sasl("challenge", "[[r={nonce}more,s=QSXCR+Q6sek8bf92,i=4096]]");
    let proven = sasl("success", "[[v={proof}]]");
    let bind = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>";
    let bound = "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>juliet@capulet.example/balcony</jid></bind></iq>";
    let success2 = "<success xmlns='urn:xmpp:sasl:2'><additional-data>[[v={proof}]]</additional-data>\
        <authorization-identifier>juliet@capulet.example/x</authorization-identifier><bound xmlns='urn:xmpp:bind:0'>\
        <enabled xmlns='urn:xmpp:sm:3' id='s1' resume='1'/></bound></success>";
    let open2 = format!(
        "{header}<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256</mechanism><inline>\
         <bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/></inline></bind><sm xmlns='urn:xmpp:sm:3'/>\
         </inline></authentication></stream:features>"
    );
    let challenge2 = "<challenge xmlns='urn:xmpp:sasl:2'>[[r={nonce}more,s=QSXCR+Q6sek8bf92,i=4096]]</challenge>";
    let fast = open2.replace(
        "<inline><bind",
        "<inline><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast><bind",
    );
    let by_token = success2.replace("[[v={proof}]]", "{responder}");
    let with_token = success2.replace(
        "</success>",
        "<token xmlns='urn:xmpp:fast:0' token='the-next' expiry='2030-01-02T03:04:05Z'/></success>",
    );
    let expired = "<failure xmlns='urn:xmpp:sasl:2'><credentials-expired xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>";
    let enabled = "<message/><enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true' max='600' location='[::1]:5222'/>";
    let scram = mechanisms("SCRAM-SHA-256");
    let plain = mechanisms("PLAIN");
    let open = format!("{header}{scram}");
    let after = format!("{header}{bind}");
    let transcript = |flags, parts: &[&str]| {
        let seed = Seed::new().byte(flags);
        let blocks = parts
            .iter()
            .fold(seed, |seed, part| seed.block(part.as_bytes()));
        blocks.into_bytes()
    };
    vec![
        transcript(5, &[&open, &challenge, &proven, &after, bound, enabled]),
        transcript(
            12,
            &[
                header, starttls, proceed, &open, &challenge, &proven, &after, bound, enabled,
            ],
        ),
        transcript(
            1,
            &[
                &open,
                &challenge,
                &sasl("challenge", "[[v={proof}]]"),
                &sasl("success", ""),
                &after,
                bound,
            ],
        ),
        transcript(5, &[&open2, challenge2, success2]),
        transcript(5, &[&open2, success2]),
        transcript(
            7,
            &[
                &format!("{header}{plain}"),
                &sasl("success", ""),
                &after,
                bound,
                enabled,
            ],
        ),
        transcript(5, &[&format!("{header}{plain}")]),
        transcript(5, &[&open, &challenge, &sasl("success", "[[v=AAAA]]")]),
        transcript(5, &[&open, &sasl("success", "")]),
        transcript(
            5,
            &[
                &open,
                &sasl("challenge", "[[r=other,s=QSXCR+Q6sek8bf92,i=4096]]"),
            ],
        ),
        transcript(
            5,
            &[
                &open,
                &sasl("challenge", "[[m=x,r={nonce}more,s=QSXCR+Q6sek8bf92,i=1]]"),
            ],
        ),
        transcript(
            5,
            &[
                &open,
                &sasl("failure", "<not-authorized/><text xml:lang='en'>no</text>"),
            ],
        ),
        transcript(
            0,
            &[
                &format!("{header}{starttls}"),
                &format!("{proceed}<stream:features/>"),
            ],
        ),
        transcript(
            5,
            &[
                "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
            ],
        ),
        transcript(
            5,
            &[
                header,
                "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
            ],
        ),
        // A token is asked for, used, refused; and servers that know neither it nor the password.
        transcript(37, &[&fast, challenge2, &with_token]),
        transcript(21, &[&fast, &by_token]),
        transcript(21, &[&fast, expired, challenge2, success2]),
        transcript(21, &[&fast, &by_token.replace("{responder}", "[[v=]]")]),
        transcript(21, &[&fast, expired, &by_token]),
    ]
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
