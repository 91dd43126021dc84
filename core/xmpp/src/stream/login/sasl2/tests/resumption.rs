//! A stream that goes on.

use super::*;

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
fn where_resumption_is_not_inline_nothing_is_bound_before_it_was_tried() {
    let mut config = LoginConfig {
        token: None,
        ..resuming()
    };
    config.pins.breaks_pipelining = true;
    let no_sm = INLINE.replace("<sm xmlns='urn:xmpp:sm:3'/>", "");
    let (mut login, outputs) = at_features(config, features(PLUS, &no_sm, TYPES));
    let authenticate = sent(outputs.unwrap());
    assert!(!authenticate.has_child("bind", ns::BIND2));
    assert!(!authenticate.has_child("resume", ns::SM));
    let data = scram(&mut login, &authenticate);
    let bare = "<authorization-identifier>user@b.example</authorization-identifier>";
    login.handle_frame(success(&data, bare), 0).unwrap();
    let offer = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>";
    let resume = sent(login.handle_frame(frame(offer), 0).unwrap());
    assert!(resume.is("resume", ns::SM));
    let resumed = frame("<resumed xmlns='urn:xmpp:sm:3' previd='old' h='3'/>");
    let session = ready(login.handle_frame(resumed, 0).unwrap());
    assert_eq!(session.resumption, Resumption::Resumed { h: 3 });
}
