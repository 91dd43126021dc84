//! Who may read: the server's operator puts a device of its own on Alice's lists, and what Bob's and Dave's
//! messages then hold for it.

use std::path::Path;

use base64::Engine as _;
use eft::{
    Content, Delivery, DeviceInfo, DistrustedBy, Event, Fingerprint, MessageId, Trust, TrustLevel,
    VerifiedBy,
};
use eft_tests::{Login, Phone, Prosody, Reading, Rogue, Version, unencrypted_copy};
use eft_types::{DeviceAddress, DeviceId};
use tempfile::TempDir;

/// Bob's answer to a fingerprint that he compared.
const COMPARED: TrustLevel = TrustLevel::Verified {
    by: VerifiedBy::Fingerprint,
};
/// Bob's answer to one that is wrong.
const REFUSED: TrustLevel = TrustLevel::Distrusted {
    by: DistrustedBy::User,
};

/// Alice with two devices, and her contacts Bob and Dave, who have her messages and she theirs.
struct Stage {
    folder: TempDir,
    server: Prosody,
    alice: Login,
    phone: Phone,
    laptop: Phone,
    bob: Phone,
    dave: Phone,
}

impl Stage {
    async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Prosody::start().await.unwrap();
        let alice = server.add_account("alice").await.unwrap();
        let bob = server.add_account("bob").await.unwrap();
        let dave = server.add_account("dave").await.unwrap();
        // Contacts hear of each other's devices as they change.
        server.befriend("alice", "bob").await.unwrap();
        server.befriend("alice", "dave").await.unwrap();
        let device = |login, name| Phone::online(&server, login, name, folder.path());
        let mut phone = device(&alice, "alice-phone").await.unwrap();
        let mut laptop = device(&alice, "alice-laptop").await.unwrap();
        phone.accept(&laptop).await.unwrap();
        let bob = device(&bob, "bob").await.unwrap();
        let dave = device(&dave, "dave").await.unwrap();
        for (from, text) in [(&bob, "Bob was here"), (&dave, "Dave was here")] {
            from.send(&alice.jid, text).await.unwrap();
            phone.wait_for_text(text).await.unwrap();
            laptop.wait_for_text(text).await.unwrap();
        }
        Self {
            folder,
            server,
            alice,
            phone,
            laptop,
            bob,
            dave,
        }
    }

    /// The devices that Alice really has.
    fn real(&self) -> [DeviceId; 2] {
        [
            self.phone.account.device_id(),
            self.laptop.account.device_id(),
        ]
    }

    /// Closes every database before the process may end.
    async fn close(self) {
        for device in [&self.phone, &self.laptop, &self.bob, &self.dave] {
            device.account.shut_down().await;
        }
    }

    /// What Alice's archive holds of a message that `sender` sent to her.
    async fn archived(&self, sender: &Phone, id: MessageId) -> String {
        let history = sender.history(&self.alice.jid).await.unwrap();
        let message = history.iter().find(|message| message.id == id).unwrap();
        let origin_id = message.origin_id.as_ref().unwrap().as_str();
        let stanzas = self
            .server
            .archived_stanzas("alice", sender.account.jid())
            .await
            .unwrap();
        let found: Vec<_> = stanzas
            .into_iter()
            .filter(|stanza| stanza.xml.contains(origin_id))
            .collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].xml.clone()
    }
}

#[tokio::test]
async fn a_device_that_the_operator_adds_reads_nothing_of_who_once_compared_a_fingerprint() {
    an_added_device(&[Version::Omemo2, Version::Legacy]).await;
}

#[tokio::test]
async fn nor_does_one_that_is_added_to_the_legacy_list_alone() {
    an_added_device(&[Version::Legacy]).await;
}

