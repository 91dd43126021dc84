//! Where these stories are told, and what their people do and see.

use std::path::Path;

use base64::Engine as _;
use eft::{
    Content, Delivery, DeviceInfo, DistrustedBy, Event, Fingerprint, MessageId, Trust, TrustLevel,
    VerifiedBy,
};
use eft_tests::{Login, Phone, Prosody, Reading, Rogue, unencrypted_copy};
use eft_types::DeviceId;
use tempfile::TempDir;

/// Bob's answer to a fingerprint that he compared.
pub(super) const COMPARED: TrustLevel = TrustLevel::Verified {
    by: VerifiedBy::Fingerprint,
};
/// Bob's answer to one that is wrong.
pub(super) const REFUSED: TrustLevel = TrustLevel::Distrusted {
    by: DistrustedBy::User,
};

/// Alice with two devices, and her contacts Bob and Dave, who have her messages and she theirs.
pub(super) struct Stage {
    pub(super) folder: TempDir,
    pub(super) server: Prosody,
    pub(super) alice: Login,
    pub(super) phone: Phone,
    pub(super) laptop: Phone,
    pub(super) bob: Phone,
    pub(super) dave: Phone,
}

impl Stage {
    pub(super) async fn set() -> Self {
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
    pub(super) fn real(&self) -> [DeviceId; 2] {
        [
            self.phone.account.device_id(),
            self.laptop.account.device_id(),
        ]
    }

    /// Closes every database before the process may end.
    pub(super) async fn close(self) {
        for device in [&self.phone, &self.laptop, &self.bob, &self.dave] {
            device.account.shut_down().await;
        }
    }

    /// What Alice's archive holds of a message that `sender` sent to her.
    pub(super) async fn archived(&self, sender: &Phone, id: MessageId) -> String {
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

/// A well-formed legacy message (XEP-0384 0.3) that belongs to no session.
pub(super) fn legacy_message_without_session(from: &Login, device: DeviceId, to: &Phone) -> String {
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

pub(super) async fn decide(
    phone: &Phone,
    whose: &eft::BareJid,
    key: Fingerprint,
    level: TrustLevel,
) {
    phone.account.set_trust(whose, key, level).await.unwrap();
}

/// Sends a text, of which nothing leaves before the user has decided about the rogue among these devices.
pub(super) async fn assert_asked_first(
    phone: &mut Phone,
    to: &eft::BareJid,
    text: &str,
    whose: &eft::BareJid,
    rogue: &Rogue,
) -> MessageId {
    let id = phone.send(to, text).await.unwrap();
    assert_eq!(
        phone.wait_until_sent(id).await.unwrap(),
        Delivery::Failed {
            reason: "not-trusted".to_owned()
        }
    );
    let shown = device_of(phone, whose, rogue.id()).await;
    assert_eq!(shown.trust, Trust::Undecided);
    assert_eq!(shown.fingerprint, Some(rogue.fingerprint()));
    id
}

pub(super) async fn wait_for_device(phone: &mut Phone, id: DeviceId) -> DeviceInfo {
    phone
        .wait(&format!("device {id}"), |event| match event {
            Event::DeviceAppeared { device } if device.address.device == id => Some(device.clone()),
            _ => None,
        })
        .await
        .unwrap()
}

pub(super) async fn wait_for_identity_change(phone: &mut Phone) -> (eft::BareJid, u32) {
    phone
        .wait("the identity change", |event| match event {
            Event::IdentityChanged { jid, device } => Some((jid.clone(), *device)),
            _ => None,
        })
        .await
        .unwrap()
}

pub(super) async fn wait_for_unreadable(phone: &mut Phone, code: &str) {
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

pub(super) async fn device_of(phone: &Phone, whose: &eft::BareJid, id: DeviceId) -> DeviceInfo {
    let devices = phone.account.devices(whose).await.unwrap();
    let found = devices
        .iter()
        .find(|device| device.address.device == id)
        .cloned();
    found.unwrap_or_else(|| panic!("{} does not know {id}: {devices:?}", phone.name))
}

/// The readable messages of a conversation.
pub(super) async fn texts(phone: &Phone, peer: &eft::BareJid) -> Vec<String> {
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
pub(super) fn device_log(phone: &Phone, scratch: &Path) -> Vec<(String, String, String)> {
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
pub(super) fn assert_reads_nothing(readings: &[Reading]) {
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
