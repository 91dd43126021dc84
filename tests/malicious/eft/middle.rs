//! X6: somebody between, with a certificate that is trusted, as before jabber.ru in 2023.

use eft::{ConnectOptions, Error};
use serde_json::Value;

use super::client::{Client, wait_until};
use super::program::Program;
use super::said::Said;

/// What Eft does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// [`Error::Downgraded`], without a proof of the password.
    Downgraded,
    /// Another error, with this in it, without a proof of the password.
    Leaves(&'static str),
    /// The proof is bound to the connection with the middle, and the server refuses it: nothing in the offer shows
    /// that somebody stands there.
    Useless,
}

/// By the way and the server behind it, for an account that has been there before, or was not.
fn expected(way: &str, server: &str, is_known: bool) -> Outcome {
    use Outcome::{Downgraded, Leaves, Useless};
    match (way, server, is_known) {
        ("relays", ..) => Useless,
        ("tls", ..) => Leaves("the server speaks TLS 0303 with its peer"),
        (_, _, true) | ("without-plus-names" | "without-types", ..) => Downgraded,
        ("plain", ..) => Leaves("no acceptable SASL mechanism"),
        // The hash is that of the offer of SASL1, which is as it was made.
        ("without-sasl2", ..) => Useless,
        (_, "hashed", _) => Leaves("somebody changed the server's offer"),
        ("other-types", ..) => Leaves("does not prove its offer"),
        ("weaker-type" | "weaker-plus", ..) => Useless,
        // Eft says that it could bind, and the server that it can.
        _ => Leaves("not-authorized"),
    }
}

/// What was seen over all runs.
#[derive(Debug, Default)]
struct Count {
    runs: usize,
    altered: usize,
    /// Runs with another offer than the server's in which no proof of the password went out.
    silent: usize,
    /// Proofs that went out, each refused by the server.
    useless: usize,
    useless_tokens: usize,
}

impl Count {
    /// Connects through the middle, which has to fail in the way that is right.
    async fn attack(
        &mut self,
        program: &mut Program,
        client: &Client,
        login: &Value,
        options: ConnectOptions,
        is_known: bool,
    ) {
        let name = login["name"].as_str().unwrap();
        let (way, server) = ["hashed", "bound", "end-point"]
            .into_iter()
            .find_map(|server| {
                let way = name.strip_prefix("middle-")?.strip_suffix(server)?;
                Some((way.trim_end_matches('-'), server))
            })
            .unwrap();
        program.say(&format!("login {name}")).await;
        let error = client.try_connect_by(options).await.expect_err(name);
        let expected = expected(way, server, is_known);
        // The server has seen what the client sent before it left.
        let token_count = usize::from(is_known && server != "bound");
        let verdict_count = token_count + usize::from(expected == Outcome::Useless);
        wait_until("verdicts", async || {
            Said::read(program).await.verdicts.len() >= verdict_count
        })
        .await;
        let said = Said::read(program).await;
        println!("{name}, known: {is_known}: {error}; {:?}", said.verdicts);

        assert!(!said.is_let_in(), "{name}: {:?}", said.verdicts);
        assert_eq!(said.token_proofs(), token_count, "{name}");
        let of_token = said.verdicts.iter().filter(|verdict| {
            verdict.contains("HT-SHA-256-")
                && verdict.ends_with("no token gives this proof on this connection")
        });
        assert_eq!(of_token.count(), token_count, "{name}: {:?}", said.verdicts);
        let proofs = said.proofs();
        assert_eq!(
            proofs,
            usize::from(expected == Outcome::Useless),
            "proofs of the password, {name}: {error}"
        );
        match expected {
            Outcome::Downgraded => {
                assert!(matches!(error, Error::Downgraded { .. }), "{name}: {error}");
            }
            Outcome::Leaves(reason) => {
                assert!(
                    matches!(error, Error::AuthRejected { .. })
                        && error.to_string().contains(reason),
                    "{name}: {error}"
                );
            }
            Outcome::Useless => {
                assert!(
                    matches!(error, Error::AuthRejected { .. }),
                    "{name}: {error}"
                );
                let last = said.verdicts.last().unwrap();
                assert!(
                    last.contains("-PLUS") && last.ends_with("another channel binding"),
                    "{name}: {last}"
                );
            }
        }
        self.runs += 1;
        self.altered += usize::from(way != "relays");
        self.silent += usize::from(way != "relays" && proofs == 0);
        self.useless += proofs;
        self.useless_tokens += token_count;
    }
}

