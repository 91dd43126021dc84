//! The device under test.

use eft_omemo::{
    Action, RecordKind, UnverifiedBundle, Version, bundle, encrypt_empty, finish_catch_up,
};
use eft_store::{
    Content, Credential, DeviceEvent, Durability, Insertion, Message, Store, StoreKey,
    StoreOptions, UnreadableCause,
};
use eft_types::{BareJid, DeviceAddress, Timestamp};
use eft_xmpp::Element;
use eft_xmpp::xep::mam::ArchivedMessage;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tempfile::TempDir;

use super::Peer;
use crate::identity;
use crate::pump::inbound::{Archived, Inbound, Receiving, Seen, Source};
use crate::translate::read;
use crate::unit::{Done, Unit};

/// Alice's device, with a database of its own.
pub(crate) struct Alice {
    pub(crate) store: Store,
    pub(crate) own: DeviceAddress,
    pub(crate) now: Timestamp,
    rng: StdRng,
    _folder: TempDir,
}

/// What taking stanzas did.
pub(crate) struct Taken {
    /// Rows that the app is told of, as they are now.
    pub(crate) news: Vec<Message>,
    pub(crate) done: Done,
}

impl Taken {
    /// The one row that the app is told of.
    pub(crate) fn row(mut self) -> Message {
        assert_eq!(self.news.len(), 1, "{:?}", self.news);
        self.news.remove(0)
    }
}

impl Alice {
    pub(crate) fn install() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let jid = BareJid::new("alice@a.example").unwrap();
        let store = Store::create(
            &folder.path().join("store.db"),
            &StoreKey::from_parts([1; 32], [2; 16]),
            &jid,
            &StoreOptions::default(),
        )
        .unwrap();
        identity::install_new(&store, &jid, None, Credential::new(b"secret".to_vec())).unwrap();
        let device = identity::load(&store).unwrap().device_id;
        Self {
            store,
            own: DeviceAddress::new(jid, device),
            now: Timestamp::from_millis(1_800_000_000_000),
            rng: StdRng::seed_from_u64(1),
            _folder: folder,
        }
    }

    /// Her bundle as others fetch it.
    pub(crate) fn bundle(&self, version: Version) -> UnverifiedBundle {
        let mut unit = Unit::begin(&self.store, self.now);
        let bundle = unit.sure_step(|records| bundle(records, version)).unwrap();
        bundle.into_unverified(self.own.clone())
    }

    /// Takes a stanza from the stream.
    pub(crate) fn take(&mut self, stanza: &Element) -> Taken {
        self.take_all(&[(stanza, Source::Live)], Receiving::Live)
    }

    /// Takes stanzas as one unit of work.
    pub(crate) fn take_all(&mut self, stanzas: &[(&Element, Source)], context: Receiving) -> Taken {
        let mut unit = Unit::begin(&self.store, self.now);
        let mut seen = Seen::default();
        for (stanza, source) in stanzas {
            let archived = archived(&self.own, stanza, source);
            let inbound = match &archived {
                Some(archived) => Inbound::of_archived(&self.own, archived, source.clone()),
                None => Inbound::new(&self.own, stanza, source.clone()),
            };
            inbound
                .expect("a message of a conversation")
                .take(&mut unit, &mut seen, context, &mut self.rng)
                .unwrap();
        }
        let done = unit.commit(Durability::Full).unwrap();
        let news = done
            .news()
            .map(|(insertion, new)| {
                let row = self.store.message(insertion.id()).unwrap().unwrap();
                if let (Insertion::Inserted(id), Some(new)) = (insertion, new) {
                    // What is told of without a look at the row is what stands there.
                    assert_eq!(read::new_message(id, new), read::message(row.clone()));
                }
                row
            })
            .collect();
        Taken { news, done }
    }

    /// Takes a stanza that gives no row.
    pub(crate) fn take_silently(&mut self, stanza: &Element) -> Done {
        let before = self.timelines();
        let taken = self.take(stanza);
        assert_eq!(taken.news, []);
        assert_eq!(self.timelines(), before);
        taken.done
    }

    /// Takes a stanza that gives a row of this cause. Nothing of the engine moves (law 3).
    pub(crate) fn refuse(
        &mut self,
        what: &str,
        stanza: &Element,
        cause: UnreadableCause,
    ) -> Message {
        let before = self.records();
        let row = self.refuse_content(what, stanza, cause);
        assert!(self.records() == before, "{what}: records changed");
        row
    }

    /// Takes a stanza that gives a row of this cause, although the ratchet moved: it is authentic.
    pub(crate) fn refuse_content(
        &mut self,
        what: &str,
        stanza: &Element,
        cause: UnreadableCause,
    ) -> Message {
        let mut taken = self.take(stanza);
        assert_eq!(taken.news.len(), 1, "{what}: {:?}", taken.news);
        let row = taken.news.remove(0);
        match &row.content {
            Content::Readable(_) => panic!("{what} was read"),
            Content::Unreadable(why) => assert_eq!(why.cause, cause, "{what}: {why:?}"),
        }
        row
    }

    /// Every record of the engine, as bytes.
    pub(crate) fn records(&self) -> Vec<(RecordKind, Vec<u8>, Vec<u8>)> {
        RecordKind::ALL
            .into_iter()
            .flat_map(|kind| self.store.scan(kind, &[]).unwrap())
            .map(|(key, record)| (key.kind(), key.to_bytes(), record.encode().to_vec()))
            .collect()
    }

    /// Every conversation, the newest message of each first.
    pub(crate) fn timelines(&self) -> Vec<Message> {
        self.store
            .conversations()
            .unwrap()
            .into_iter()
            .flat_map(|summary| self.timeline(&summary.conversation.peer))
            .collect()
    }

    /// The conversation with `peer`, newest message first.
    pub(crate) fn timeline(&self, peer: &BareJid) -> Vec<Message> {
        self.store.timeline(peer, None, 1000).unwrap()
    }

    pub(crate) fn actions(&self) -> Vec<Action> {
        self.store.actions().unwrap()
    }

    pub(crate) fn device_log(&self) -> Vec<DeviceEvent> {
        self.store.device_log(None, 1000).unwrap()
    }

    /// Answers `peer` with an empty message, as the action that a key exchange leaves does.
    pub(crate) fn answer(&mut self, peer: &mut Peer, version: Version) {
        let mut unit = Unit::begin(&self.store, self.now);
        let rng = &mut self.rng;
        let encrypted = unit
            .step(|records| encrypt_empty(records, &peer.address, version, rng))
            .unwrap()
            .unwrap();
        unit.apply(encrypted.changes);
        unit.commit(Durability::Full).unwrap();
        peer.receive(&encrypted.message);
    }

    /// Catch-up has ended.
    pub(crate) fn end_catch_up(&mut self) {
        let mut unit = Unit::begin(&self.store, self.now);
        let effects = unit.sure_step(finish_catch_up).unwrap();
        unit.absorb(effects.changes, effects.actions, effects.events);
        unit.commit(Durability::Full).unwrap();
    }
}

/// A stanza as a page of the archive holds it, if it is of one.
fn archived(own: &DeviceAddress, stanza: &Element, source: &Source) -> Option<Archived> {
    let Source::Archive { id, stamp, .. } = source else {
        return None;
    };
    let message = ArchivedMessage {
        id: id.stanza_id.clone(),
        stamp: (*stamp)?,
        message: stanza.clone(),
    };
    Some(Archived::new(own, message))
}
