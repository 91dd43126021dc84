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

#[test]
fn starttls_hides_the_account_until_the_stream_is_encrypted() {
    let mut login = login_with(config(Transport::StartTls));
    let (before, second) = through_starttls(&mut login);
    assert!(sent(before).is("starttls", ns::TLS));
    assert_eq!(second.from.as_deref(), Some("user@b.example"));
    login.handle_frame(header(), 0).unwrap();
    let auth = sent(
        login
            .handle_frame(frame(&mechanisms(&["PLAIN", "SCRAM-SHA-1"])), 0)
            .unwrap(),
    );
    assert_eq!(auth.attr("mechanism"), Some("SCRAM-SHA-1"));
    assert!(login.has_begun_authentication());
}

#[test]
fn starttls_waits_for_no_offer_unless_the_server_needs_it() {
    let mut login = login_with(config(Transport::StartTls));
    let outputs = login.start(TlsFacts::default());
    assert_eq!(outputs.len(), 2);
    assert!(login.has_pipelined());

    let mut config = config(Transport::StartTls);
    config.pins.breaks_pipelining = true;
    let mut login = login_with(config);
    assert_eq!(login.start(TlsFacts::default()).len(), 1);
    login.handle_frame(header(), 0).unwrap();
    assert!(!login.has_pipelined());
    let asked = login.handle_frame(frame(STARTTLS), 0).unwrap();
    assert!(
        sent(asked).is("starttls", ns::TLS),
        "once, and after the offer"
    );
}

#[test]
fn a_login_ends_in_a_managed_session() {
    let mut login = at_enabled();
    let enabled =
        "<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='1' max='600' location='[::1]:5222'/>";
    let session = ready(login.handle_frame(frame(enabled), 0).unwrap());
    assert_eq!(session.full_jid.as_str(), "user@b.example/phone");
    assert_eq!(
        session.authentication,
        Authentication::Password {
            mechanism: Mechanism::ScramSha256,
            channel_binding: None
        }
    );
    let management = session.stream_management.unwrap();
    assert_eq!(management.id.as_deref(), Some("s1"));
    assert_eq!(management.max_seconds, Some(600));
    assert_eq!(management.location.as_deref(), Some("[::1]:5222"));
    assert!(
        login.handle_frame(frame(BIND), 0).is_err(),
        "the machine is finished"
    );
}

#[test]
fn a_stream_that_will_not_resume_is_managed_all_the_same() {
    let session = ready(
        at_enabled()
            .handle_frame(frame("<enabled xmlns='urn:xmpp:sm:3' id='s1'/>"), 0)
            .unwrap(),
    );
    assert_eq!(session.stream_management, Some(StreamResumption::default()));
    let session = ready(
        at_enabled()
            .handle_frame(frame("<failed xmlns='urn:xmpp:sm:3'/>"), 0)
            .unwrap(),
    );
    assert_eq!(session.stream_management, None);
}

#[test]
fn management_is_not_asked_for_where_it_is_not_offered_or_wanted() {
    let mut login = authenticated(config(Transport::DirectTls));
    sent(
        login
            .handle_frame(frame(&BIND.replace("<sm xmlns='urn:xmpp:sm:3'/>", "")), 0)
            .unwrap(),
    );
    assert_eq!(
        ready(login.handle_frame(frame(BOUND), 0).unwrap()).stream_management,
        None
    );
    let mut login = authenticated(LoginConfig {
        stream_management: false,
        ..config(Transport::DirectTls)
    });
    sent(login.handle_frame(frame(BIND), 0).unwrap());
    assert_eq!(
        ready(login.handle_frame(frame(BOUND), 0).unwrap()).stream_management,
        None
    );
}

