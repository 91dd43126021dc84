//! Tokens, and what may be said before the server speaks.

use super::*;

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
    let (_, outputs) = at_features(super::config(), features(PLUS, only_none, TYPES));
    assert!(!sent(outputs.unwrap()).has_child("request-token", ns::FAST));
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
        ..super::config()
    };
    assert!(Login::to_invalidate_token(none, rng).is_err());
}
