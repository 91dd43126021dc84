//! X2: an archive whose pages never end. And how one is read whose pages do.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

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

/// A line of the archive's file.
fn line(text: &mut String, number: usize) {
    let minutes = number / 60 % 60;
    let seconds = number % 60;
    let hours = number / 3600;
    writeln!(
        text,
        "<message to='user@m.example'><result xmlns='urn:xmpp:mam:2' queryid='{{query}}' id='a{number}'>\
         <forwarded xmlns='urn:xmpp:forward:0'>\
         <delay xmlns='urn:xmpp:delay' stamp='2026-01-01T{hours:02}:{minutes:02}:{seconds:02}Z'/>\
         <message xmlns='jabber:client' type='chat' from='{CONTACT}/phone' to='user@m.example' id='m{number}'>\
         <body>number {number}</body></message></forwarded></result></message>\ta{number}"
    )
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_page_is_asked_for_before_one_is_worked_through() {
    const COUNT: usize = 2000;
    /// In which a task hears of an event, and no page can be stored.
    const HEARING: Duration = Duration::from_millis(3);
    let mut program = Program::start().await;
    let mut client = Client::new(&program, "ahead").await;
    let file = program.folder().join("archive");
    let mut archive = String::new();
    line(&mut archive, 0);
    std::fs::write(&file, &archive).unwrap();
    program.say(&format!("archive {}", file.display())).await;
    client.online(&program).await;
    client.account.disconnect().await;
    (1..=COUNT).for_each(|number| line(&mut archive, number));
    std::fs::write(&file, &archive).unwrap();
    program.say(&format!("archive {}", file.display())).await;
    program.say("forget").await;
    client.progress.lock().unwrap().clear();
    client.online(&program).await;

    let heard = program.say("heard").await;
    let asked: Vec<_> = heard["archive_queries_at"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| SystemTime::UNIX_EPOCH + Duration::from_micros(at.as_u64().unwrap()))
        .collect();
    let stored = client.progress.lock().unwrap().clone();
    // Each question brought a page, of which something is told when it is on the disk; of the last, that it is.
    assert!(
        asked.len() >= 8 && stored.len() + 1 >= asked.len(),
        "{} questions, {} pages",
        asked.len(),
        stored.len()
    );
    // The first pages tell what is missing. The rest is that.
    let ahead: Vec<_> = stored
        .iter()
        .zip(&asked[1..])
        .map(|((_, stored), asked)| stored.duration_since(*asked).unwrap_or_default())
        .collect();
    println!("asked before the page was stored: {ahead:?}");
    let filling = &ahead[2..];
    let count = filling.iter().filter(|ahead| **ahead > HEARING).count();
    // A question may take its time on a busy machine.
    assert!(count * 2 > filling.len(), "{ahead:?}");
    let conversation = client.account.conversation(CONTACT.parse().unwrap());
    let page = conversation.timeline(None, 200).await.unwrap();
    assert!(page.gaps.is_empty());
    client.wait_for_text(&format!("number {COUNT}")).await;
    client.wait_for_text("number 1").await;
}