#[test]
fn an_old_stream_is_taken_up_again_instead_of_binding() {
    let resuming = || {
        let mut login = authenticated(LoginConfig {
            resume: Some(crate::stream::ResumeRequest {
                id: "old".to_owned(),
                handled: 7,
                full_jid: FullJid::new("user@b.example/old").unwrap(),
            }),
            ..config(Transport::DirectTls)
        });
        let request = sent(login.handle_frame(frame(BIND), 0).unwrap());
        assert!(request.is("resume", ns::SM));
        assert_eq!(
            (request.attr("previd"), request.attr("h")),
            (Some("old"), Some("7"))
        );
        login
    };
    let resumed = "<resumed xmlns='urn:xmpp:sm:3' previd='old' h='4294967295'/>";
    let session = ready(resuming().handle_frame(frame(resumed), 0).unwrap());
    assert_eq!(session.full_jid.as_str(), "user@b.example/old");
    assert_eq!(session.resumption, Resumption::Resumed { h: u32::MAX });
    for wrong in [
        resumed.replace("old", "other"),
        resumed.replace("4294967295", "x"),
        "<message/>".to_owned(),
    ] {
        assert!(
            resuming().handle_frame(frame(&wrong), 0).is_err(),
            "{wrong}"
        );
    }

    let mut login = resuming();
    let failed = "<failed xmlns='urn:xmpp:sm:3' h='9'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>";
    let bind = sent(login.handle_frame(frame(failed), 0).unwrap());
    assert!(bind.is("iq", ns::CLIENT));
    sent(login.handle_frame(frame(BOUND), 0).unwrap());
    let enabled = "<enabled xmlns='urn:xmpp:sm:3' id='s2' resume='1'/>";
    let session = ready(login.handle_frame(frame(enabled), 0).unwrap());
    assert_eq!(session.full_jid.as_str(), "user@b.example/phone");
    assert_eq!(
        session.resumption,
        Resumption::Refused {
            h: Some(9),
            condition: "item-not-found".to_owned()
        }
    );
}

#[test]
fn stanzas_before_enabled_are_kept_and_bounded() {
    let mut login = at_enabled();
    assert!(
        login
            .handle_frame(frame("<message id='early'/>"), 0)
            .unwrap()
            .is_empty()
    );
    let session = ready(
        login
            .handle_frame(frame("<enabled xmlns='urn:xmpp:sm:3'/>"), 0)
            .unwrap(),
    );
    assert_eq!(session.early.len(), 1);
    assert_eq!(session.early[0].attr("id"), Some("early"));

    let mut login = at_enabled();
    let flood = (0..1000).find_map(|_| login.handle_frame(frame("<message/>"), 0).err());
    assert_eq!(flood, Some(LoginError::TooManySteps));
    assert!(
        at_enabled()
            .handle_frame(frame("<x xmlns='n'/>"), 0)
            .is_err()
    );
}

#[test]
fn no_tls_no_login() {
    let after_header = |features: &str| {
        let mut login = login_with(config(Transport::StartTls));
        login.handle_frame(header(), 0).unwrap();
        let result = login.handle_frame(frame(features), 0);
        (login, result)
    };
    // Stripped: the man in the middle offers to take the password in the clear.
    let (login, result) = after_header(&mechanisms(&["PLAIN", "SCRAM-SHA-256"]));
    assert_eq!(result.unwrap_err(), LoginError::TlsRequired);
    assert!(!login.has_begun_authentication());
    assert_eq!(
        after_header("<stream:features/>").1.unwrap_err(),
        LoginError::TlsRequired
    );

    let (mut login, _) = after_header(STARTTLS);
    let failure = frame("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    assert_eq!(
        login.handle_frame(failure, 0).unwrap_err(),
        LoginError::TlsRequired
    );

    let (mut login, _) = after_header(STARTTLS);
    let proceed = frame("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    assert_eq!(
        login.handle_frame(proceed, 17).unwrap_err(),
        LoginError::PlaintextInjected { bytes: 17 }
    );

    let (mut login, _) = after_header(STARTTLS);
    assert!(
        login
            .handle_frame(frame(&mechanisms(&["PLAIN"])), 0)
            .is_err(),
        "something else than proceed"
    );
    let mut login = login_with(config(Transport::StartTls));
    assert!(
        login.tls_established(TlsFacts::default()).is_err(),
        "TLS that nobody asked for"
    );
}

