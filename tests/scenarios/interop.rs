//! An independent OMEMO client and Eft understand each other, both ways.

use std::time::Duration;

use eft::{Delivery, Encryption, TrustLevel, VerifiedBy};
use eft_tests::{Bot, BotOptions, Phone, Prosody, Version};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_foreign_client_and_eft_exchange_omemo_2_messages() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let carol = server.add_account("carol").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "alice-phone", folder.path())
        .await
        .unwrap();
    let mut bot = Bot::start(&server, &carol).await.unwrap();

    // Eft begins, the bot answers.
    let id = phone.send(&carol.jid, "bonjour ☕").await.unwrap();
    assert_eq!(phone.wait_until_sent(id).await.unwrap(), Delivery::Acked);
    let got = bot.wait_for_message("bonjour ☕", PATIENCE).await.unwrap();
    assert_eq!(got["version"], Version::Omemo2.word());
    assert_eq!(got["sender"], alice.jid.as_str());
    assert_eq!(got["device"], phone.account.device_id().as_u32());
    for number in 0..5 {
        let text = format!("réponse {number}");
        bot.send(&alice.jid, &text, Version::Omemo2).await.unwrap();
        let got = phone.wait_for_text(&text).await.unwrap();
        assert_eq!(got.encryption, Encryption::Omemo2);
        assert_eq!(got.sender_device, Some(bot.device()));
        let text = format!("question {number}");
        phone.send(&carol.jid, &text).await.unwrap();
        bot.wait_for_message(&text, PATIENCE).await.unwrap();
    }
}

#[tokio::test]
async fn a_foreign_client_begins_and_eft_answers() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let carol = server.add_account("carol").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "alice-phone", folder.path())
        .await
        .unwrap();
    let mut bot = Bot::start(&server, &carol).await.unwrap();
    for number in 0..3 {
        let text = format!("bonjour {number}");
        bot.send(&alice.jid, &text, Version::Omemo2).await.unwrap();
        phone.wait_for_text(&text).await.unwrap();
    }
    phone.send(&carol.jid, "salut").await.unwrap();
    bot.wait_for_message("salut", PATIENCE).await.unwrap();
    // Both show the same fingerprint for the same device.
    let devices = phone.account.devices(&carol.jid).await.unwrap();
    assert_eq!(devices.len(), 1);
    let shown: String = devices[0].fingerprint.unwrap().to_string().replace(' ', "");
    let of_alice = bot.devices(&alice.jid).await.unwrap();
    assert_eq!(of_alice[0]["id"], phone.account.device_id().as_u32());
    assert_eq!(shown.len(), 64);
}

#[tokio::test]
async fn offline_messages_of_a_foreign_client_are_caught_up_with() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let carol = server.add_account("carol").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "alice-phone", folder.path())
        .await
        .unwrap();
    let mut bot = Bot::start(&server, &carol).await.unwrap();
    phone.account.disconnect().await;
    for number in 0..10 {
        bot.send(&alice.jid, &format!("missed {number}"), Version::Omemo2)
            .await
            .unwrap();
    }
    phone.connect().await.unwrap();
    for number in 0..10 {
        phone
            .wait_for_text(&format!("missed {number}"))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_client_that_speaks_only_legacy_is_understood_and_understands() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let carol = server.add_account("carol").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "alice-phone", folder.path())
        .await
        .unwrap();
    let mut laptop = Phone::online(&server, &alice, "alice-laptop", folder.path())
        .await
        .unwrap();
    phone.accept(&laptop).await.unwrap();
    let mut bot = legacy_only(&server, &carol).await;

    // The bot begins.
    bot.send(&alice.jid, "old words", Version::Legacy)
        .await
        .unwrap();
    for device in [&mut phone, &mut laptop] {
        let got = device.wait_for_text("old words").await.unwrap();
        assert_eq!(got.encryption, Encryption::OmemoLegacy);
        assert_eq!(got.sender_device, Some(bot.device()));
    }
    // Eft answers: legacy for Carol's device, omemo:2 for Alice's laptop, in one stanza.
    for number in 0..5 {
        let text = format!("new words {number}");
        phone.send(&carol.jid, &text).await.unwrap();
        let got = bot.wait_for_message(&text, PATIENCE).await.unwrap();
        assert_eq!(got["version"], Version::Legacy.word());
        let copy = laptop.wait_for_text(&text).await.unwrap();
        assert_eq!(copy.encryption, Encryption::Omemo2);
        let text = format!("old answer {number}");
        bot.send(&alice.jid, &text, Version::Legacy).await.unwrap();
        phone.wait_for_text(&text).await.unwrap();
    }
}