/// Those of the program's logins in which somebody stands between.
async fn middles(program: &mut Program) -> Vec<Value> {
    let logins = program.say("logins").await;
    let mut logins = logins.as_array().unwrap().clone();
    logins.retain(|login| !login["without the middle"].is_null());
    logins
}

/// Logs in with nobody between, and gives how.
async fn visit(program: &mut Program, client: &Client, honest: &str, direct_tls: bool) -> String {
    program.say(&format!("login {honest}")).await;
    client.try_connect(program, direct_tls).await.unwrap();
    let said = Said::read(program).await;
    assert!(said.is_online);
    client.account.disconnect().await;
    wait_until("gone", async || !Said::read(program).await.is_online).await;
    said.verdicts.last().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_the_server_proves_no_password_to_somebody_between() {
    let mut program = Program::start().await;
    let middles = middles(&mut program).await;
    let mut count = Count::default();
    for direct_tls in [false, true] {
        for (honest, first, later) in [
            (
                "plus",
                "let in by SCRAM-SHA-256-PLUS",
                "let in by SCRAM-SHA-256-PLUS",
            ),
            (
                "plus-hashed",
                "let in by SCRAM-SHA-256-PLUS",
                "let in by HT-SHA-256-EXPR",
            ),
            (
                "plus-end-point",
                "let in by SCRAM-SHA-256-PLUS",
                "let in by HT-SHA-256-ENDP",
            ),
        ] {
            let client = Client::new(&program, &format!("{honest}-{direct_tls}")).await;
            assert_eq!(
                visit(&mut program, &client, honest, direct_tls).await,
                first
            );
            for login in &middles {
                if login["without the middle"] != honest {
                    continue;
                }
                let plain = login["name"].as_str().unwrap().starts_with("middle-plain-");
                for allow_plain in [false, true] {
                    if allow_plain && !plain {
                        continue;
                    }
                    let options = ConnectOptions {
                        allow_plain,
                        ..Client::options(&program, direct_tls)
                    };
                    count
                        .attack(&mut program, &client, login, options, true)
                        .await;
                }
                // The account is none the worse for it.
                assert_eq!(
                    visit(&mut program, &client, honest, direct_tls).await,
                    later
                );
            }
            client.account.shut_down().await;
        }
    }
    println!("{count:?}");
    assert_eq!(count.silent, count.altered, "{count:?}");
    assert!(
        count.altered >= 42 && count.useless_tokens >= 24,
        "{count:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_first_visit_a_proof_goes_out_only_if_it_is_bound_or_not_at_all() {
    let mut program = Program::start().await;
    let mut count = Count::default();
    for login in middles(&mut program).await {
        for direct_tls in [false, true] {
            let name = format!("{}-{direct_tls}", login["name"].as_str().unwrap());
            let client = Client::new(&program, &name).await;
            let options = Client::options(&program, direct_tls);
            count
                .attack(&mut program, &client, &login, options, false)
                .await;
            client.account.shut_down().await;
        }
    }
    println!("{count:?}");
    // Where the server hashes its offer, only the loss of SASL2 goes unseen.
    assert!(
        count.altered >= 38 && count.altered - count.silent <= 8,
        "{count:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_really_offers_less_is_refused_until_the_user_accepts_it() {
    let mut program = Program::start().await;
    let client = Client::new(&program, "less").await;
    visit(&mut program, &client, "plus-hashed", true).await;
    // Each offers less than the one before.
    for (less, then) in [
        ("plus-end-point", "let in by SCRAM-SHA-256-PLUS"),
        ("sasl2", "let in by SCRAM-SHA-256"),
        ("sasl1", "let in by SCRAM-SHA-256"),
    ] {
        program.say(&format!("login {less}")).await;
        let error = client.try_connect(&program, true).await.unwrap_err();
        assert!(matches!(error, Error::Downgraded { .. }), "{less}: {error}");
        assert!(!Said::read(&mut program).await.is_let_in(), "{less}");
        client.account.accept_downgrade().await.unwrap();
        assert_eq!(visit(&mut program, &client, less, true).await, then);
    }
    // What was given up is the measure no more; what is there again, is.
    visit(&mut program, &client, "plus", true).await;
    program.say("login sasl2").await;
    let error = client.try_connect(&program, true).await.unwrap_err();
    assert!(matches!(error, Error::Downgraded { .. }), "{error}");
}
