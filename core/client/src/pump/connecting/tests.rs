//! What an app is told about a connection that did not come, or ended.

use eft_xmpp::driver::{self, AttemptError, CertificateProblem, CloseReason};
use eft_xmpp::stream::StreamError;

use super::failure::login_error;
use super::*;

fn stream_error(condition: &str) -> StreamError {
    StreamError {
        condition: condition.to_owned(),
        text: None,
        other_host: None,
        handled_count_too_high: false,
    }
}

fn rejected(condition: &str, text: Option<&str>) -> LoginError {
    LoginError::AuthRejected {
        condition: condition.to_owned(),
        text: text.map(str::to_owned),
    }
}

fn bind_rejected(condition: &str) -> LoginError {
    LoginError::BindRejected {
        condition: condition.to_owned(),
    }
}

/// Code, and whether an account that was online tries again by itself.
fn told(error: &Error) -> (&'static str, bool) {
    (error.code(), can_recover(error))
}

#[test]
fn refusals_of_a_login_are_told_apart_from_trouble_that_passes() {
    for (error, expected) in [
        (rejected("not-authorized", None), ("auth-rejected", false)),
        (rejected("account-disabled", None), ("auth-rejected", false)),
        (rejected("temporary-auth-failure", None), ("offline", true)),
        (
            LoginError::NoAcceptableMechanism {
                offered: vec!["PLAIN".to_owned()],
            },
            ("auth-rejected", false),
        ),
        (
            LoginError::UnpreparableCredentials,
            ("auth-rejected", false),
        ),
        (LoginError::NoLocalPart, ("auth-rejected", false)),
        (LoginError::TlsRequired, ("server-too-old", false)),
        (LoginError::UnsupportedVersion, ("server-too-old", false)),
        (bind_rejected("not-allowed"), ("not-allowed", false)),
        (bind_rejected("resource-constraint"), ("offline", true)),
        (LoginError::Closed, ("offline", true)),
        (LoginError::TooManySteps, ("offline", true)),
        (
            LoginError::Stream(stream_error("system-shutdown")),
            ("offline", true),
        ),
        (
            LoginError::Stream(stream_error("host-unknown")),
            ("not-allowed", false),
        ),
        (
            LoginError::Stream(stream_error("host-gone")),
            ("not-allowed", false),
        ),
        (
            LoginError::Stream(stream_error("unsupported-version")),
            ("not-allowed", false),
        ),
    ] {
        let name = format!("{error:?}");
        let connect = connect_error(ConnectError::Login(error));
        assert_eq!(told(&connect), expected, "{name}");
    }
}

#[test]
fn the_words_of_the_server_reach_the_user() {
    let error = login_error(rejected("not-authorized", Some("Your account expired")));
    assert!(
        error.to_string().contains("Your account expired"),
        "{error}"
    );
    let error = login_error(rejected("credentials-expired", None));
    assert!(error.to_string().contains("credentials-expired"), "{error}");
}

#[test]
fn a_bad_certificate_is_never_tried_again_by_itself() {
    for (reason, word) in [
        (CertificateProblem::WrongName, "another domain"),
        (CertificateProblem::UnknownIssuer, "not trusted"),
        (CertificateProblem::Expired, "clock"),
        (CertificateProblem::Revoked, "revoked"),
        (CertificateProblem::Other("odd".to_owned()), "odd"),
    ] {
        let error = connect_error(ConnectError::Certificate {
            reason,
            at: "host".to_owned(),
        });
        assert_eq!(told(&error), ("certificate-rejected", false));
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn an_unreachable_server_is_told_with_what_was_tried() {
    let tried = [
        ("one.example", AttemptError::NoAddress),
        ("two.example", AttemptError::Tcp("refused".to_owned())),
        ("three.example", AttemptError::Timeout),
    ]
    .map(|(host, error)| driver::Attempt {
        host: host.to_owned(),
        port: 5222,
        transport: Transport::StartTls,
        error,
    });
    let error = connect_error(ConnectError::Unreachable {
        tried: tried.to_vec(),
    });
    assert_eq!(told(&error), ("offline", true));
    let text = error.to_string();
    for word in ["one.example:5222", "two.example", "refused", "timeout"] {
        assert!(text.contains(word), "{text}");
    }
    let error = connect_error(ConnectError::Unreachable { tried: vec![] });
    assert_eq!(told(&error), ("offline", true));
    assert_eq!(
        told(&connect_error(ConnectError::InvalidDomain)),
        ("invalid-input", false)
    );
}

#[test]
fn the_end_of_a_connection_is_final_only_where_coming_back_would_do_harm() {
    for condition in ["conflict", "not-authorized", "host-gone"] {
        let error = closed_error(&CloseReason::StreamError(stream_error(condition)));
        assert_eq!(told(&error), ("not-allowed", false), "{condition}");
    }
    for reason in [
        CloseReason::ByServer,
        CloseReason::Lost("reset".to_owned()),
        CloseReason::BadAck,
        CloseReason::StreamError(stream_error("system-shutdown")),
        CloseReason::StreamError(stream_error("reset")),
        CloseReason::StreamError(stream_error("undefined-condition")),
    ] {
        assert_eq!(told(&closed_error(&reason)), ("offline", true), "{reason}");
    }
}

#[test]
fn a_store_that_failed_may_work_again() {
    assert!(can_recover(&Error::StoreLocked));
    assert!(!can_recover(&Error::bug("x")));
    assert!(!can_recover(&Error::Suspended));
}

#[tokio::test]
async fn roots_that_are_no_certificates_are_the_callers_fault() {
    let options = ConnectOptions {
        extra_roots_pem: Some("no certificate".to_owned()),
        ..ConnectOptions::default()
    };
    let error = match load_tls(&options).await {
        Ok(_) => panic!("it was taken"),
        Err(error) => error,
    };
    assert_eq!(error.code(), "invalid-input");
}