#[tokio::test]
async fn each_version_goes_in_a_stanza_of_its_own_where_the_contact_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let carol = server.add_account("carol").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "alice-phone", folder.path())
        .await
        .unwrap();
    let mut laptop = Phone::online(&server, &alice, "alice-laptop", folder.path())
        .await
        .unwrap();
    phone.accept(&laptop).await.unwrap();
    let mut bot = legacy_only(&server, &carol).await;
    let conversation = phone.account.conversation(carol.jid.clone());
    let mut stanzas_of = Vec::new();
    for separate in [false, true] {
        conversation.set_separate_versions(separate).await.unwrap();
        let text = format!("in stanzas of their own: {separate}");
        let id = phone.send(&carol.jid, &text).await.unwrap();
        assert_eq!(phone.wait_until_sent(id).await.unwrap(), Delivery::Acked);
        let got = bot.wait_for_message(&text, PATIENCE).await.unwrap();
        assert_eq!(got["version"], Version::Legacy.word());
        let copy = laptop.wait_for_text(&text).await.unwrap();
        assert_eq!(copy.encryption, Encryption::Omemo2);
        let origin_id = copy.origin_id.unwrap();
        let archived = server.archived_stanzas("carol", &alice.jid).await.unwrap();
        let elements: Vec<_> = archived
            .iter()
            .filter(|stanza| stanza.xml.contains(origin_id.as_str()))
            .map(|stanza| stanza.xml.matches("<encrypted ").count())
            .collect();
        stanzas_of.push(elements);
    }
    assert_eq!(stanzas_of, [vec![2], vec![1, 1]]);

    // One message each, at once and from the archive.
    for device in [&mut phone, &mut laptop] {
        assert_eq!(device.history(&carol.jid).await.unwrap().len(), 2);
        device.reopen().await.unwrap();
        device.connect().await.unwrap();
        device.wait_until_caught_up().await.unwrap();
        let history = device.history(&carol.jid).await.unwrap();
        assert_eq!(history.len(), 2, "{}: {history:?}", device.name);
        device.account.shut_down().await;
    }
}

#[tokio::test]
async fn eft_begins_with_a_client_that_speaks_only_legacy() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let carol = server.add_account("carol").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "alice-phone", folder.path())
        .await
        .unwrap();
    let mut bot = legacy_only(&server, &carol).await;
    phone.account.disconnect().await;
    phone.send(&carol.jid, "first word").await.unwrap();
    phone.connect().await.unwrap();
    let got = bot.wait_for_message("first word", PATIENCE).await.unwrap();
    assert_eq!(got["version"], Version::Legacy.word());
    bot.send(&alice.jid, "second word", Version::Legacy)
        .await
        .unwrap();
    let got = phone.wait_for_text("second word").await.unwrap();
    assert_eq!(got.encryption, Encryption::OmemoLegacy);
}

#[tokio::test]
async fn one_client_may_change_between_the_versions() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let carol = server.add_account("carol").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "alice-phone", folder.path())
        .await
        .unwrap();
    let mut bot = Bot::start(&server, &carol).await.unwrap();
    for (number, version) in [
        Version::Legacy,
        Version::Omemo2,
        Version::Legacy,
        Version::Omemo2,
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("word {number}");
        bot.send(&alice.jid, &text, version).await.unwrap();
        phone.wait_for_text(&text).await.unwrap();
        // Both versions are offered: the better one is used, whatever the last message came in.
        let text = format!("answer {number}");
        phone.send(&carol.jid, &text).await.unwrap();
        let got = bot.wait_for_message(&text, PATIENCE).await.unwrap();
        assert_eq!(got["version"], Version::Omemo2.word());
    }
    let devices = phone.account.devices(&carol.jid).await.unwrap();
    assert_eq!(
        devices.len(),
        1,
        "one device, one key, two versions: {devices:?}"
    );
}

