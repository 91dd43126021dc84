//! The first two laws, from outside: commit, then speak (1); acknowledge what is durable (2).

use std::time::Duration;

use eft::{BareJid, ConnectionState, Content, Delivery, Event, FileSecretStore, Message};
use eft_tests::{FaultProxy, Phone, Prosody, open_database, wait_for};
use rusqlite::Connection;

use crate::cli::program::Desk;

const BOB: &str = "bob@eft.test";

const PATIENCE: Duration = Duration::from_secs(30);

fn texts(history: &[Message]) -> Vec<&str> {
    history
        .iter()
        .map(|message| match &message.content {
            Content::Text(text) => text.as_str(),
            Content::Unreadable(why) => panic!("unreadable: {why}"),
        })
        .collect()
}

/// Another process that writes to the phone's database and does not come to an end.
fn hold_the_write_lock(phone: &Phone) -> Connection {
    let connection = open_database(phone.folder(), phone.secrets()).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

/// Encrypted messages that the server has handed to Alice and that she has not acknowledged.
async fn unacknowledged(server: &Prosody) -> usize {
    let stanzas = server.unacknowledged_stanzas("alice").await.unwrap();
    stanzas
        .iter()
        .filter(|stanza| stanza.contains("<payload>"))
        .count()
}

/// Alice and Bob have spoken, and nothing is under way.
async fn two_phones(server: &Prosody, folder: &std::path::Path) -> (Phone, Phone) {
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let mut alices = Phone::online(server, &alice, "alice", folder)
        .await
        .unwrap();
    let mut bobs = Phone::online(server, &bob, "bob", folder).await.unwrap();
    bobs.send(&alice.jid, "hello").await.unwrap();
    alices.wait_for_text("hello").await.unwrap();
    alices.send(&bob.jid, "hello Bob").await.unwrap();
    bobs.wait_for_text("hello Bob").await.unwrap();
    wait_for("Alice's acknowledgements", PATIENCE, || async {
        server
            .unacknowledged_stanzas("alice")
            .await
            .unwrap()
            .is_empty()
    })
    .await
    .unwrap();
    (alices, bobs)
}

#[tokio::test]
async fn no_stanza_is_acknowledged_before_its_row_is_in_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let (mut alices, mut bobs) = two_phones(&server, folder.path()).await;
    let lock = hold_the_write_lock(&alices);
    let id = bobs
        .send(alices.account.jid(), "waits for the disk")
        .await
        .unwrap();
    assert_eq!(bobs.wait_until_sent(id).await.unwrap(), Delivery::Acked);
    wait_for("the stanza at Alice's", PATIENCE, || async {
        unacknowledged(&server).await == 1
    })
    .await
    .unwrap();
    // The server asks for an acknowledgement with every stanza. Below the store's patience of five seconds.
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(unacknowledged(&server).await, 1);
    }
    let rows: u32 = lock
        .query_row(
            "SELECT count(*) FROM message WHERE body = 'waits for the disk'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(rows, 0);
    lock.execute_batch("ROLLBACK").unwrap();
    alices.wait_for_text("waits for the disk").await.unwrap();
    wait_for("the acknowledgement", PATIENCE, || async {
        unacknowledged(&server).await == 0
    })
    .await
    .unwrap();
    let history = alices.history(bobs.account.jid()).await.unwrap();
    assert_eq!(
        texts(&history),
        ["hello", "hello Bob", "waits for the disk"]
    );
}

#[tokio::test]
async fn a_store_that_takes_nothing_ends_the_connection_and_the_message_comes_again_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let (mut alices, bobs) = two_phones(&server, folder.path()).await;
    let lock = hold_the_write_lock(&alices);
    for number in 0..3 {
        bobs.send(alices.account.jid(), &format!("number {number}"))
            .await
            .unwrap();
    }
    let error = alices
        .wait("the end of the connection", |event| match event {
            Event::ConnectionChanged(ConnectionState::Offline { error, retry_at }) => {
                Some((error.clone(), *retry_at))
            }
            _ => None,
        })
        .await
        .unwrap();
    assert_eq!(error.0.code(), "store-locked", "{}", error.0);
    assert!(
        error.0.retryable() && error.1.is_some(),
        "it is tried again by itself"
    );
    assert_eq!(unacknowledged(&server).await, 3, "none of them was taken");
    lock.execute_batch("ROLLBACK").unwrap();
    for number in 0..3 {
        alices
            .wait_for_text(&format!("number {number}"))
            .await
            .unwrap();
    }
    // What the old stream still holds comes by another way, too, when the server gives up on it.
    server.close_sessions("alice").await.unwrap();
    alices.wait_until_caught_up().await.unwrap();
    bobs.send(alices.account.jid(), "last").await.unwrap();
    alices.wait_for_text("last").await.unwrap();
    let history = alices.history(bobs.account.jid()).await.unwrap();
    assert_eq!(
        texts(&history),
        [
            "hello",
            "hello Bob",
            "number 0",
            "number 1",
            "number 2",
            "last"
        ]
    );
}

/// The text of the one `<payload/>` of a stanza.
fn payload(stanza: &str) -> &str {
    let (_, rest) = stanza.split_once("<payload>").unwrap();
    rest.split_once("</payload>").unwrap().0
}