#[test]
fn plain_needs_permission() {
    let (login, result) = at_mechanisms(config(Transport::DirectTls), &["PLAIN", "DIGEST-MD5"]);
    let offered = vec!["PLAIN".to_owned(), "DIGEST-MD5".to_owned()];
    assert_eq!(
        result.unwrap_err(),
        LoginError::NoAcceptableMechanism { offered }
    );
    assert!(!login.has_begun_authentication());

    let permitted = LoginConfig {
        allow_plain: true,
        ..config(Transport::DirectTls)
    };
    let (mut login, outputs) = at_mechanisms(permitted, &["PLAIN"]);
    let auth = sent(outputs.unwrap());
    assert_eq!(auth.attr("mechanism"), Some("PLAIN"));
    assert_eq!(BASE64.decode(auth.text()).unwrap(), b"\0user\0pencil");
    assert!(matches!(
        one(login.handle_frame(sasl("success", ""), 0).unwrap()),
        LoginOutput::OpenStream(_)
    ));
}

#[test]
fn a_server_that_cannot_prove_itself_is_left() {
    let (mut login, _) = at_server_first();
    assert_eq!(
        login.handle_frame(sasl("success", ""), 0).unwrap_err(),
        LoginError::Scram(ScramError::NoServerSignature)
    );

    let respond = || {
        let (mut login, auth) = at_server_first();
        let mut server = ScramServer::new(Mechanism::ScramSha1);
        let challenge = server.first(&auth.text());
        sent(
            login
                .handle_frame(sasl("challenge", &challenge), 0)
                .unwrap(),
        );
        login
    };
    for (text, error) in [
        (String::new(), ScramError::NoServerSignature),
        ("=".to_owned(), ScramError::NoServerSignature),
        ("!!".to_owned(), ScramError::Malformed),
        (
            BASE64.encode("v=AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            ScramError::ServerSignature,
        ),
        (
            BASE64.encode("e=other-error"),
            ScramError::ServerError("other-error".to_owned()),
        ),
    ] {
        for name in ["success", "challenge"] {
            assert_eq!(
                respond().handle_frame(sasl(name, &text), 0).unwrap_err(),
                LoginError::Scram(error.clone())
            );
        }
    }
}

#[test]
fn bad_challenges_are_refused() {
    let challenge = |make: &dyn Fn(&str) -> String| {
        let (mut login, auth) = at_server_first();
        let first = String::from_utf8(BASE64.decode(auth.text()).unwrap()).unwrap();
        let nonce = first.split_once(",r=").unwrap().1.to_owned();
        let text = BASE64.encode(make(&nonce));
        login.handle_frame(sasl("challenge", &text), 0).unwrap_err()
    };
    assert_eq!(
        challenge(&|nonce| format!("r={nonce}x,s=c2FsdA==,i=1000")),
        LoginError::Scram(ScramError::Iterations { got: 1000 })
    );
    assert_eq!(
        challenge(&|nonce| format!("r={nonce}x,s=c2FsdA==,i=1000000000")),
        LoginError::Scram(ScramError::Iterations { got: 1_000_000_000 })
    );
    assert_eq!(
        challenge(&|nonce| format!("r={nonce},s=c2FsdA==,i=4096")),
        LoginError::Scram(ScramError::Nonce)
    );
    assert_eq!(
        challenge(&|_| "r=theirs,s=c2FsdA==,i=4096".to_owned()),
        LoginError::Scram(ScramError::Nonce)
    );
}

#[test]
fn the_signature_may_come_in_a_challenge() {
    let (mut login, auth) = at_server_first();
    let mut server = ScramServer::new(Mechanism::ScramSha1);
    let challenge = server.first(&auth.text());
    let response = sent(
        login
            .handle_frame(sasl("challenge", &challenge), 0)
            .unwrap(),
    );
    let last = server.last(&response.text()).unwrap();
    let empty = sent(login.handle_frame(sasl("challenge", &last), 0).unwrap());
    assert!(empty.is("response", ns::SASL) && empty.text().is_empty());
    assert!(matches!(
        one(login.handle_frame(sasl("success", ""), 0).unwrap()),
        LoginOutput::OpenStream(_)
    ));
}

#[test]
fn a_refused_password_keeps_condition_and_text() {
    let failure = "<not-authorized/><text>Try again</text>";
    let expected = LoginError::AuthRejected {
        condition: "not-authorized".to_owned(),
        text: Some("Try again".to_owned()),
    };
    let (mut login, _) = at_server_first();
    assert_eq!(
        login.handle_frame(sasl("failure", failure), 0).unwrap_err(),
        expected
    );
    assert!(!expected.is_temporary());
    let (mut login, _) = at_server_first();
    let temporary = login
        .handle_frame(sasl("failure", "<temporary-auth-failure/>"), 0)
        .unwrap_err();
    assert!(temporary.is_temporary());
    let (mut login, _) = at_server_first();
    let LoginError::AuthRejected { condition, .. } =
        login.handle_frame(sasl("failure", ""), 0).unwrap_err()
    else {
        panic!();
    };
    assert_eq!(condition, "undefined-condition");
}

#[test]
fn only_our_own_account_is_bound() {
    let bind = |answer: &str| {
        let mut login = authenticated(LoginConfig {
            resource: Some("want".to_owned()),
            ..config(Transport::DirectTls)
        });
        let request = sent(login.handle_frame(frame(BIND), 0).unwrap());
        let resource = request
            .get_child("bind", ns::BIND)
            .unwrap()
            .get_child("resource", ns::BIND);
        assert_eq!(resource.unwrap().text(), "want");
        login.handle_frame(frame(answer), 0).unwrap_err()
    };
    let rejected = |condition: &str| LoginError::BindRejected {
        condition: condition.to_owned(),
    };
    for other in ["admin@b.example/x", "user@c.example/x"] {
        assert_eq!(
            bind(&BOUND.replace("user@b.example/phone", other)),
            rejected("jid-mismatch")
        );
    }
    for bad in ["user@b.example", "@@", ""] {
        assert_eq!(
            bind(&BOUND.replace("user@b.example/phone", bad)),
            rejected("jid-malformed")
        );
    }
    assert_eq!(
        bind(
            "<iq type='error' id='bind'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ),
        rejected("conflict")
    );
    assert!(matches!(
        bind(&BOUND.replace("id='bind'", "id='x'")),
        LoginError::UnexpectedElement { .. }
    ));
    let mut login = authenticated(config(Transport::DirectTls));
    assert_eq!(
        login
            .handle_frame(frame("<stream:features/>"), 0)
            .unwrap_err(),
        rejected("feature-not-implemented")
    );
}

#[test]
fn a_stream_error_or_end_is_reported_in_every_state() {
    let states: [fn() -> Login; 4] = [
        || login_with(config(Transport::StartTls)),
        || at_server_first().0,
        || authenticated(config(Transport::DirectTls)),
        at_enabled,
    ];
    let error =
        "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    for state in states {
        let LoginError::Stream(reported) = state().handle_frame(frame(error), 0).unwrap_err()
        else {
            panic!();
        };
        assert_eq!(reported.condition, "host-unknown");
        assert_eq!(
            state().handle_frame(Frame::Close, 0).unwrap_err(),
            LoginError::Closed
        );
        let oversized = Frame::Oversized {
            shell: parse("<message/>"),
            limit: crate::xml::InnerLimit::Bytes,
        };
        assert!(matches!(
            state().handle_frame(oversized, 0),
            Err(LoginError::UnexpectedElement { .. })
        ));
    }
}

#[test]
fn only_xmpp_1_is_spoken() {
    for (version, ok) in [
        (Some("1.0"), true),
        (Some("1.1"), true),
        (None, false),
        (Some("0.9"), false),
        (Some("2.0"), false),
    ] {
        let mut login = login_with(config(Transport::StartTls));
        let header = Frame::Header(StreamHeader {
            version: version.map(str::to_owned),
            ..StreamHeader::default()
        });
        assert_eq!(login.handle_frame(header, 0).is_ok(), ok, "{version:?}");
    }
}

#[test]
fn bad_account_data_fails_before_any_traffic() {
    let new = |jid: &str, password: &str| {
        let config = LoginConfig::new(
            BareJid::new(jid).unwrap(),
            Password::new(password.to_owned()),
        );
        Login::new(config, &mut ChaCha20Rng::seed_from_u64(1)).err()
    };
    assert_eq!(new("b.example", "x"), Some(LoginError::NoLocalPart));
    assert_eq!(
        new("user@b.example", "\u{7}"),
        Some(LoginError::UnpreparableCredentials)
    );
    assert_eq!(
        new("user@b.example", ""),
        Some(LoginError::UnpreparableCredentials)
    );
    assert_eq!(new("user@b.example", "x"), None);
}

#[test]
fn the_password_stays_out_of_debug() {
    assert!(!format!("{:?}", config(Transport::StartTls)).contains("pencil"));
}

#[test]
fn two_logins_use_different_nonces() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut auth = || {
        let mut login = Login::new(config(Transport::DirectTls), &mut rng).unwrap();
        login.handle_frame(header(), 0).unwrap();
        sent(
            login
                .handle_frame(frame(&mechanisms(&["SCRAM-SHA-1"])), 0)
                .unwrap(),
        )
        .text()
    };
    assert_ne!(auth(), auth());
}

