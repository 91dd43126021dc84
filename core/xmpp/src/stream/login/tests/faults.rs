//! What ends a login early.

use super::*;

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
