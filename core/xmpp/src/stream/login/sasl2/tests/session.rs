//! What is asked for, and what comes of it.

use super::*;

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