/// Alice has Eft on her phone and another client beside it: each sees what the other sends.
#[tokio::test]
async fn a_foreign_client_on_our_own_account_sees_what_we_send_and_we_see_what_it_sends() {
    for version in [Version::Omemo2, Version::Legacy] {
        let folder = tempfile::tempdir().unwrap();
        let server = Prosody::start().await.unwrap();
        let alice = server.add_account("alice").await.unwrap();
        let bob = server.add_account("bob").await.unwrap();
        let mut phone = Phone::online(&server, &alice, "alice-phone", folder.path())
            .await
            .unwrap();
        let mut bobs = Phone::online(&server, &bob, "bob-phone", folder.path())
            .await
            .unwrap();
        let options = BotOptions {
            only: Some(version),
            ..BotOptions::default()
        };
        let mut bot = Bot::start_with(&server, &alice, options).await.unwrap();

        bot.send(&bob.jid, "from the other client", version)
            .await
            .unwrap();
        bobs.wait_for_text("from the other client").await.unwrap();
        let copy = phone.wait_for_text("from the other client").await.unwrap();
        assert_eq!(copy.sender, alice.jid);
        assert_eq!(copy.sender_device, Some(bot.device()));

        // A device that our account gains waits for the user, who compares its fingerprint.
        let devices = phone.account.devices(&alice.jid).await.unwrap();
        let others = devices.iter().find(|device| !device.this_device).unwrap();
        let compared = TrustLevel::Verified {
            by: VerifiedBy::Fingerprint,
        };
        let key = others.fingerprint.unwrap();
        phone
            .account
            .set_trust(&alice.jid, key, compared)
            .await
            .unwrap();
        if version == Version::Legacy {
            // python-omemo announces every version it has at first, and then takes the better one back.
            phone.account.accept_legacy(&others.address).await.unwrap();
        }
        phone.send(&bob.jid, "from the phone").await.unwrap();
        bobs.wait_for_text("from the phone").await.unwrap();
        let copy = bot
            .wait_for_message("from the phone", PATIENCE)
            .await
            .unwrap();
        assert_eq!(copy["carbon"], true);
        assert_eq!(copy["version"], version.word());
    }
}

/// What is sent to a foreign client that is away waits for it on the server.
#[tokio::test]
async fn a_foreign_client_that_was_away_reads_what_it_missed_in_both_versions() {
    for version in [Version::Omemo2, Version::Legacy] {
        let folder = tempfile::tempdir().unwrap();
        let server = Prosody::start().await.unwrap();
        let alice = server.add_account("alice").await.unwrap();
        let carol = server.add_account("carol").await.unwrap();
        let mut phone = Phone::online(&server, &alice, "alice-phone", folder.path())
            .await
            .unwrap();
        let kept = BotOptions {
            only: Some(version),
            store_path: Some(folder.path().join("carol.json")),
            ..BotOptions::default()
        };
        let bot = Bot::start_with(&server, &carol, kept.clone())
            .await
            .unwrap();
        bot.quit().await.unwrap();
        let mut last = None;
        for number in 0..10 {
            let text = format!("missed {number}");
            last = Some(phone.send(&carol.jid, &text).await.unwrap());
        }
        phone.wait_until_sent(last.unwrap()).await.unwrap();
        let mut bot = Bot::start_with(&server, &carol, kept).await.unwrap();
        for number in 0..10 {
            let text = format!("missed {number}");
            let got = bot.wait_for_message(&text, PATIENCE).await.unwrap();
            assert_eq!(got["version"], version.word());
        }
    }
}

/// A bot that knows the legacy version alone, as most deployed clients do.
async fn legacy_only(server: &Prosody, login: &eft_tests::Login) -> Bot {
    let options = BotOptions {
        only: Some(Version::Legacy),
        ..BotOptions::default()
    };
    Bot::start_with(server, login, options).await.unwrap()
}
