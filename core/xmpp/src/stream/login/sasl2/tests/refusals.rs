//! What is refused, and what is never believed or sent.

use super::*;

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
