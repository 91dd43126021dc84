mod refusals;
mod resumption;
mod session;
mod token;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use eft_types::{BareJid, FullJid};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::limits::XmlLimits;
use crate::stream::LoginOutput;
use crate::stream::config::{ClientState, LoginConfig, Password as Secret, Transport};
use crate::stream::resumption::{ResumeRequest, Resumption};
use crate::stream::sasl::{
    ChannelBinding, ScramError, ScramServer, TlsFacts, TlsVersion, ht_respond,
};
use crate::stream::session::Session;
use crate::stream::token::FastToken;
use crate::stream::user_agent::UserAgent;
use crate::stream::{BindOffer, Pins};
use crate::xml::{Decoder, Frame, StreamHeader};

const AGENT: &str = "d4565fa7-4d72-4749-b3d3-740edbf87770";
const EXPORTED: [u8; 32] = [7; 32];

fn tls() -> TlsFacts {
    TlsFacts {
        version: Some(TlsVersion::Tls13),
        exporter: Some(Zeroizing::new(EXPORTED)),
        server_end_point: Some(vec![9; 32]),
    }
}

fn config() -> LoginConfig {
    LoginConfig {
        transport: Transport::DirectTls,
        user_agent: Some(UserAgent::new(AGENT).unwrap()),
        tag: Some("eft".to_owned()),
        carbons: true,
        client_state: Some(ClientState::Inactive),
        request_token: true,
        ..LoginConfig::new(
            BareJid::new("user@b.example").unwrap(),
            Secret::new("pencil".to_owned()),
        )
    }
}

fn new_login(config: LoginConfig) -> Login {
    Login::new(config, &mut ChaCha20Rng::seed_from_u64(1)).unwrap()
}

fn frame(text: &str) -> Frame {
    let open =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
    let mut decoder = Decoder::new(XmlLimits::LOGIN);
    decoder.decode(&mut open.as_bytes()).unwrap();
    decoder.decode(&mut text.as_bytes()).unwrap().unwrap()
}

fn header() -> Frame {
    Frame::Header(StreamHeader {
        version: Some("1.0".to_owned()),
        ..StreamHeader::default()
    })
}

const PLUS: &[&str] = &[
    "SCRAM-SHA-1",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256",
    "PLAIN",
];
const INLINE: &str = "<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism>\
    <mechanism>HT-SHA-256-EXPR</mechanism></fast><sm xmlns='urn:xmpp:sm:3'/>\
    <bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/>\
    <feature var='urn:xmpp:csi:0'/><feature var='urn:xmpp:sm:3'/></inline></bind>";
const TYPES: &str = "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>\
    <channel-binding type='tls-exporter'/><channel-binding type='tls-server-end-point'/></sasl-channel-binding>";

fn features(mechanisms: &[&str], inline: &str, types: &str) -> Frame {
    let list: String = mechanisms
        .iter()
        .map(|name| format!("<mechanism>{name}</mechanism>"))
        .collect();
    frame(&format!(
        "<stream:features><authentication xmlns='urn:xmpp:sasl:2'>{list}<inline>{inline}</inline></authentication>\
         <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{list}</mechanisms>{types}</stream:features>"
    ))
}

fn full_offer() -> Frame {
    features(PLUS, INLINE, TYPES)
}

fn element_of(output: LoginOutput) -> Element {
    match output {
        LoginOutput::Send(element) => element,
        other => panic!("{other:?}"),
    }
}

fn sent(outputs: Vec<LoginOutput>) -> Element {
    let [output] = <[LoginOutput; 1]>::try_from(outputs).unwrap();
    element_of(output)
}

fn ready(outputs: Vec<LoginOutput>) -> Session {
    match <[LoginOutput; 1]>::try_from(outputs).unwrap() {
        [LoginOutput::Ready(session)] => *session,
        [other] => panic!("{other:?}"),
    }
}

/// Direct TLS, up to what the machine says to the server's features.
fn at_features(config: LoginConfig, offer: Frame) -> (Login, Result<Vec<LoginOutput>, LoginError>) {
    let mut login = new_login(config);
    assert_eq!(login.start(tls()).len(), 1, "nothing is pipelined");
    login.handle_frame(header(), 0).unwrap();
    let result = login.handle_frame(offer, 0);
    (login, result)
}

fn initial(authenticate: &Element) -> String {
    authenticate
        .get_child("initial-response", ns::SASL2)
        .unwrap()
        .text()
}

fn challenge(text: &str) -> Frame {
    frame(&format!(
        "<challenge xmlns='urn:xmpp:sasl:2'>{text}</challenge>"
    ))
}

fn success(data: &str, rest: &str) -> Frame {
    frame(&format!(
        "<success xmlns='urn:xmpp:sasl:2'><additional-data>{data}</additional-data>{rest}</success>"
    ))
}

fn failure(condition: &str) -> Frame {
    frame(&format!(
        "<failure xmlns='urn:xmpp:sasl:2'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>"
    ))
}

const BOUND: &str = "<authorization-identifier>user@b.example/eft~1</authorization-identifier>\
    <bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='s1' resume='1' max='600'/></bound>";

/// Plays the server's side of SCRAM and gives the text of `<additional-data/>`.
fn scram(login: &mut Login, authenticate: &Element) -> String {
    let mechanism = Mechanism::from_name(authenticate.attr("mechanism").unwrap()).unwrap();
    let mut server = ScramServer::new(mechanism).bound_to(&EXPORTED);
    let first = challenge(&server.first(&initial(authenticate)));
    assert!(login.is_costly(&first));
    let response = sent(login.handle_frame(first, 0).unwrap());
    assert!(response.is("response", ns::SASL2));
    server.last(&response.text()).expect("the proof is wrong")
}

/// A whole login with the password.
fn logged_in(config: LoginConfig) -> Session {
    let (mut login, outputs) = at_features(config, full_offer());
    let authenticate = sent(outputs.unwrap());
    let data = scram(&mut login, &authenticate);
    let token = "<token xmlns='urn:xmpp:fast:0' token='t0ken' expiry='2026-12-24T00:00:00Z'/>";
    ready(
        login
            .handle_frame(success(&data, &format!("{BOUND}{token}")), 0)
            .unwrap(),
    )
}

/// The configuration of the login after [`logged_in`].
fn warm() -> LoginConfig {
    let session = logged_in(config());
    let TokenNews::New(token) = session.token else {
        panic!("no token");
    };
    LoginConfig {
        token: Some(token),
        pins: session.pins,
        ..config()
    }
}

/// Begins a login that says all before the server says anything.
fn pipelined(config: LoginConfig) -> (Login, Element) {
    let mut login = new_login(config);
    let [open, send] = <[LoginOutput; 2]>::try_from(login.start(tls())).unwrap();
    assert!(matches!(open, LoginOutput::OpenStream(_)));
    assert!(login.has_pipelined() && login.has_begun_authentication());
    login.handle_frame(header(), 0).unwrap();
    (login, element_of(send))
}

fn responder(config: &LoginConfig, authenticate: &Element) -> String {
    let token = config.token.as_ref().unwrap();
    let message = BASE64.decode(initial(authenticate)).unwrap();
    BASE64.encode(ht_respond(token.mechanism, token.secret(), &tls(), &message).unwrap())
}

fn resuming() -> LoginConfig {
    LoginConfig {
        resume: Some(ResumeRequest {
            id: "old".to_owned(),
            handled: u32::MAX,
            full_jid: FullJid::new("user@b.example/eft~0").unwrap(),
        }),
        ..warm()
    }
}
