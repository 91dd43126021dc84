//! X2: an archive whose pages never end.

use std::time::Duration;

use super::client::{CONTACT, Client};
use super::program::Program;

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_go_in_a_circle_are_left_and_do_not_keep_the_client_busy() {
    let mut program = Program::start().await;
    let mut client = Client::new(&program, "circle").await;
    client.online(&program).await;
    client.account.disconnect().await;
    let stanza = format!(
        "<message to='{{to}}'><result xmlns='urn:xmpp:mam:2' queryid='{{query}}' id='circle'>\
         <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>\
         <message xmlns='jabber:client' type='chat' from='{CONTACT}/phone' to='user@m.example' id='c1'>\
         <body>round and round</body></message></forwarded></result></message>"
    );
    program.say(&format!("circle {stanza}")).await;
    program.say("forget").await;
    let options = Client::options(&program, true);
    let account = client.account.clone();
    let connecting = tokio::spawn(async move { account.connect(options).await });
    tokio::time::sleep(Duration::from_secs(3)).await;
    connecting.abort();
    let heard = program.say("heard").await;
    let queries = heard["archive_queries"].as_u64().unwrap();
    println!(
        "{queries} queries over {} connections in three seconds",
        heard["connections"]
    );
    // One page on each connection, or two where a circle has to be seen first; and no connection follows at once.
    assert!((1..=12).contains(&queries), "{queries}");

    program.say("straight").await;
    client.account.disconnect().await;
    client.online(&program).await;
    client.wait_for_text("round and round").await;
    let conversation = client.account.conversation(CONTACT.parse().unwrap());
    let page = conversation.timeline(None, 50).await.unwrap();
    assert_eq!(
        page.messages.len(),
        1,
        "it came again and again, and is one message"
    );
}