/// The rogue appears on Alice's lists of these versions.
async fn an_added_device(versions: &[Version]) {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let phones = stage.phone.account.fingerprint();
    stage
        .bob
        .account
        .set_trust(&alice, phones, COMPARED)
        .await
        .unwrap();
    let mut rogue = Rogue::new(&alice).unwrap();
    let number = rogue.id().to_string();
    rogue
        .slip_in(&stage.server, &stage.real(), versions)
        .await
        .unwrap();

    // Everybody is told, Alice above all.
    for device in [
        &mut stage.bob,
        &mut stage.dave,
        &mut stage.phone,
        &mut stage.laptop,
    ] {
        let appeared = wait_for_device(device, rogue.id()).await;
        assert_eq!(appeared.address.jid, alice, "{}", device.name);
        assert!(appeared.listed, "{}", device.name);
        assert!(
            device_log(device, stage.folder.path()).contains(&(
                alice.to_string(),
                number.clone(),
                "appeared".to_owned()
            )),
            "{}",
            device.name
        );
    }

    // Bob is asked before anything leaves.
    let id = stage.bob.send(&alice, "who reads this?").await.unwrap();
    assert_eq!(
        stage.bob.wait_until_sent(id).await.unwrap(),
        Delivery::Failed {
            reason: "not-trusted".to_owned()
        }
    );
    let shown = device_of(&stage.bob, &alice, rogue.id()).await;
    assert_eq!(shown.trust, Trust::Undecided);
    assert_eq!(shown.fingerprint, Some(rogue.fingerprint()));

    // He asks Alice, and says no.
    stage
        .bob
        .account
        .set_trust(&alice, rogue.fingerprint(), REFUSED)
        .await
        .unwrap();
    let id = stage.bob.send(&alice, "only for you").await.unwrap();
    assert_eq!(
        stage.bob.wait_until_sent(id).await.unwrap(),
        Delivery::Acked
    );
    for device in [&mut stage.phone, &mut stage.laptop] {
        device.wait_for_text("only for you").await.unwrap();
        let texts = texts(device, stage.bob.account.jid()).await;
        assert_eq!(texts, ["Bob was here", "only for you"], "{}", device.name);
    }
    let stanza = stage.archived(&stage.bob, id).await;
    for real in stage.real() {
        assert!(stanza.contains(&real.to_string()), "{stanza}");
    }
    assert!(!stanza.contains(&number), "{stanza}");
    assert_reads_nothing(&rogue.read(&stanza).unwrap());
    let archive = stage.server.archive_text("alice").unwrap();
    assert!(!archive.contains(&number), "a key for it is in the archive");

    // The control: Dave never compared anything. His message has a key for it, and it reads the text.
    let id = stage.dave.send(&alice, "tea at four?").await.unwrap();
    assert_eq!(
        stage.dave.wait_until_sent(id).await.unwrap(),
        Delivery::Acked
    );
    let trust = device_of(&stage.dave, &alice, rogue.id()).await.trust;
    assert_eq!(trust, Trust::BlindlyTrusted);
    let stanza = stage.archived(&stage.dave, id).await;
    assert!(stanza.contains(&number), "{stanza}");
    let readings = rogue.read(&stanza).unwrap();
    let read: Vec<_> = readings.iter().filter_map(Reading::text).collect();
    assert_eq!(read, ["tea at four?"], "{readings:?}");
    let archive = stage.server.archive_text("alice").unwrap();
    assert!(archive.contains(&number), "the search sees no key");
    stage.close().await;
}

#[tokio::test]
async fn a_device_that_the_operator_adds_to_our_own_list_gets_no_copies_of_what_we_write() {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let bob = stage.bob.account.jid().clone();
    let mut rogue = Rogue::new(&alice).unwrap();
    rogue
        .slip_in(
            &stage.server,
            &stage.real(),
            &[Version::Omemo2, Version::Legacy],
        )
        .await
        .unwrap();
    wait_for_device(&mut stage.phone, rogue.id()).await;

    // Alice is asked before anything leaves, although she never compared a fingerprint of Bob's.
    let id = stage.phone.send(&bob, "for Bob and me").await.unwrap();
    assert_eq!(
        stage.phone.wait_until_sent(id).await.unwrap(),
        Delivery::Failed {
            reason: "not-trusted".to_owned()
        }
    );
    let shown = device_of(&stage.phone, &alice, rogue.id()).await;
    assert_eq!(shown.trust, Trust::Undecided);
    assert_eq!(shown.fingerprint, Some(rogue.fingerprint()));

    // It is not hers. The same message goes out after that, once.
    decide(&stage.phone, &alice, rogue.fingerprint(), REFUSED).await;
    let log = device_log(&stage.phone, stage.folder.path());
    let line = (
        alice.to_string(),
        rogue.id().to_string(),
        "distrusted".to_owned(),
    );
    assert!(log.contains(&line), "{log:?}");
    let conversation = stage.phone.account.conversation(bob.clone());
    conversation.resend(id).await.unwrap();
    assert_eq!(
        stage.phone.wait_until_sent(id).await.unwrap(),
        Delivery::Acked
    );
    let got = stage.bob.wait_for_text("for Bob and me").await.unwrap();
    stage.laptop.wait_for_text("for Bob and me").await.unwrap();
    let history = stage.phone.history(&bob).await.unwrap();
    let sent = history.iter().find(|message| message.id == id).unwrap();
    assert_eq!(sent.origin_id, got.origin_id, "the id that it had");
    let stanzas = stage.server.archived_stanzas("bob", &alice).await.unwrap();
    let origin_id = sent.origin_id.as_ref().unwrap().as_str();
    let copies: Vec<_> = stanzas
        .iter()
        .filter(|stanza| stanza.xml.contains(origin_id))
        .collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert!(!copies[0].xml.contains(&rogue.id().to_string()));
    assert_reads_nothing(&rogue.read(&copies[0].xml).unwrap());
    stage.close().await;
}

