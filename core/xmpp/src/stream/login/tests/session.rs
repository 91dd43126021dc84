//! What a login ends with.

use super::*;

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