fn any_frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        Just(header()),
        Just(Frame::Close),
        Just(frame(STARTTLS)),
        Just(frame(&mechanisms(&["PLAIN"]))),
        Just(frame(&mechanisms(&["SCRAM-SHA-1", "PLAIN"]))),
        Just(frame("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")),
        Just(sasl("success", "")),
        Just(sasl("challenge", "cj14LHM9eA==")),
        Just(frame(BIND)),
        Just(frame(BOUND)),
        Just(frame("<enabled xmlns='urn:xmpp:sm:3'/>")),
        Just(frame("<message/>")),
    ]
}

proptest! {
    /// Whatever a man in the middle plays before TLS, he sees a header without a name and a request
    /// for TLS.
    #[test]
    fn before_tls_nothing_is_said_but_the_wish_for_it(
        frames in proptest::collection::vec((any_frame(), 0usize..2), 0..12),
        allow_plain: bool,
    ) {
        let mut login = login_with(LoginConfig { allow_plain, ..config(Transport::StartTls) });
        for (frame, unread) in frames {
            let Ok(outputs) = login.handle_frame(frame, unread) else { break };
            for output in outputs {
                match output {
                    LoginOutput::Send(element) => prop_assert!(element.is("starttls", ns::TLS)),
                    LoginOutput::StartTls => prop_assert_eq!(unread, 0),
                    LoginOutput::OpenStream(_) | LoginOutput::Ready(_) | LoginOutput::Invalidated => prop_assert!(false, "{:?}", output),
                }
            }
        }
        prop_assert!(!login.has_begun_authentication());
    }

    /// No order of frames gives a session without the server's proof.
    #[test]
    fn without_the_servers_proof_there_is_no_session(frames in proptest::collection::vec(any_frame(), 0..16)) {
        let mut login = login_with(config(Transport::DirectTls));
        for frame in frames {
            let Ok(outputs) = login.handle_frame(frame, 0) else { break };
            for output in outputs {
                prop_assert!(!matches!(output, LoginOutput::Ready(_) | LoginOutput::OpenStream(_)), "{:?}", output);
            }
        }
    }
}
