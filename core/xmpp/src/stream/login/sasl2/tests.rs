use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use eft_types::{BareJid, FullJid};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::super::super::config::{ClientState, LoginConfig, Password as Secret, Transport};
use super::super::super::resumption::{ResumeRequest, Resumption};
use super::super::super::sasl::{
    ChannelBinding, ScramError, ScramServer, TlsFacts, TlsVersion, ht_respond,
};
use super::super::super::session::Session;
use super::super::super::token::FastToken;
use super::super::super::user_agent::UserAgent;
use super::super::super::{BindOffer, Pins};
use super::super::LoginOutput;
use super::*;
use crate::limits::XmlLimits;
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

#[test]
fn one_element_asks_for_everything_and_one_answer_is_a_session() {
    let (mut login, outputs) = at_features(config(), full_offer());
    let authenticate = sent(outputs.unwrap());
    assert_eq!(authenticate.attr("mechanism"), Some("SCRAM-SHA-256-PLUS"));
    let first = String::from_utf8(BASE64.decode(initial(&authenticate)).unwrap()).unwrap();
    assert!(first.starts_with("p=tls-exporter,,n=user,r="), "{first}");
    let agent = authenticate.get_child("user-agent", ns::SASL2).unwrap();
    assert_eq!(agent.attr("id"), Some(AGENT));
    let token = authenticate.get_child("request-token", ns::FAST).unwrap();
    assert_eq!(token.attr("mechanism"), Some("HT-SHA-256-EXPR"));
    assert!(!authenticate.has_child("fast", ns::FAST) && !authenticate.has_child("resume", ns::SM));
    let bind = authenticate.get_child("bind", ns::BIND2).unwrap();
    assert_eq!(bind.get_child("tag", ns::BIND2).unwrap().text(), "eft");
    assert!(bind.has_child("enable", ns::CARBONS) && bind.has_child("inactive", ns::CSI));
    let enable = bind.get_child("enable", ns::SM).unwrap();
    assert_eq!(enable.attr("resume"), Some("true"));

    let data = scram(&mut login, &authenticate);
    let session = ready(login.handle_frame(success(&data, BOUND), 0).unwrap());
    assert_eq!(session.full_jid.as_str(), "user@b.example/eft~1");
    assert_eq!(
        session.authentication,
        Authentication::Password {
            mechanism: Mechanism::ScramSha256Plus,
            channel_binding: Some(ChannelBinding::TlsExporter)
        }
    );
    assert!(session.carbons);
    assert_eq!(session.client_state, Some(ClientState::Inactive));
    let management = session.stream_management.unwrap();
    assert_eq!(
        (management.id.as_deref(), management.max_seconds),
        (Some("s1"), Some(600))
    );
    assert_eq!(session.token, TokenNews::Unchanged);
    assert_eq!(session.pins.mechanism, Some(Mechanism::ScramSha256Plus));
    assert_eq!(
        session.pins.channel_binding,
        Some(ChannelBinding::TlsExporter)
    );
    assert!(session.pins.scram_seen && session.pins.sasl2.unwrap().bind.is_some());
    assert!(
        login.handle_frame(frame("<message/>"), 0).is_err(),
        "the machine is finished"
    );
}

#[test]
fn what_the_server_does_not_do_inline_is_not_asked_and_not_claimed() {
    let bare_bind = "<bind xmlns='urn:xmpp:bind:0'/>";
    let (mut login, outputs) = at_features(config(), features(PLUS, bare_bind, TYPES));
    let authenticate = sent(outputs.unwrap());
    assert!(!authenticate.has_child("request-token", ns::FAST));
    let bind = authenticate.get_child("bind", ns::BIND2).unwrap();
    assert_eq!(bind.children().count(), 1, "the tag");
    let data = scram(&mut login, &authenticate);
    let bound = "<authorization-identifier>user@b.example/x</authorization-identifier><bound xmlns='urn:xmpp:bind:0'>\
        <enabled xmlns='urn:xmpp:sm:3' id='unasked' resume='1'/></bound>";
    let session = ready(login.handle_frame(success(&data, bound), 0).unwrap());
    assert!(!session.carbons);
    assert_eq!(
        (session.client_state, session.stream_management),
        (None, None)
    );

    // Management was asked for, and failed.
    let (mut login, outputs) = at_features(config(), full_offer());
    let data = scram(&mut login, &sent(outputs.unwrap()));
    let bound = BOUND.replace("enabled", "failed");
    let session = ready(login.handle_frame(success(&data, &bound), 0).unwrap());
    assert_eq!(session.stream_management, None);
}

