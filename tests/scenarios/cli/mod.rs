//! The terminal client as two real processes: what a user and a script see of Eft.

mod account;
mod kill;
pub(crate) mod program;
mod report;
mod trust;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use eft::{Config, Credentials, Eft, FileSecretStore};
use eft_tests::{Login, Phone, Prosody, free_port};
use serde_json::Value;

use program::Desk;

/// A server with two accounts, and a folder for everybody's files.
struct Stage {
    server: Prosody,
    alice: Login,
    bob: Login,
    folder: tempfile::TempDir,
}

impl Stage {
    async fn set() -> Self {
        Self::on(Prosody::start().await.unwrap()).await
    }

    async fn on(server: Prosody) -> Self {
        Self {
            alice: server.add_account("alice").await.unwrap(),
            bob: server.add_account("bob").await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
            server,
        }
    }

    fn desk(&self, login: &Login) -> Desk {
        Desk::new(self.folder.path(), &self.server, login)
    }
}

const ALICE: &str = "alice@eft.test";
const BOB: &str = "bob@eft.test";

#[tokio::test]
async fn two_processes_talk_and_remember_it() {
    let stage = Stage::set().await;
    let (alice, bob) = (stage.desk(&stage.alice), stage.desk(&stage.bob));
    let mut bobs = bob.chat(ALICE, &[]);
    bobs.wait_for(&[("event", "online")]).await;
    let mut alices = alice.chat(BOB, &[]);
    alices.say("tea at four?").await;

    let got = bobs.wait_for(&[("event", "message")]).await;
    assert_eq!(got["text"], "tea at four?");
    assert_eq!(got["from"], ALICE);
    assert_eq!(got["encryption"], "omemo:2");
    assert_eq!(got["outgoing"], false);
    let alices_device = got["device"].clone();
    bobs.say("gladly ☕").await;
    let answer = alices.wait_for(&[("event", "message")]).await;
    assert_eq!(answer["text"], "gladly ☕");
    assert_eq!(answer["from"], BOB);
    assert_eq!(answer["encryption"], "omemo:2");

    // Input ends; each waits until the server has what it wrote.
    for (chat, peer, text) in [(alices, BOB, "tea at four?"), (bobs, ALICE, "gladly ☕")] {
        let ended = chat.end().await;
        assert_eq!(
            (ended.code, ended.errors.as_str()),
            (Some(0), ""),
            "{ended:?}"
        );
        let printed = ended.objects();
        let acked = printed.iter().any(|object| {
            object["event"] == "changed" && object["text"] == text && object["delivery"] == "acked"
        });
        assert!(acked, "{ended:?}");
        // One device of the other side came into sight, on the lists of two versions.
        let appeared: Vec<_> = printed
            .iter()
            .filter(|object| object["event"] == "device-appeared")
            .map(|object| &object["jid"])
            .collect();
        assert_eq!(appeared, [peer]);
    }

    // Both sides tell the same story afterwards.
    let alices = alice.history(BOB).await;
    let bobs = bob.history(ALICE).await;
    for (history, mine) in [(&alices, ALICE), (&bobs, BOB)] {
        let told: Vec<_> = history
            .iter()
            .map(|message| (&message["from"], &message["text"]))
            .collect();
        assert_eq!(
            told,
            [
                (&ALICE.into(), &"tea at four?".into()),
                (&BOB.into(), &"gladly ☕".into())
            ]
        );
        for message in history {
            let is_mine = message["from"] == mine;
            assert_eq!(message["encryption"], "omemo:2");
            assert_eq!(message["outgoing"], is_mine);
            assert_eq!(
                message["delivery"],
                if is_mine { "acked".into() } else { Value::Null }
            );
        }
    }

    // Devices and fingerprints agree across the two.
    let own = alice
        .run(&["--json", "fingerprint", ALICE])
        .await
        .objects()
        .remove(0);
    assert_eq!(own["device"], alices_device);
    let seen = bob.run(&["--json", "devices", BOB, ALICE]).await.objects();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0]["device"], alices_device);
    assert_eq!(seen[0]["fingerprint"], own["fingerprint"]);
    assert_eq!(seen[0]["trust"], "blindly trusted");
    assert_eq!(
        (&seen[0]["listed"], &seen[0]["this"]),
        (&true.into(), &false.into())
    );
    let at_home = alice.run(&["--json", "devices", ALICE]).await.objects();
    assert_eq!(at_home.len(), 1);
    assert_eq!(
        (&at_home[0]["device"], &at_home[0]["this"]),
        (&alices_device, &true.into())
    );

    // The same for a person.
    let fingerprint = own["fingerprint"].as_str().unwrap();
    let printed = alice.run(&["fingerprint", ALICE]).await;
    assert_eq!(
        printed.lines,
        [format!("{ALICE} device {alices_device}: {fingerprint}")]
    );
    let printed = bob.run(&["devices", BOB, ALICE]).await;
    assert_eq!(
        printed.lines,
        [format!(
            "{ALICE} device {alices_device}: blindly trusted  {fingerprint}"
        )]
    );
    let printed = alice.run(&["history", ALICE, BOB, "-n", "1"]).await;
    assert_eq!(printed.lines.len(), 1);
    assert!(
        printed.lines[0].ends_with(", omemo:2): gladly ☕"),
        "{printed:?}"
    );
}

