//! The machine alone: frames in, what to do out.

mod encryption;
mod faults;
mod proof;
mod properties;
mod session;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::*;
use crate::stream::StreamResumption;
use crate::stream::config::Password;
use crate::stream::sasl::{Mechanism, ScramError, ScramServer};
use eft_types::BareJid;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn config(transport: Transport) -> LoginConfig {
    LoginConfig {
        transport,
        ..LoginConfig::new(
            BareJid::new("user@b.example").unwrap(),
            Password::new("pencil".to_owned()),
        )
    }
}

fn login_with(config: LoginConfig) -> Login {
    Login::new(config, &mut ChaCha20Rng::seed_from_u64(1)).unwrap()
}

fn header() -> Frame {
    Frame::Header(StreamHeader {
        version: Some("1.0".to_owned()),
        ..StreamHeader::default()
    })
}

fn parse(text: &str) -> Element {
    let open =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
    let mut decoder = crate::xml::Decoder::new(crate::limits::XmlLimits::LOGIN);
    let mut input = open.as_bytes();
    decoder.decode(&mut input).unwrap();
    let mut input = text.as_bytes();
    match decoder.decode(&mut input).unwrap() {
        Some(Frame::Element(element)) => element,
        other => panic!("{other:?}"),
    }
}

fn frame(text: &str) -> Frame {
    Frame::Element(parse(text))
}

const STARTTLS: &str = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>\
    <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const BIND: &str = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>";
const BOUND: &str = "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@b.example/phone</jid></bind></iq>";

fn mechanisms(names: &[&str]) -> String {
    let names: String = names
        .iter()
        .map(|name| format!("<mechanism>{name}</mechanism>"))
        .collect();
    format!(
        "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{names}</mechanisms></stream:features>"
    )
}

fn sasl(name: &str, text: &str) -> Frame {
    frame(&format!(
        "<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{text}</{name}>"
    ))
}

fn one(outputs: Vec<LoginOutput>) -> LoginOutput {
    let [output] = <[LoginOutput; 1]>::try_from(outputs).unwrap();
    output
}

fn sent(outputs: Vec<LoginOutput>) -> Element {
    match one(outputs) {
        LoginOutput::Send(element) => element,
        other => panic!("{other:?}"),
    }
}

fn opened(output: LoginOutput) -> StreamHeader {
    match output {
        LoginOutput::OpenStream(header) => header,
        other => panic!("{other:?}"),
    }
}

/// Direct TLS, up to the server's first SASL features.
fn at_mechanisms(
    config: LoginConfig,
    names: &[&str],
) -> (Login, Result<Vec<LoginOutput>, LoginError>) {
    let mut login = login_with(config);
    assert!(login.handle_frame(header(), 0).unwrap().is_empty());
    let result = login.handle_frame(frame(&mechanisms(names)), 0);
    (login, result)
}

fn at_server_first() -> (Login, Element) {
    let (login, outputs) = at_mechanisms(config(Transport::DirectTls), &["SCRAM-SHA-1"]);
    let auth = sent(outputs.unwrap());
    (login, auth)
}

fn authenticated(config: LoginConfig) -> Login {
    let (mut login, outputs) = at_mechanisms(config, &["SCRAM-SHA-256"]);
    let mut server = ScramServer::new(Mechanism::ScramSha256);
    let challenge = server.first(&sent(outputs.unwrap()).text());
    let challenge = sasl("challenge", &challenge);
    assert!(login.is_costly(&challenge));
    let response = sent(login.handle_frame(challenge, 0).unwrap());
    assert!(response.is("response", ns::SASL));
    let success = server.last(&response.text()).unwrap();
    let header_sent = opened(one(login
        .handle_frame(sasl("success", &success), 0)
        .unwrap()));
    assert_eq!(header_sent.from.as_deref(), Some("user@b.example"));
    assert!(login.handle_frame(header(), 0).unwrap().is_empty());
    login
}

fn at_enabled() -> Login {
    let mut login = authenticated(config(Transport::DirectTls));
    sent(login.handle_frame(frame(BIND), 0).unwrap());
    let enable = sent(login.handle_frame(frame(BOUND), 0).unwrap());
    assert!(enable.is("enable", ns::SM) && enable.attr("resume") == Some("true"));
    login
}

fn ready(outputs: Vec<LoginOutput>) -> Session {
    match one(outputs) {
        LoginOutput::Ready(session) => *session,
        other => panic!("{other:?}"),
    }
}

/// Up to the stream under TLS, with what went out before the server spoke.
fn through_starttls(login: &mut Login) -> (Vec<LoginOutput>, StreamHeader) {
    let mut first = login.start(TlsFacts::default());
    let header_sent = opened(first.remove(0));
    assert_eq!(
        (header_sent.from.as_deref(), header_sent.to.as_deref()),
        (None, Some("b.example"))
    );
    login.handle_frame(header(), 0).unwrap();
    first.extend(login.handle_frame(frame(STARTTLS), 0).unwrap());
    let proceed = frame("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    let outputs = login.handle_frame(proceed, 0).unwrap();
    assert!(matches!(one(outputs), LoginOutput::StartTls));
    assert!(!login.has_begun_authentication() && !login.has_pipelined());
    let second = opened(one(login.tls_established(TlsFacts::default()).unwrap()));
    (first, second)
}
