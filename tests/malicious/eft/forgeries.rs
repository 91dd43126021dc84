//! X1, X3: nobody speaks for the account but its own server.

use serde_json::Value;

use super::client::{CONTACT, Client, wait_until};
use super::program::Program;

/// Of which Eft shows nothing to anybody, honest or not.
const NOT_SHOWN: [&str; 3] = ["block-push", "bookmark", "displayed"];

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap()
}

/// A message that comes behind everything that was played: when it is seen, all that has been read.
async fn barrier(program: &mut Program, client: &Client, name: &str) {
    let message = format!(
        "send <message type='chat' from='{CONTACT}/phone' to='{{to}}' id='{name}'><body>{name}</body></message>"
    );
    program.say(&message).await;
    client.wait_for_text(name).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_own_server_speaks_for_the_account() {
    let mut program = Program::start().await;
    let mut client = Client::new(&program, "forgeries").await;
    client.online(&program).await;
    let cases = program.say("cases").await;
    let cases = cases.as_array().unwrap();
    let (mut forged, mut honest) = (0, 0);
    let mut believed = Vec::new();
    for is_honest in [false, true] {
        for case in cases.iter().filter(|case| case["honest"] == is_honest) {
            let (id, shows) = (text(case, "id"), &case["shows"]);
            program.say(&format!("play {id}")).await;
            if text(case, "played") != "now" {
                client.account.disconnect().await;
                client.online(&program).await;
            }
            barrier(&mut program, &client, &format!("behind {id}")).await;
            if NOT_SHOWN.contains(&text(case, "kind")) {
                assert_eq!(
                    client.shows(shows).await,
                    None,
                    "{id}: a kind that has become visible"
                );
                forged += usize::from(!is_honest);
                continue;
            }
            if is_honest {
                let what = format!("{id}, which is honest");
                wait_until(&what, async || client.shows(shows).await.unwrap()).await;
                honest += 1;
            } else {
                if client.shows(shows).await.unwrap() {
                    believed.push(id.to_owned());
                }
                forged += 1;
            }
        }
    }
    println!(
        "{forged} forgeries, {} believed; {honest} honest ones believed",
        believed.len()
    );
    // What showed late shows now.
    for case in cases.iter().filter(|case| case["honest"] == false) {
        if client.shows(&case["shows"]).await == Some(true) {
            believed.push(text(case, "id").to_owned());
        }
    }
    assert!(believed.is_empty(), "{believed:?}");
    assert!(forged >= 60, "{forged}");
    let kinds = |is_honest: bool| -> std::collections::BTreeSet<&str> {
        let of = cases.iter().filter(|case| case["honest"] == is_honest);
        of.map(|case| text(case, "kind")).collect()
    };
    assert_eq!(kinds(true), kinds(false), "each kind has an honest case");
}