#[tokio::test]
async fn the_password_is_asked_for_once() {
    let stage = Stage::set().await;
    let alice = stage.desk(&stage.alice);
    // No terminal and no variable: there is nobody to ask.
    let ended = alice.chat_without_password(BOB).end().await;
    assert_eq!(ended.code, Some(1));
    let failed = ended.objects().pop().unwrap();
    assert_eq!(failed["event"], "failed");
    assert!(
        failed["reason"].as_str().unwrap().contains("EFT_PASSWORD"),
        "{failed}"
    );

    assert_eq!(alice.silent_chat(&[], BOB).await.code, Some(0));
    let mut again = alice.chat_without_password(BOB);
    again.wait_for(&[("event", "online")]).await;
    assert_eq!(again.end().await.code, Some(0));
}

#[tokio::test]
async fn a_person_reads_lines_that_no_text_can_forge() {
    let stage = Stage::set().await;
    let mut bobs = stage.desk(&stage.bob).text_chat(ALICE, &["--follow"]);
    bobs.wait("that it is online", |line| {
        (line == "-- online").then_some(())
    })
    .await;
    let phone = Phone::online(&stage.server, &stage.alice, "phone", stage.folder.path())
        .await
        .unwrap();
    phone.send(&stage.bob.jid, "tea at four?").await.unwrap();
    let device = phone.account.device_id();
    let line = bobs
        .wait("the message", |line| {
            line.ends_with("tea at four?").then(|| line.to_owned())
        })
        .await;
    let (time, rest) = line.split_once(' ').unwrap();
    assert_eq!(
        rest,
        format!("{ALICE} (device {device}, omemo:2): tea at four?")
    );
    assert!(
        time.len() == 8 && time.split(':').all(|part| part.parse::<u8>().is_ok()),
        "{time}"
    );

    // A second line that looks like one of ours, and a control character that terminals obey.
    phone
        .send(&stage.bob.jid, "hi\n-- online\u{9b}2J")
        .await
        .unwrap();
    bobs.wait("the first line", |line| {
        line.ends_with(": hi").then_some(())
    })
    .await;
    let second = bobs
        .wait("the second", |line| {
            line.starts_with(' ').then(|| line.to_owned())
        })
        .await;
    assert_eq!(second, "    -- online\u{fffd}2J");
}

#[tokio::test]
async fn a_wrong_password_is_one_sentence_and_a_code() {
    let stage = Stage::set().await;
    let alice = stage.desk(&stage.alice).with_password("wrong");
    let ended = alice.silent_chat(&[], BOB).await;
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.errors.starts_with("eft: login refused: "),
        "{ended:?}"
    );
    assert_eq!(ended.errors.lines().count(), 1, "{ended:?}");

    let ended = alice.silent_chat(&["--json"], BOB).await;
    assert_eq!(
        (ended.code, ended.errors.as_str()),
        (Some(1), ""),
        "{ended:?}"
    );
    let failed = ended.objects().pop().unwrap();
    assert_eq!(
        (&failed["event"], &failed["code"]),
        (&"failed".into(), &"auth-rejected".into())
    );
}

#[tokio::test]
async fn an_unreachable_server_is_named() {
    let stage = Stage::set().await;
    let nowhere = format!("127.0.0.1:{}", free_port().unwrap());
    let alice = stage.desk(&stage.alice).with_server(&nowhere);
    let ended = alice.silent_chat(&[], BOB).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.starts_with("eft: offline: "), "{ended:?}");
    assert!(ended.errors.contains(&nowhere), "{ended:?}");
    assert!(ended.errors.contains("refused"), "{ended:?}");
    let ended = alice.silent_chat(&["--json"], BOB).await;
    assert_eq!(ended.objects().pop().unwrap()["code"], "offline");
}

#[tokio::test]
async fn a_machine_without_a_keyring_is_told_what_to_do() {
    let stage = Stage::set().await;
    let empty = stage.folder.path().join("no-bus");
    std::fs::create_dir(&empty).unwrap();
    let mut command = stage
        .desk(&stage.alice)
        .command_with("keyring", &["chat", ALICE, BOB]);
    command
        .env("EFT_PASSWORD", "secret")
        .env(
            "DBUS_SESSION_BUS_ADDRESS",
            format!("unix:path={}", empty.join("bus").display()),
        )
        .env("XDG_RUNTIME_DIR", &empty);
    let ended = program::run(command).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .errors
            .starts_with("eft: the database key is unavailable: "),
        "{ended:?}"
    );
    assert!(ended.errors.contains("--secrets file:DIR"), "{ended:?}");
}