#[tokio::test]
async fn a_new_device_of_a_verified_contact_waits_for_the_user_and_then_gets_messages() {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let phones = stage.phone.account.fingerprint();
    stage
        .bob
        .account
        .set_trust(&alice, phones, COMPARED)
        .await
        .unwrap();
    let folder = stage.folder.path();
    let mut tablet = Phone::online(&stage.server, &stage.alice, "alice-tablet", folder)
        .await
        .unwrap();
    let tablet_id = tablet.account.device_id();
    wait_for_device(&mut stage.bob, tablet_id).await;
    let id = stage.bob.send(&alice, "too early").await.unwrap();
    let delivery = stage.bob.wait_until_sent(id).await.unwrap();
    assert!(matches!(delivery, Delivery::Failed { .. }), "{delivery:?}");

    let tablets = tablet.account.fingerprint();
    let shown = device_of(&stage.bob, &alice, tablet_id).await;
    assert_eq!(shown.fingerprint, Some(tablets));
    stage
        .bob
        .account
        .set_trust(&alice, tablets, COMPARED)
        .await
        .unwrap();
    stage.bob.send(&alice, "in time").await.unwrap();
    for device in [&mut stage.phone, &mut stage.laptop, &mut tablet] {
        device.wait_for_text("in time").await.unwrap();
    }
    assert_eq!(texts(&tablet, stage.bob.account.jid()).await, ["in time"]);
    tablet.account.shut_down().await;
    stage.close().await;
}

#[tokio::test]
async fn a_distrusted_device_gets_no_content_until_it_is_trusted_again() {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let bob = stage.bob.account.jid().clone();
    let laptops = stage.laptop.account.fingerprint();
    decide(&stage.bob, &alice, laptops, REFUSED).await;
    stage.bob.send(&alice, "not for the laptop").await.unwrap();
    stage
        .phone
        .wait_for_text("not for the laptop")
        .await
        .unwrap();
    wait_for_unreadable(&mut stage.laptop, "not-for-this-device").await;
    let trust = device_of(&stage.bob, &alice, stage.laptop.account.device_id())
        .await
        .trust;
    assert_eq!(trust, Trust::Distrusted);

    // The same among Alice's own devices: Bob gets it, her laptop does not.
    decide(&stage.phone, &alice, laptops, REFUSED).await;
    let text = "neither is this";
    stage.phone.send(&bob, text).await.unwrap();
    stage.bob.wait_for_text(text).await.unwrap();
    wait_for_unreadable(&mut stage.laptop, "not-for-this-device").await;

    decide(&stage.bob, &alice, laptops, COMPARED).await;
    stage.bob.send(&alice, "for both again").await.unwrap();
    stage.phone.wait_for_text("for both again").await.unwrap();
    stage.laptop.wait_for_text("for both again").await.unwrap();
    stage.close().await;
}