#[test]
fn without_bind_2_or_with_a_wish_for_a_resource_binding_goes_the_old_way_without_a_new_header() {
    let wish = LoginConfig {
        resource: Some("phone".to_owned()),
        ..config()
    };
    for (config, inline) in [(config(), ""), (wish, INLINE)] {
        let (mut login, outputs) = at_features(config, features(PLUS, inline, TYPES));
        let authenticate = sent(outputs.unwrap());
        assert!(!authenticate.has_child("bind", ns::BIND2));
        let data = scram(&mut login, &authenticate);
        let bare = "<authorization-identifier>user@b.example</authorization-identifier>";
        assert!(
            login
                .handle_frame(success(&data, bare), 0)
                .unwrap()
                .is_empty()
        );
        assert!(login.is_authenticated());
        let offer = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>";
        let request = sent(login.handle_frame(frame(offer), 0).unwrap());
        assert!(request.is("iq", ns::CLIENT));
        let bound = "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@b.example/phone</jid></bind></iq>";
        let enable = sent(login.handle_frame(frame(bound), 0).unwrap());
        assert!(enable.is("enable", ns::SM));
        let enabled = frame("<enabled xmlns='urn:xmpp:sm:3'/>");
        let session = ready(login.handle_frame(enabled, 0).unwrap());
        assert_eq!(session.full_jid.as_str(), "user@b.example/phone");
        assert!(session.pins.sasl2.is_some());
    }
}

#[test]
fn a_warm_account_says_all_behind_the_header_and_is_ready_with_the_first_answer() {
    let config = warm();
    let (mut login, authenticate) = pipelined(config.clone());
    assert_eq!(authenticate.attr("mechanism"), Some("HT-SHA-256-EXPR"));
    assert!(authenticate.has_child("fast", ns::FAST) && authenticate.has_child("bind", ns::BIND2));
    assert!(!authenticate.has_child("request-token", ns::FAST));
    let data = responder(&config, &authenticate);
    assert!(login.handle_frame(full_offer(), 0).unwrap().is_empty());
    let session = ready(login.handle_frame(success(&data, BOUND), 0).unwrap());
    assert_eq!(
        session.authentication,
        Authentication::Token(config.token.as_ref().unwrap().mechanism)
    );
    assert_eq!(session.token, TokenNews::Unchanged);
    assert_eq!(session.pins, config.pins, "a token pins nothing new");
}

#[test]
fn a_rotated_token_replaces_the_old_one_and_keeps_its_mechanism() {
    let config = warm();
    let (mut login, authenticate) = pipelined(config.clone());
    login.handle_frame(full_offer(), 0).unwrap();
    let rest = format!("{BOUND}<token xmlns='urn:xmpp:fast:0' token='n3w'/>");
    let data = responder(&config, &authenticate);
    let session = ready(login.handle_frame(success(&data, &rest), 0).unwrap());
    let TokenNews::New(token) = session.token else {
        panic!("{:?}", session.token);
    };
    assert_eq!(token.secret(), "n3w");
    assert_eq!(token.mechanism, config.token.unwrap().mechanism);
}

#[test]
fn a_server_that_does_not_know_the_token_is_not_believed() {
    let config = warm();
    let begin = || {
        let (mut login, authenticate) = pipelined(config.clone());
        login.handle_frame(full_offer(), 0).unwrap();
        (login, authenticate)
    };
    let (_, authenticate) = begin();
    let mut own = BASE64.decode(initial(&authenticate)).unwrap();
    let reflected = BASE64.encode(own.split_off(5));
    for data in [String::new(), BASE64.encode([0; 32]), reflected] {
        let (mut login, _) = begin();
        assert_eq!(
            login.handle_frame(success(&data, BOUND), 0).unwrap_err(),
            LoginError::UnprovenToken
        );
    }
    let (mut login, _) = begin();
    assert!(
        login.handle_frame(challenge("AAAA"), 0).is_err(),
        "one round trip, no more"
    );
}