#[tokio::test]
async fn an_account_that_is_not_here_is_said_to_be_none() {
    let stage = Stage::set().await;
    let alice = stage.desk(&stage.alice);
    for words in [
        &["devices", ALICE][..],
        &["fingerprint", ALICE],
        &["history", ALICE, BOB],
    ] {
        let ended = alice.run(words).await;
        assert_eq!(ended.code, Some(1), "{words:?}");
        assert_eq!(
            ended.errors,
            format!("eft: invalid input: {ALICE} has no database here\n"),
            "{words:?}"
        );
    }
}

#[tokio::test]
async fn one_bad_line_does_not_end_the_chat() {
    let stage = Stage::set().await;
    let (alice, bob) = (stage.desk(&stage.alice), stage.desk(&stage.bob));
    assert_eq!(bob.silent_chat(&[], ALICE).await.code, Some(0));
    let mut alices = alice.chat(BOB, &[]);
    alices.say("before").await;
    alices.say("an arrow key: \u{1b}[A").await;
    alices.say(b"not UTF-8: \xFF").await;
    alices.say("").await;
    alices.say("x".repeat(eft::TEXT_MAX_BYTES + 1)).await;
    alices.say("after").await;
    let ended = alices.end().await;
    // Lines were lost, and a script can see it.
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let objects = ended.objects();
    let codes: Vec<_> = objects
        .iter()
        .filter(|object| object["event"] == "refused")
        .map(|object| object["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["invalid-input", "invalid-input", "too-large"]);
    let last = objects.last().unwrap();
    assert_eq!(
        (&last["event"], &last["reason"]),
        (&"failed".into(), &"3 line(s) were not sent".into())
    );

    // Fetching what came meanwhile needs no input either.
    assert_eq!(bob.silent_chat(&[], ALICE).await.code, Some(0));
    let texts: Vec<_> = bob
        .history(ALICE)
        .await
        .iter()
        .map(|message| message["text"].clone())
        .collect();
    assert_eq!(texts, ["before", "after"]);
}

#[tokio::test]
async fn a_line_for_nobody_is_a_failure_with_its_reason() {
    let stage = Stage::set().await;
    // Bob never logged in: he has no device.
    let mut alices = stage.desk(&stage.alice).chat(BOB, &[]);
    alices.say("anyone there?").await;
    let failed = alices
        .wait_for(&[("event", "changed"), ("delivery", "failed")])
        .await;
    assert_eq!(failed["failure"], "no-recipients");
    let ended = alices.end().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[tokio::test]
async fn a_chat_ends_when_asked_to_though_its_terminal_stays_open() {
    let stage = Stage::set().await;
    let alice = stage.desk(&stage.alice);
    for signal in ["INT", "TERM"] {
        let mut chat = alice.chat(BOB, &["--follow"]);
        chat.wait_for(&[("event", "online")]).await;
        chat.signal(signal);
        let ended = chat.end_with_open_input().await;
        assert_eq!(ended.code, Some(0), "{signal}: {ended:?}");
        let last = ended.objects().pop().unwrap();
        assert_eq!(
            (&last["event"], &last["queued"]),
            (&"interrupted".into(), &0.into())
        );
    }
}

#[tokio::test]
async fn a_chat_ends_when_nobody_reads_it_any_more() {
    let stage = Stage::set().await;
    let mut bobs = stage.desk(&stage.bob).chat(ALICE, &["--follow"]);
    bobs.wait_for(&[("event", "online")]).await;
    bobs.turn_away();
    let phone = Phone::online(&stage.server, &stage.alice, "phone", stage.folder.path())
        .await
        .unwrap();
    // The first may still fit into the reader that is about to go.
    let mut ending = pin!(bobs.end_with_open_input());
    let ended = loop {
        phone.send(&stage.bob.jid, "anybody there?").await.unwrap();
        tokio::select! {
            ended = &mut ending => break ended,
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
    };
    assert_eq!(
        (ended.code, ended.errors.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
}

#[tokio::test]
async fn history_shows_more_than_one_page() {
    const COUNT: u32 = eft::TIMELINE_PAGE_MAX + 1;
    let stage = Stage::set().await;
    let alice = stage.desk(&stage.alice);
    let config = Config {
        data_dir: alice.data(),
    };
    let eft = Eft::open(
        config,
        Arc::new(FileSecretStore::new(alice.secrets()).unwrap()),
    )
    .unwrap();
    let account = eft
        .add_account(Credentials {
            jid: stage.alice.jid.clone(),
            password: stage.alice.password.clone().into(),
        })
        .await
        .unwrap();
    let conversation = account.conversation(stage.bob.jid.clone());
    for number in 0..COUNT {
        conversation.send(number.to_string()).await.unwrap();
    }
    account.shut_down().await;
    let texts: Vec<_> = alice
        .history(BOB)
        .await
        .iter()
        .map(|message| message["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        texts,
        (0..COUNT)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
    );
    let newest = alice
        .run(&["--json", "history", ALICE, BOB, "-n", "2"])
        .await
        .objects();
    let newest: Vec<_> = newest
        .iter()
        .map(|message| message["text"].clone())
        .collect();
    assert_eq!(newest, [(COUNT - 2).to_string(), (COUNT - 1).to_string()]);
}