#[tokio::test]
async fn a_known_device_under_another_key_is_refused_and_told_of() {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let phone = stage.phone.account.device_id();
    let before = device_of(&stage.bob, &alice, phone).await;
    let mut rogue = Rogue::new(&alice).unwrap();
    let bobs = DeviceAddress::new(
        stage.bob.account.jid().clone(),
        stage.bob.account.device_id(),
    );
    let forged = rogue
        .write(&stage.server, &bobs, "I am Alice's phone", phone)
        .await
        .unwrap();
    stage.server.inject(&forged).await.unwrap();
    let refused = wait_for_identity_change(&mut stage.bob).await;
    assert_eq!(refused, (alice.clone(), phone.as_u32()));
    wait_for_unreadable(&mut stage.bob, "identity-changed").await;
    let log = device_log(&stage.bob, stage.folder.path());
    let line = (
        alice.to_string(),
        phone.to_string(),
        "identity changed".to_owned(),
    );
    assert!(log.contains(&line), "{log:?}");

    // The session with the real phone goes on, and the key that Bob knows is the same.
    assert_eq!(device_of(&stage.bob, &alice, phone).await, before);
    stage.bob.send(&alice, "still you?").await.unwrap();
    stage.phone.wait_for_text("still you?").await.unwrap();
    stage.phone.send(&bobs.jid, "still me").await.unwrap();
    stage.bob.wait_for_text("still me").await.unwrap();

    // The control: the same hand under an id of its own is understood, so it was the key that was refused.
    let honest = rogue
        .write(&stage.server, &bobs, "I am a new device", rogue.id())
        .await
        .unwrap();
    stage.server.inject(&honest).await.unwrap();
    let got = stage.bob.wait_for_text("I am a new device").await.unwrap();
    assert_eq!(got.sender_device, Some(rogue.id()));
    // It stands on no list: nothing is written to it.
    let id = stage.bob.send(&alice, "who are you?").await.unwrap();
    stage.phone.wait_for_text("who are you?").await.unwrap();
    let stanza = stage.archived(&stage.bob, id).await;
    assert_reads_nothing(&rogue.read(&stanza).unwrap());
    stage.close().await;
}

#[tokio::test]
async fn a_bundle_under_another_key_than_the_known_one_is_refused_and_told_of() {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let phone = stage.phone.account.device_id();
    let before = device_of(&stage.bob, &alice, phone).await;
    // The operator swaps the legacy bundle of Alice's phone, and makes Bob ask for it: by a message of a
    // legacy session that he does not have.
    let mut rogue = Rogue::new(&alice).unwrap();
    rogue
        .replace_bundle(&stage.server, phone, Version::Legacy)
        .await
        .unwrap();
    let lure = legacy_message_without_session(&stage.alice, phone, &stage.bob);
    stage.server.inject(&lure).await.unwrap();
    let refused = wait_for_identity_change(&mut stage.bob).await;
    assert_eq!(refused, (alice.clone(), phone.as_u32()));
    wait_for_unreadable(&mut stage.bob, "no-session").await;

    assert_eq!(device_of(&stage.bob, &alice, phone).await, before);
    let id = stage.bob.send(&alice, "still you?").await.unwrap();
    stage.phone.wait_for_text("still you?").await.unwrap();
    assert_reads_nothing(&rogue.read(&stage.archived(&stage.bob, id).await).unwrap());
    stage.close().await;
}

#[tokio::test]
async fn a_device_that_falls_back_to_legacy_is_told_of_and_gets_nothing() {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let phone = stage.phone.account.device_id();
    let laptop = stage.laptop.account.device_id();
    // Her phone would put itself back on the list.
    stage.phone.account.shut_down().await;
    let list = format!("<devices xmlns='urn:xmpp:omemo:2'><device id='{laptop}'/></devices>");
    stage
        .server
        .publish_as_operator("alice", "urn:xmpp:omemo:2:devices", "current", &list)
        .await
        .unwrap();
    let told = stage
        .bob
        .wait("the downgrade", |event| match event {
            Event::DeviceDowngraded { jid, device } => Some((jid.clone(), *device)),
            _ => None,
        })
        .await
        .unwrap();
    assert_eq!(told, (alice.clone(), phone.as_u32()));
    let log = device_log(&stage.bob, stage.folder.path());
    let line = (
        alice.to_string(),
        phone.to_string(),
        "downgraded".to_owned(),
    );
    assert!(log.contains(&line), "{log:?}");
    let id = stage.bob.send(&alice, "in the better one").await.unwrap();
    let got = stage
        .laptop
        .wait_for_text("in the better one")
        .await
        .unwrap();
    assert_eq!(got.encryption, eft::Encryption::Omemo2);
    let stanza = stage.archived(&stage.bob, id).await;
    assert!(stanza.contains(&laptop.to_string()), "{stanza}");
    assert!(!stanza.contains(&phone.to_string()), "{stanza}");

    // Alice says that it is so: her phone runs an older app now. It gets what follows, in the older version.
    let address = DeviceAddress::new(alice.clone(), phone);
    stage.bob.account.accept_legacy(&address).await.unwrap();
    let id = stage.bob.send(&alice, "in either one").await.unwrap();
    stage.laptop.wait_for_text("in either one").await.unwrap();
    let stanza = stage.archived(&stage.bob, id).await;
    let (_, legacy) = stanza
        .split_once("<encrypted xmlns='eu.siacs.conversations.axolotl'")
        .unwrap();
    assert!(legacy.contains(&phone.to_string()), "{stanza}");
    stage.close().await;
}