#[test]
fn a_refused_token_gives_way_to_the_password_on_the_same_stream() {
    for condition in ["not-authorized", "credentials-expired"] {
        let (mut login, _) = pipelined(warm());
        login.handle_frame(full_offer(), 0).unwrap();
        let authenticate = sent(login.handle_frame(failure(condition), 0).unwrap());
        assert_eq!(authenticate.attr("mechanism"), Some("SCRAM-SHA-256-PLUS"));
        assert!(!authenticate.has_child("fast", ns::FAST));
        assert!(authenticate.has_child("request-token", ns::FAST));
        let data = scram(&mut login, &authenticate);
        let session = ready(login.handle_frame(success(&data, BOUND), 0).unwrap());
        assert_eq!(session.token, TokenNews::Rejected);
    }
    // A server in trouble says nothing about the token.
    let (mut login, _) = pipelined(warm());
    login.handle_frame(full_offer(), 0).unwrap();
    let error = login
        .handle_frame(failure("temporary-auth-failure"), 0)
        .unwrap_err();
    assert!(error.is_temporary());
    // Without a password that is the end.
    let no_password = LoginConfig {
        password: None,
        ..warm()
    };
    let (mut login, _) = pipelined(no_password);
    login.handle_frame(full_offer(), 0).unwrap();
    assert!(matches!(
        login.handle_frame(failure("not-authorized"), 0),
        Err(LoginError::AuthRejected { .. })
    ));
}

#[test]
fn a_password_is_pipelined_too_and_an_old_plan_gives_way_to_the_offer() {
    let config = LoginConfig {
        token: None,
        ..warm()
    };
    let (mut login, authenticate) = pipelined(config.clone());
    assert_eq!(authenticate.attr("mechanism"), Some("SCRAM-SHA-256-PLUS"));
    login.handle_frame(full_offer(), 0).unwrap();
    let data = scram(&mut login, &authenticate);
    ready(login.handle_frame(success(&data, BOUND), 0).unwrap());

    // The server has something stronger now, and no longer what was planned.
    let (mut login, _) = pipelined(config.clone());
    let stronger = ["SCRAM-SHA-1", "SCRAM-SHA-512-PLUS"];
    assert!(
        login
            .handle_frame(features(&stronger, INLINE, TYPES), 0)
            .unwrap()
            .is_empty()
    );
    let authenticate = sent(login.handle_frame(failure("invalid-mechanism"), 0).unwrap());
    assert_eq!(authenticate.attr("mechanism"), Some("SCRAM-SHA-512-PLUS"));
    let data = scram(&mut login, &authenticate);
    let session = ready(login.handle_frame(success(&data, BOUND), 0).unwrap());
    assert_eq!(session.pins.mechanism, Some(Mechanism::ScramSha512Plus));

    // A wrong password is one, and is not tried again.
    let (mut login, _) = pipelined(config);
    login.handle_frame(full_offer(), 0).unwrap();
    assert!(matches!(
        login.handle_frame(failure("not-authorized"), 0),
        Err(LoginError::AuthRejected { .. })
    ));
}

#[test]
fn nothing_is_pipelined_without_a_record_or_where_it_would_be_weak() {
    let outputs = |config: LoginConfig, tls: TlsFacts| new_login(config).start(tls).len();
    let warm = warm();
    assert_eq!(outputs(warm.clone(), tls()), 2);
    assert_eq!(outputs(config(), tls()), 1, "no record");
    let mut broken = warm.clone();
    broken.pins.breaks_pipelining = true;
    assert_eq!(outputs(broken, tls()), 1);
    let plain = LoginConfig {
        token: None,
        allow_plain: true,
        pins: Pins {
            sasl2: Some(InlineOffer::default()),
            plan: Some((Mechanism::Plain, None)),
            ..Pins::default()
        },
        ..config()
    };
    assert_eq!(outputs(plain, tls()), 1, "the password itself");
    // TLS 1.2 has no exporter: neither the token nor the pinned mechanism may be used.
    let old_tls = TlsFacts {
        exporter: None,
        ..tls()
    };
    assert_eq!(outputs(warm, old_tls), 1);
}