/// What of the messages between Alice and Bob the server has archived.
async fn archived_payloads(server: &Prosody, alice: &BareJid) -> Vec<String> {
    let archived = server.archived_stanzas("bob", alice).await.unwrap();
    archived
        .iter()
        .filter(|stanza| stanza.xml.contains("<payload>"))
        .map(|stanza| payload(&stanza.xml).to_owned())
        .collect()
}

#[tokio::test]
async fn what_was_committed_and_not_sent_is_sent_by_the_next_process_as_the_same_bytes() {
    const COUNT: usize = 5;
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let mut bobs = Phone::online(&server, &bob, "bob", folder.path())
        .await
        .unwrap();
    let proxy = FaultProxy::start(server.starttls_address()).await.unwrap();
    let desk = Desk::new(folder.path(), &server, &alice).with_server(&proxy.address().to_string());

    let mut chat = desk.chat(BOB, &[]);
    chat.say("hello").await;
    chat.wait_for(&[
        ("event", "changed"),
        ("delivery", "acked"),
        ("text", "hello"),
    ])
    .await;
    bobs.wait_for_text("hello").await.unwrap();
    // From here on nothing leaves the machine.
    proxy.stall();
    for number in 0..COUNT {
        chat.say(format!("line {number}")).await;
    }
    for number in 0..COUNT {
        let line = format!("line {number}");
        chat.wait_for(&[("event", "changed"), ("delivery", "sent"), ("text", &line)])
            .await;
    }
    chat.kill().await;
    assert_eq!(archived_payloads(&server, &alice.jid).await.len(), 1);

    let fixed: Vec<String> = {
        let secrets = FileSecretStore::new(desk.secrets()).unwrap();
        let database = open_database(&desk.data(), &secrets).unwrap();
        let mut rows = database
            .prepare("SELECT stanza FROM outbox ORDER BY id")
            .unwrap();
        rows.query_map([], |row| row.get::<_, Vec<u8>>(0))
            .unwrap()
            .map(|stanza| String::from_utf8(stanza.unwrap()).unwrap())
            .collect()
    };
    assert_eq!(fixed.len(), COUNT);

    // What the proxy held back is lost with the connection.
    proxy.reset();
    wait_for("the end of the connection", PATIENCE, || async {
        proxy.open_connections() == 0
    })
    .await
    .unwrap();
    proxy.clear();
    let ended = desk.silent_chat(&[], BOB).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut expected = vec!["hello".to_owned()];
    for number in 0..COUNT {
        let line = format!("line {number}");
        bobs.wait_for_text(&line).await.unwrap();
        expected.push(line);
    }
    let history = bobs.history(&alice.jid).await.unwrap();
    assert_eq!(texts(&history), expected);
    // Encrypted once: a ratchet that had gone on from a lost state would have made others.
    let arrived = archived_payloads(&server, &alice.jid).await;
    let fixed: Vec<&str> = fixed.iter().map(|stanza| payload(stanza)).collect();
    assert_eq!(arrived[1..], fixed);
}

/// Instants that differ from round to round and not from run to run.
fn instants() -> impl Iterator<Item = Duration> {
    let mut state = 0x2545_F491_u32;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        Duration::from_millis(u64::from(state % 400))
    })
}

#[tokio::test]
async fn a_process_that_is_killed_at_any_instant_says_every_acknowledged_line_once_and_in_order() {
    const LINES: usize = 30;
    const KILLS: usize = 10;
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let mut bobs = Phone::online(&server, &bob, "bob", folder.path())
        .await
        .unwrap();
    let desk = Desk::new(folder.path(), &server, &alice);
    let ended = desk.silent_chat(&[], BOB).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let mut acknowledged = Vec::new();
    let mut note = |object: &serde_json::Value| {
        if object["event"] == "changed" && object["delivery"] == "acked" {
            acknowledged.push(object["text"].as_str().unwrap().to_owned());
        }
    };
    let mut said = 0;
    for instant in instants().take(KILLS) {
        let mut chat = desk.chat(BOB, &[]);
        chat.wait_for(&[("event", "online")]).await;
        let death = tokio::time::Instant::now() + instant;
        while said < LINES && tokio::time::Instant::now() < death {
            chat.say(format!("line {said}")).await;
            said += 1;
            tokio::time::sleep(Duration::from_millis(7)).await;
        }
        tokio::time::sleep_until(death).await;
        chat.kill().await.iter().for_each(&mut note);
    }
    // However many of them a busy machine let die in the pipe, these are read.
    let mut chat = desk.chat(BOB, &[]);
    for _ in 0..LINES {
        chat.say(format!("line {said}")).await;
        said += 1;
    }
    let ended = chat.end().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.objects().iter().for_each(&mut note);

    // What Alice's device holds is the truth about what was said: a line can die in a pipe before it was read.
    let sent: Vec<String> = desk
        .history(BOB)
        .await
        .iter()
        .map(|message| {
            assert_eq!(message["delivery"], "acked", "{message}");
            message["text"].as_str().unwrap().to_owned()
        })
        .collect();
    let last = sent.last().unwrap();
    bobs.wait_for_text(last).await.unwrap();
    let history = bobs.history(&alice.jid).await.unwrap();
    assert_eq!(texts(&history), sent);
    assert!(
        acknowledged.iter().all(|line| sent.contains(line)),
        "{acknowledged:?}"
    );
    let numbers: Vec<usize> = sent
        .iter()
        .map(|line| line.strip_prefix("line ").unwrap().parse().unwrap())
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert!(numbers.len() >= LINES, "{numbers:?}");
}
