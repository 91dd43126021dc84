//! Until TLS is up.

use super::*;

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
