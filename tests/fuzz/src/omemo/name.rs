//! Names: of records, actions, keys, devices and accounts.

use eft_omemo::{Action, Fingerprint, RecordKey, RecordKind};
use eft_types::{BareJid, DeviceId, FullJid, Jid};

use crate::fixture::Fixture;
use crate::input::Seed;

/// What is read from bytes or text is written as the same again.
pub(crate) fn run(data: &[u8]) {
    let Some((number, bytes)) = data.split_first() else {
        return;
    };
    match number % 6 {
        0 => action(bytes),
        1 => {
            if let Ok(text) = core::str::from_utf8(bytes) {
                address(text);
            }
        }
        2 => {
            if let Ok(text) = core::str::from_utf8(bytes) {
                number_or_fingerprint(text);
            }
        }
        _ => record_key(bytes),
    }
}

fn record_key(bytes: &[u8]) {
    let Some((number, bytes)) = bytes.split_first() else {
        return;
    };
    let kind = RecordKind::ALL[usize::from(*number) % RecordKind::ALL.len()];
    if let Ok(key) = RecordKey::from_bytes(kind, bytes) {
        assert_eq!(key.kind(), kind);
        assert_eq!(key.to_bytes(), bytes, "two names for one record: {key:?}");
    }
}

fn action(bytes: &[u8]) {
    if let Ok(action) = Action::decode(bytes) {
        let again = Action::decode(&action.encode()).unwrap();
        assert_eq!(again, action);
        assert_eq!(again.key(), action.key());
    }
}

fn address(text: &str) {
    if let Ok(jid) = Jid::new(text) {
        // The parser takes some IDNA domains whose normal form it then refuses, such as `ß--a.example`, or reads as another,
        // such as `℻.example`.
        let reads_as_itself = Jid::new(jid.as_str()).is_ok_and(|again| again == jid);
        assert_eq!(eft_xmpp::address::jid(text).is_ok(), reads_as_itself);
        assert!(!jid.as_str().contains('\0'), "a JID with a zero byte");
    }
    // From the wire, only what can be read back is let in: else it would be an error of the store.
    if let Ok(jid) = eft_xmpp::address::jid(text) {
        assert_eq!(Jid::new(jid.as_str()), Ok(jid.clone()));
        assert_eq!(
            eft_xmpp::address::bare_jid(jid.to_bare().as_str()),
            Ok(jid.to_bare())
        );
    }
    let (bare, full) = (BareJid::new(text), FullJid::new(text));
    assert!(bare.is_err() || full.is_err(), "bare and full at once");
}

fn number_or_fingerprint(text: &str) {
    if let Ok(id) = text.parse::<DeviceId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_ne!(id.as_u32(), 0);
    }
    if let Ok(fingerprint) = text.parse::<Fingerprint>() {
        assert_eq!(fingerprint.to_hex().parse(), Ok(fingerprint));
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
    }
}

/// Names of the fixture's records, actions, and texts.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let fixture = Fixture::get();
    let mut seeds: Vec<Vec<u8>> = (0..)
        .zip(&RecordKind::ALL)
        .filter_map(|(number, kind)| {
            let mut rows = fixture.bob.store.keys();
            let (_, name) = rows.find(|(found, _)| found == kind)?;
            Some(Seed::new().byte(3).byte(number).rest(name).into_bytes())
        })
        .collect();
    let version = eft_omemo::Version::Omemo2;
    let to = fixture.alice.clone();
    let actions = [
        Action::PublishBundle { version },
        Action::SendEmpty {
            to: to.clone(),
            version,
            reason: eft_omemo::EmptyReason::Heartbeat,
        },
        Action::BuildSession {
            to: to.clone(),
            version,
        },
        Action::RefreshDeviceList {
            jid: to.jid.clone(),
            version,
        },
        Action::FetchBundle {
            address: to,
            version,
        },
    ];
    let bytes = actions.map(|action| Seed::new().byte(0).rest(&action.encode()).into_bytes());
    seeds.extend(bytes);
    for text in [
        "juliet@capulet.example/balcony",
        "juliet@capulet.example",
        "[::1]",
        "ßı@xn--n3h.example/\u{2163}",
    ] {
        seeds.push(Seed::new().byte(1).rest(text.as_bytes()).into_bytes());
    }
    let fingerprint = Fingerprint::from_bytes([0xA5; 32]).to_string();
    for text in ["4294967295", "+1", "007", &fingerprint] {
        seeds.push(Seed::new().byte(2).rest(text.as_bytes()).into_bytes());
    }
    seeds
}