#[test]
fn a_token_that_is_bound_to_nothing_is_not_used_where_passwords_are_bound() {
    let mut config = warm();
    let unbound: Element = "<token xmlns='urn:xmpp:fast:0' token='t'/>"
        .parse()
        .unwrap();
    let none = FastMechanism::from_name("HT-SHA-256-NONE").unwrap();
    config.token = FastToken::parse(&unbound, none);
    let (_, authenticate) = pipelined(config);
    assert_eq!(authenticate.attr("mechanism"), Some("SCRAM-SHA-256-PLUS"));
    // Nor asked for.
    let only_none = "<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast>";
    let (_, outputs) = at_features(super::tests::config(), features(PLUS, only_none, TYPES));
    assert!(!sent(outputs.unwrap()).has_child("request-token", ns::FAST));
}

/// X6: a man in the middle who holds a certificate changes what the server offers.
#[test]
fn a_weaker_offer_than_the_pinned_one_is_refused_and_nothing_is_sent() {
    let mut pinned = LoginConfig {
        token: None,
        allow_plain: true,
        ..warm()
    };
    pinned.pins.breaks_pipelining = true;
    let refused = |offer: Frame| {
        let (login, result) = at_features(pinned.clone(), offer);
        assert!(!login.has_begun_authentication());
        let error = result.unwrap_err();
        assert!(error.is_suspicious() && !error.is_temporary(), "{error:?}");
        error
    };
    let mechanism = |offered| {
        LoginError::Downgraded(Downgrade::Mechanism {
            pinned: Mechanism::ScramSha256Plus,
            offered,
        })
    };
    let stripped = LoginError::Downgraded(Downgrade::BindingStripped);
    // -PLUS removed, alone and with its types.
    assert_eq!(
        refused(features(&["SCRAM-SHA-256"], INLINE, TYPES)),
        stripped
    );
    assert_eq!(
        refused(features(&["SCRAM-SHA-256"], INLINE, "")),
        mechanism(Some(Mechanism::ScramSha256))
    );
    // Types removed, or only the weaker one left.
    assert_eq!(refused(features(PLUS, INLINE, "")), stripped);
    let end_point = TYPES.replace("<channel-binding type='tls-exporter'/>", "");
    assert_eq!(
        refused(features(PLUS, INLINE, &end_point)),
        LoginError::Downgraded(Downgrade::ChannelBinding {
            pinned: ChannelBinding::TlsExporter,
            offered: Some(ChannelBinding::TlsServerEndPoint)
        })
    );
    // A weaker hash, PLAIN (permitted!), nothing.
    assert_eq!(
        refused(features(&["SCRAM-SHA-1-PLUS"], INLINE, TYPES)),
        mechanism(Some(Mechanism::ScramSha1Plus))
    );
    assert_eq!(
        refused(features(&["PLAIN"], INLINE, TYPES)),
        mechanism(None)
    );
    assert_eq!(
        refused(features(&["DIGEST-MD5"], INLINE, "")),
        mechanism(None)
    );
    // SASL2 itself.
    let sasl1 = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
        <mechanism>SCRAM-SHA-256-PLUS</mechanism></mechanisms></stream:features>";
    assert_eq!(
        refused(frame(sasl1)),
        LoginError::Downgraded(Downgrade::Sasl2Missing)
    );
}