/// A well-formed legacy message (XEP-0384 0.3) that belongs to no session.
fn legacy_message_without_session(from: &Login, device: DeviceId, to: &Phone) -> String {
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    // Version byte; fields 1 (ratchet key with its type byte), 2 (counter), 3 (previous counter) and 4
    // (ciphertext) of the protocol buffer; MAC.
    let mut message = vec![0x33, 0x0a, 33, 0x05];
    message.extend([9; 32]);
    message.extend([0x10, 0, 0x18, 0, 0x22, 16]);
    message.extend([0; 16 + 8]);
    format!(
        "<message xmlns='jabber:client' type='chat' from='{from}/phone' to='{to}' id='lure'>\
         <encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='{device}'>\
         <key rid='{rid}'>{key}</key><iv>{iv}</iv></header><payload>{payload}</payload></encrypted></message>",
        from = from.jid,
        to = to.account.jid(),
        rid = to.account.device_id(),
        key = base64(&message),
        iv = base64(&[0; 12]),
        payload = base64(b"nothing"),
    )
}

async fn decide(phone: &Phone, whose: &eft::BareJid, key: Fingerprint, level: TrustLevel) {
    phone.account.set_trust(whose, key, level).await.unwrap();
}

async fn wait_for_device(phone: &mut Phone, id: DeviceId) -> DeviceInfo {
    phone
        .wait(&format!("device {id}"), |event| match event {
            Event::DeviceAppeared { device } if device.address.device == id => Some(device.clone()),
            _ => None,
        })
        .await
        .unwrap()
}

async fn wait_for_identity_change(phone: &mut Phone) -> (eft::BareJid, u32) {
    phone
        .wait("the identity change", |event| match event {
            Event::IdentityChanged { jid, device } => Some((jid.clone(), *device)),
            _ => None,
        })
        .await
        .unwrap()
}

async fn wait_for_unreadable(phone: &mut Phone, code: &str) {
    phone
        .wait(code, |event| match event {
            Event::MessageReceived(message) => match &message.content {
                Content::Unreadable(why) if why.code() == code => Some(()),
                _ => None,
            },
            _ => None,
        })
        .await
        .unwrap();
}

async fn device_of(phone: &Phone, whose: &eft::BareJid, id: DeviceId) -> DeviceInfo {
    let devices = phone.account.devices(whose).await.unwrap();
    let found = devices
        .iter()
        .find(|device| device.address.device == id)
        .cloned();
    found.unwrap_or_else(|| panic!("{} does not know {id}: {devices:?}", phone.name))
}

/// The readable messages of a conversation.
async fn texts(phone: &Phone, peer: &eft::BareJid) -> Vec<String> {
    let history = phone.history(peer).await.unwrap();
    history
        .into_iter()
        .filter_map(|message| match message.content {
            Content::Text(text) => Some(text),
            Content::Unreadable(_) => None,
        })
        .collect()
}

/// What the device log says: account, device, and what happened. Read from a copy of the database.
fn device_log(phone: &Phone, scratch: &Path) -> Vec<(String, String, String)> {
    let copy = scratch.join(format!("log-of-{}.db", phone.name));
    unencrypted_copy(phone, &copy).unwrap();
    let rows = rusqlite::Connection::open(&copy)
        .unwrap()
        .prepare("SELECT jid, device, kind FROM device_log ORDER BY id")
        .unwrap()
        .query_map([], |row| {
            let kind = match row.get::<_, i64>(2)? {
                1 => "appeared",
                4 => "identity changed",
                5 => "downgraded",
                6 => "verified",
                7 => "distrusted",
                9 => "legacy accepted",
                _ => "other",
            };
            Ok((
                row.get(0)?,
                row.get::<_, i64>(1)?.to_string(),
                kind.to_owned(),
            ))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    std::fs::remove_file(copy).unwrap();
    rows
}

/// No element of the stanza has a key for the rogue, and none can be decrypted with what it has.
fn assert_reads_nothing(readings: &[Reading]) {
    assert!(!readings.is_empty());
    for reading in readings {
        assert_eq!(reading.key_count, 0, "{reading:?}");
        assert_eq!(
            reading.outcome,
            eft_omemo::Outcome::NotForThisDevice,
            "{reading:?}"
        );
        assert_eq!(reading.text(), None);
    }
}
