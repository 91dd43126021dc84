//! Two foreign clients talk OMEMO through our server, in both versions. Eft has no part in it: when this fails,
//! the harness or the peers are broken, and no other interop result means anything.

use std::time::Duration;

use eft_tests::{Bot, BotError, BotOptions, Prosody, Version};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn bots_understand_each_other_in_both_versions() {
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let echo = BotOptions {
        echo: true,
        ..BotOptions::default()
    };
    let (alice_bot, bob_bot) = tokio::join!(
        Bot::start(&server, &alice),
        Bot::start_with(&server, &bob, echo)
    );
    let (mut alice_bot, mut bob_bot) = (alice_bot.unwrap(), bob_bot.unwrap());
    assert_ne!(alice_bot.device(), bob_bot.device());

    for version in [
        Version::Omemo2,
        Version::Legacy,
        Version::Omemo2,
        Version::Legacy,
    ] {
        let body = format!("tea at four in {}, quietly", version.word());
        let id = alice_bot.send(&bob.jid, &body, version).await.unwrap();
        let got = bob_bot.wait_for_message(&body, PATIENCE).await.unwrap();
        assert_eq!(got["id"], id.as_str());
        assert_eq!(got["version"], version.word());
        assert_eq!(got["sender"], "alice@eft.test");
        assert_eq!(got["device"], alice_bot.device().as_u32());
        let echo = alice_bot
            .wait_for_message(&format!("echo: {body}"), PATIENCE)
            .await
            .unwrap();
        assert_eq!(echo["version"], version.word());
    }

    // The server archived every message and can read none.
    let archive = server.archive_text("bob").unwrap();
    assert!(
        archive.contains("urn:xmpp:omemo:2") && archive.contains("eu.siacs.conversations.axolotl")
    );
    assert_eq!(
        server.files_containing("tea at four").unwrap(),
        Vec::<std::path::PathBuf>::new()
    );

    let devices = alice_bot.devices(&bob.jid).await.unwrap();
    assert_eq!(devices.len(), 1, "{devices:?}");
    assert_eq!(devices[0]["id"], bob_bot.device().as_u32());
    assert_eq!(devices[0]["identity_key"], bob_bot.identity_key());
    assert_eq!(
        devices[0]["versions"],
        serde_json::json!(["legacy", "omemo2"])
    );
    alice_bot.quit().await.unwrap();
    bob_bot.quit().await.unwrap();
}

#[tokio::test]
async fn bot_that_trusts_by_hand_refuses_until_it_is_told() {
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let careful = BotOptions {
        manual_trust: true,
        ..BotOptions::default()
    };
    let (alice_bot, bob_bot) = tokio::join!(
        Bot::start_with(&server, &alice, careful),
        Bot::start(&server, &bob)
    );
    let (mut alice_bot, mut bob_bot) = (alice_bot.unwrap(), bob_bot.unwrap());

    let refusal = alice_bot
        .send(&bob.jid, "who are you?", Version::Omemo2)
        .await
        .unwrap_err();
    assert!(matches!(refusal, BotError::Refused { .. }), "{refusal}");
    alice_bot
        .trust(&bob.jid, Some(bob_bot.device()), true)
        .await
        .unwrap();
    alice_bot
        .send(&bob.jid, "there you are", Version::Omemo2)
        .await
        .unwrap();
    bob_bot
        .wait_for_message("there you are", PATIENCE)
        .await
        .unwrap();
}

#[tokio::test]
async fn bot_with_kept_keys_is_the_same_device_again() {
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let kept = BotOptions {
        store_path: Some(folder.path().join("alice.json")),
        ..BotOptions::default()
    };
    let first = Bot::start_with(&server, &alice, kept.clone())
        .await
        .unwrap();
    let (device, key) = (first.device(), first.identity_key().to_owned());
    first.quit().await.unwrap();
    let second = Bot::start_with(&server, &alice, kept).await.unwrap();
    assert_eq!(
        (second.device(), second.identity_key()),
        (device, key.as_str())
    );
}

#[tokio::test]
async fn wrong_password_ends_in_an_error_that_says_so() {
    let server = Prosody::start().await.unwrap();
    let mut alice = server.add_account("alice").await.unwrap();
    alice.password.push('x');
    let error = Bot::start(&server, &alice).await.unwrap_err();
    assert!(error.to_string().contains("authentication"), "{error}");
}

#[tokio::test]
async fn certificate_of_another_domain_is_refused() {
    let server = Prosody::builder()
        .certificate_for("wrong.test")
        .start()
        .await
        .unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let error = Bot::start(&server, &alice).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(error.to_string().contains("eft.test"), "{error}");
}