/// X6 on the very first login, by XEP-0474 and XEP-0515.
#[test]
fn an_altered_offer_is_found_out_before_the_proof_is_sent() {
    let digest = |names: &[&str], types: Option<&[&str]>| {
        use sha2::Digest;
        let mut names = names.to_vec();
        names.sort_unstable();
        let mut text = names.join("\u{1e}");
        if let Some(types) = types {
            text.push('\u{1f}');
            text.push_str(&types.join("\u{1e}"));
        }
        format!(",h={}", BASE64.encode(sha2::Sha256::digest(text)))
    };
    let types: &[&str] = &["tls-exporter", "tls-server-end-point"];
    let respond = |seen: Frame, claims: &str| {
        let (mut login, outputs) = at_features(config(), seen);
        let authenticate = sent(outputs.unwrap());
        let mechanism = Mechanism::from_name(authenticate.attr("mechanism").unwrap()).unwrap();
        let mut server = ScramServer::new(mechanism)
            .bound_to(&EXPORTED)
            .claiming(claims);
        let first = server.first(&initial(&authenticate));
        let result = login.handle_frame(challenge(&first), 0).map(drop);
        (result, server.gs2_header().to_owned())
    };
    let honest = digest(PLUS, Some(types));
    assert_eq!(respond(full_offer(), &format!("{honest},t=0304")).0, Ok(()));
    // -PLUS and its types stripped; the server still signs what it offered.
    let (result, flag) = respond(features(&["SCRAM-SHA-256"], INLINE, ""), &honest);
    assert_eq!(result, Err(LoginError::Scram(ScramError::OfferAltered)));
    assert_eq!(
        flag, "y,,",
        "and without a digest this would tell the server"
    );
    // TLS 1.2 on the other side.
    assert_eq!(
        respond(full_offer(), ",t=0303").0,
        Err(LoginError::Scram(ScramError::TlsVersionAltered {
            server: "0303".to_owned()
        }))
    );
}

/// X7.
#[test]
fn a_server_that_cannot_prove_itself_is_left() {
    let begin = || {
        let (login, outputs) = at_features(config(), full_offer());
        (login, sent(outputs.unwrap()))
    };
    let (mut login, _) = begin();
    assert_eq!(
        login.handle_frame(success("", BOUND), 0).unwrap_err(),
        LoginError::Scram(ScramError::NoServerSignature)
    );
    for (data, error) in [
        (String::new(), ScramError::NoServerSignature),
        (BASE64.encode("v=AAAA"), ScramError::ServerSignature),
        (
            BASE64.encode("e=other-error"),
            ScramError::ServerError("other-error".to_owned()),
        ),
        ("!".to_owned(), ScramError::Malformed),
    ] {
        let (mut login, authenticate) = begin();
        scram(&mut login, &authenticate);
        let expected = LoginError::Scram(error);
        assert_eq!(
            login.handle_frame(success(&data, BOUND), 0).unwrap_err(),
            expected
        );
    }
    for iterations in ["1", "1000000000"] {
        let (mut login, authenticate) = begin();
        let first = String::from_utf8(BASE64.decode(initial(&authenticate)).unwrap()).unwrap();
        let nonce = first.split_once(",r=").unwrap().1;
        let text = BASE64.encode(format!("r={nonce}x,s=c2FsdA==,i={iterations}"));
        let began = std::time::Instant::now();
        let error = login.handle_frame(challenge(&text), 0).unwrap_err();
        assert!(matches!(
            error,
            LoginError::Scram(ScramError::Iterations { .. })
        ));
        assert!(began.elapsed().as_millis() < 100);
    }
    // The signature may come in a challenge of its own.
    let (mut login, authenticate) = begin();
    let data = scram(&mut login, &authenticate);
    let empty = sent(login.handle_frame(challenge(&data), 0).unwrap());
    assert!(empty.is("response", ns::SASL2) && empty.text().is_empty());
    let bound = frame(&format!(
        "<success xmlns='urn:xmpp:sasl:2'>{BOUND}</success>"
    ));
    ready(login.handle_frame(bound, 0).unwrap());
}

