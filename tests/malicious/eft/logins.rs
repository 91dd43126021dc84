//! X5, X6, X7, X13: what a client says to a server that has not proven anything.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Client;
use super::program::Program;
use super::said::decoded;

/// What was heard, as one text.
fn encrypted(heard: &Value) -> String {
    let stanzas = heard["encrypted"].as_array().unwrap();
    stanzas.iter().map(|text| text.as_str().unwrap()).collect()
}

/// Base64 of what PLAIN says.
const PLAIN: &str = "AHVzZXIAcGVuY2ls";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_proves_nothing_learns_nothing() {
    let mut program = Program::start().await;
    let logins = program.say("logins").await;
    let mut refused = 0;
    for login in logins.as_array().unwrap() {
        let name = login["name"].as_str().unwrap();
        // Who stands between is in `middle`.
        if login["honest"] == true || !login["without the middle"].is_null() {
            continue;
        }
        for direct_tls in [false, true] {
            if direct_tls && name.starts_with("starttls") {
                continue;
            }
            program.say(&format!("login {name}")).await;
            let client = Client::new(&program, &format!("{name}-{direct_tls}")).await;
            let began = Instant::now();
            let result = client.try_connect(&program, direct_tls).await;
            let took = began.elapsed();
            client.account.shut_down().await;
            let error = result.expect_err(name);
            let heard = program.say("heard").await;
            println!("{name}: {error}, after {took:?}");
            assert!(took < Duration::from_secs(10), "{name}: {took:?}");

            let in_clear = heard["in_clear"].as_str().unwrap();
            let said = encrypted(&heard);
            assert_eq!(heard["online"], false, "{name}");
            assert_eq!(in_clear.is_empty(), direct_tls, "{name}: {in_clear}");
            for secret in ["user", "pencil", "auth", PLAIN, "response"] {
                assert!(!in_clear.contains(secret), "{name}: {in_clear}");
            }
            assert!(
                !said.contains(PLAIN) && !said.contains("pencil"),
                "{name}: {said}"
            );
            if name.starts_with("starttls")
                || name.starts_with("certificate")
                || name == "old-only"
                || name == "plain-only"
            {
                assert_eq!(said, "", "{name}");
            }
            if name.starts_with("scram-") && !name.starts_with("scram-signature") {
                assert!(!said.contains("<response"), "{name}: {said}");
            }
            // Let in without proof, it uses nothing: neither a resource nor a question.
            assert!(
                !said.contains("<iq") && !said.contains("<presence"),
                "{name}: {said}"
            );
            refused += 1;
        }
    }
    println!("{refused} logins refused");
    assert_eq!(refused, 33);
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_logins_work_with_the_best_binding_and_say_nothing_before_tls() {
    let mut program = Program::start().await;
    let logins = program.say("logins").await;
    let honest = logins.as_array().unwrap().iter();
    let honest = honest.filter(|login| login["honest"] == true);
    let mut names: Vec<&str> = honest
        .map(|login| login["name"].as_str().unwrap())
        .collect();
    for (name, mechanism, begins) in [
        ("sasl2", "SCRAM-SHA-256", "y,,n=user,"),
        ("sasl1", "SCRAM-SHA-256", "y,,n=user,"),
        ("plus", "SCRAM-SHA-256-PLUS", "p=tls-exporter,,n=user,"),
        (
            "plus-hashed",
            "SCRAM-SHA-256-PLUS",
            "p=tls-exporter,,n=user,",
        ),
        (
            "plus-sasl1",
            "SCRAM-SHA-256-PLUS",
            "p=tls-exporter,,n=user,",
        ),
        (
            "plus-end-point",
            "SCRAM-SHA-256-PLUS",
            "p=tls-server-end-point,,n=user,",
        ),
    ] {
        names.retain(|other| *other != name);
        for direct_tls in [false, true] {
            program.say(&format!("login {name}")).await;
            let client = Client::new(&program, &format!("{name}-{direct_tls}")).await;
            client.try_connect(&program, direct_tls).await.unwrap();
            let heard = program.say("heard").await;
            assert_eq!(heard["online"], true);
            // The server computed what it binds to by itself, and found the same.
            assert_eq!(
                heard["verdicts"],
                json!([format!("let in by {mechanism}")]),
                "{name}"
            );
            let first = decoded(&encrypted(&heard)).remove(0);
            let first = String::from_utf8(first).unwrap();
            assert!(first.starts_with(begins), "{name}: {first}");
            let in_clear = heard["in_clear"].as_str().unwrap();
            assert_eq!(in_clear.is_empty(), direct_tls, "{in_clear}");
            assert!(
                !in_clear.contains("user") && !in_clear.contains("from"),
                "{in_clear}"
            );
            client.account.shut_down().await;
        }
    }
    assert!(names.is_empty(), "{names:?}");
}
