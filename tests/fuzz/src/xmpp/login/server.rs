//! The server's side of a login: it says what the input holds, and judges what the client answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use eft_xmpp::limits::XmlLimits;
use eft_xmpp::stream::sasl::TlsFacts;
use eft_xmpp::stream::{Login, LoginOutput};
use eft_xmpp::xml::{Decoder, Frame, encode_stanza};
use eft_xmpp::{Element, ns};

use super::proof::{Dialogue, ROUNDS, responder};
use super::text::{bracketed, contains, replaced};
use super::{PASSWORD, TOKEN};

/// Stands in a server's text for the nonce that we sent.
const NONCE: &[u8] = b"{nonce}";
/// Stands in a server's text for its proof, as a server with our password makes it.
const PROOF: &[u8] = b"{proof}";
/// Stands in a server's text for its proof that it knows the token.
const RESPONDER: &[u8] = b"{responder}";

pub(super) struct Server {
    pub(super) login: Login,
    pub(super) decoder: Decoder,
    pub(super) encrypted: bool,
    pub(super) allow_plain: bool,
    pub(super) dialogue: Dialogue,
    /// There is a session.
    pub(super) done: bool,
}

impl Server {
    /// Sends bytes to the client. `false` when the login is over.
    pub(super) fn say(&mut self, text: &[u8]) -> bool {
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
    pub(super) fn follow(&mut self, outputs: Vec<LoginOutput>) -> bool {
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
                    self.dialogue.proven |=
                        self.dialogue.proof().is_some_and(|proof| said == proof);
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
            let proof = self.dialogue.proof().unwrap_or_default();
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