#[test]
fn plain_goes_out_only_when_permitted_and_never_after_scram() {
    let only_plain = || features(&["PLAIN"], INLINE, TYPES);
    let (login, result) = at_features(config(), only_plain());
    assert!(matches!(
        result,
        Err(LoginError::NoAcceptableMechanism { .. })
    ));
    assert!(!login.has_begun_authentication());
    let permitted = LoginConfig {
        allow_plain: true,
        ..config()
    };
    let (mut login, outputs) = at_features(permitted.clone(), only_plain());
    let authenticate = sent(outputs.unwrap());
    assert_eq!(
        BASE64.decode(initial(&authenticate)).unwrap(),
        b"\0user\0pencil"
    );
    let bound = frame(&format!(
        "<success xmlns='urn:xmpp:sasl:2'>{BOUND}</success>"
    ));
    let session = ready(login.handle_frame(bound, 0).unwrap());
    assert!(!session.pins.scram_seen);

    let seen = LoginConfig {
        pins: Pins {
            scram_seen: true,
            ..Pins::default()
        },
        ..permitted
    };
    let (login, result) = at_features(seen, only_plain());
    assert!(matches!(
        result,
        Err(LoginError::NoAcceptableMechanism { .. })
    ));
    assert!(!login.has_begun_authentication());
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

#[test]
fn a_stream_is_taken_up_again_within_the_login() {
    // Prosody names the full address, others the bare one.
    for identifier in ["user@b.example", "user@b.example/eft~0"] {
        let config = resuming();
        let (mut login, authenticate) = pipelined(config.clone());
        let resume = authenticate.get_child("resume", ns::SM).unwrap();
        assert_eq!(
            (resume.attr("previd"), resume.attr("h")),
            (Some("old"), Some("4294967295"))
        );
        assert!(
            authenticate.has_child("bind", ns::BIND2),
            "in case it is refused"
        );
        login.handle_frame(full_offer(), 0).unwrap();
        let rest = format!(
            "<authorization-identifier>{identifier}</authorization-identifier><resumed xmlns='urn:xmpp:sm:3' previd='old' h='3'/>"
        );
        let data = responder(&config, &authenticate);
        let session = ready(login.handle_frame(success(&data, &rest), 0).unwrap());
        assert_eq!(session.full_jid.as_str(), "user@b.example/eft~0");
        assert_eq!(session.resumption, Resumption::Resumed { h: 3 });
        assert_eq!(
            session.stream_management.unwrap().id.as_deref(),
            Some("old")
        );
        assert_eq!(session.client_state, None, "it has to be told again");
    }
}

#[test]
fn a_refused_resumption_is_a_new_session_that_knows_the_servers_count() {
    let config = resuming();
    let (mut login, authenticate) = pipelined(config.clone());
    login.handle_frame(full_offer(), 0).unwrap();
    let failed = "<failed xmlns='urn:xmpp:sm:3' h='12'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>";
    let data = responder(&config, &authenticate);
    let session = ready(
        login
            .handle_frame(success(&data, &format!("{failed}{BOUND}")), 0)
            .unwrap(),
    );
    assert_eq!(session.full_jid.as_str(), "user@b.example/eft~1");
    assert_eq!(
        session.resumption,
        Resumption::Refused {
            h: Some(12),
            condition: "item-not-found".to_owned()
        }
    );
    assert_eq!(session.stream_management.unwrap().id.as_deref(), Some("s1"));
}

#[test]
fn only_our_own_account_is_entered() {
    for (identifier, condition) in [
        ("admin@b.example/x", "jid-mismatch"),
        ("user@c.example/x", "jid-mismatch"),
        ("user@b.example", "jid-malformed"),
        ("@@", "jid-malformed"),
    ] {
        let (mut login, outputs) = at_features(config(), full_offer());
        let data = scram(&mut login, &sent(outputs.unwrap()));
        let bound = BOUND.replace("user@b.example/eft~1", identifier);
        let expected = LoginError::BindRejected {
            condition: condition.to_owned(),
        };
        assert_eq!(
            login.handle_frame(success(&data, &bound), 0).unwrap_err(),
            expected
        );
    }
    let config = resuming();
    let (mut login, authenticate) = pipelined(config.clone());
    login.handle_frame(full_offer(), 0).unwrap();
    let data = responder(&config, &authenticate);
    let foreign = "<authorization-identifier>admin@b.example</authorization-identifier><resumed xmlns='urn:xmpp:sm:3' previd='old' h='3'/>";
    assert!(login.handle_frame(success(&data, foreign), 0).is_err());
}

#[test]
fn a_second_factor_is_named_and_not_guessed() {
    let (mut login, outputs) = at_features(config(), full_offer());
    let data = scram(&mut login, &sent(outputs.unwrap()));
    let text = format!(
        "<continue xmlns='urn:xmpp:sasl:2'><additional-data>{data}</additional-data><tasks><task>TOTP</task></tasks></continue>"
    );
    assert_eq!(
        login.handle_frame(frame(&text), 0).unwrap_err(),
        LoginError::FurtherSteps {
            tasks: vec!["TOTP".to_owned()]
        }
    );
}

#[test]
fn logging_out_makes_the_token_worthless_and_binds_nothing() {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let config = warm();
    let mut login = Login::to_invalidate_token(config.clone(), rng).unwrap();
    let [_, send] = <[LoginOutput; 2]>::try_from(login.start(tls())).unwrap();
    let authenticate = element_of(send);
    let fast = authenticate.get_child("fast", ns::FAST).unwrap();
    assert_eq!(fast.attr("invalidate"), Some("true"));
    assert!(
        !authenticate.has_child("bind", ns::BIND2) && !authenticate.has_child("resume", ns::SM)
    );
    login.handle_frame(header(), 0).unwrap();
    login.handle_frame(full_offer(), 0).unwrap();
    let data = responder(&config, &authenticate);
    let bare = "<authorization-identifier>user@b.example</authorization-identifier>";
    let outputs = login.handle_frame(success(&data, bare), 0).unwrap();
    assert!(matches!(outputs[..], [LoginOutput::Invalidated]));

    // A token that is dead already: the password is not sent after it.
    let mut login = Login::to_invalidate_token(config, rng).unwrap();
    let _ = login.start(tls());
    login.handle_frame(header(), 0).unwrap();
    login.handle_frame(full_offer(), 0).unwrap();
    assert!(matches!(
        login.handle_frame(failure("not-authorized"), 0),
        Err(LoginError::AuthRejected { .. })
    ));
    let none = LoginConfig {
        token: None,
        ..super::tests::config()
    };
    assert!(Login::to_invalidate_token(none, rng).is_err());
}

#[test]
fn sasl2_can_be_left_out_and_has_to_be_there_once_pinned() {
    let old_style = LoginConfig {
        sasl2: false,
        ..config()
    };
    let (_, outputs) = at_features(old_style, full_offer());
    let auth = sent(outputs.unwrap());
    assert!(auth.is("auth", ns::SASL) && auth.attr("mechanism") == Some("SCRAM-SHA-256-PLUS"));
    assert_eq!(
        warm().pins.sasl2.unwrap().bind,
        Some(BindOffer {
            carbons: true,
            client_state: true,
            stream_management: true
        })
    );
}

fn any_frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        Just(header()),
        Just(full_offer()),
        Just(features(&["PLAIN"], INLINE, "")),
        Just(features(PLUS, "", "")),
        Just(frame("<stream:features/>")),
        Just(challenge("cj14LHM9eA==")),
        Just(success("", BOUND)),
        Just(success("dj1BQUFB", BOUND)),
        Just(frame(&format!(
            "<success xmlns='urn:xmpp:sasl:2'>{BOUND}</success>"
        ))),
        Just(success(
            "",
            "<authorization-identifier>user@b.example</authorization-identifier><resumed xmlns='urn:xmpp:sm:3' previd='old' h='3'/>"
        )),
        Just(failure("not-authorized")),
        Just(failure("invalid-mechanism")),
        Just(frame("<message/>")),
        Just(Frame::Close),
    ]
}

proptest! {
    /// No order of frames gives a session without the server's proof, and none makes the password
    /// go out as it is.
    #[test]
    fn without_the_servers_proof_there_is_no_session(
        frames in proptest::collection::vec(any_frame(), 0..16),
        is_warm: bool,
    ) {
        let mut login = new_login(if is_warm { resuming() } else { config() });
        let _ = login.start(tls());
        for frame in frames {
            let Ok(outputs) = login.handle_frame(frame, 0) else { break };
            for output in outputs {
                match output {
                    LoginOutput::Send(element) => {
                        prop_assert!(element.attr("mechanism") != Some("PLAIN"));
                    }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert!(!login.is_authenticated());
        }
    }
}
