//! Both sides prove that they know the password.

use super::*;

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
