//! Two clients with databases of their own, and any schedule: sends, losses, late arrivals, repetitions, restarts,
//! and deaths before a commit. What arrives at all is read, once, and nothing is shown as unreadable.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use eft_omemo::{
    Action, TrustPolicy, UnverifiedBundle, Version, bundle, encrypt_empty, has_session, initiate,
    permit,
};
use eft_store::{
    Content, ConversationRef, Credential, Durability, Insertion, NewMessage, Plaintext, Store,
    StoreKey, StoreOptions,
};
use eft_types::{BareJid, DeviceAddress, OriginId, Timestamp};
use eft_xmpp::Element;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tempfile::TempDir;

use super::audience::Devices;
use super::encrypting::encrypt_row;
use super::inbound::{Inbound, Receiving, Seen, Source};
use super::stanza;
use crate::identity;
use crate::unit::Unit;

const JIDS: [&str; 2] = ["alice@a.example", "bob@b.example"];
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

#[derive(Clone, Copy, Debug)]
enum Step {
    /// One of the two writes.
    Send { from: usize },
    /// A stanza under way arrives, not always the oldest.
    Deliver { which: usize },
    /// A stanza under way is lost.
    Lose { which: usize },
    /// One that has arrived arrives again: from the archive, a carbon, a resumed stream.
    Repeat { which: usize },
    /// A stanza arrives, and the process dies before the commit. It comes again.
    DieReceiving { which: usize },
    /// A process dies between computing a message and its commit. Nothing of it was sent.
    DieSending { from: usize },
    /// A process ends and another begins.
    Restart { who: usize },
    /// One of the two does what its engine asked for.
    Act { who: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..2_usize;
    let step = prop_oneof![
        6 => who.clone().prop_map(|from| Step::Send { from }),
        6 => any::<usize>().prop_map(|which| Step::Deliver { which }),
        1 => any::<usize>().prop_map(|which| Step::Lose { which }),
        1 => any::<usize>().prop_map(|which| Step::Repeat { which }),
        1 => any::<usize>().prop_map(|which| Step::DieReceiving { which }),
        1 => who.clone().prop_map(|from| Step::DieSending { from }),
        1 => who.clone().prop_map(|who| Step::Restart { who }),
        2 => who.prop_map(|who| Step::Act { who }),
    ];
    proptest::collection::vec(step, 1..50)
}

/// One client, and what it has published.
struct Client {
    folder: TempDir,
    /// Absent only while it is opened again.
    store: Option<Store>,
    own: DeviceAddress,
    rng: StdRng,
    published: UnverifiedBundle,
}

/// Something on its way.
#[derive(Clone)]
struct Letter {
    stanza: Element,
    to: usize,
    /// What is to be read; `None` for an empty message.
    text: Option<String>,
}

fn key(who: usize) -> StoreKey {
    let byte = u8::try_from(who).unwrap();
    StoreKey::from_parts([byte; 32], [byte; 16])
}

fn open(folder: &Path, who: usize) -> Store {
    Store::open(
        &folder.join("store.db"),
        &key(who),
        &StoreOptions::default(),
    )
    .unwrap()
}

/// Installed once: making the prekeys takes longer than a schedule.
fn template(who: usize) -> &'static TempDir {
    static TEMPLATES: [OnceLock<TempDir>; 2] = [OnceLock::new(), OnceLock::new()];
    TEMPLATES[who].get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let jid = BareJid::new(JIDS[who]).unwrap();
        let path = folder.path().join("store.db");
        let store = Store::create(&path, &key(who), &jid, &StoreOptions::default()).unwrap();
        identity::install_new(&store, &jid, None, Credential::new(b"secret".to_vec())).unwrap();
        store.close().unwrap();
        folder
    })
}

impl Client {
    fn new(who: usize, version: Version) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in fs::read_dir(template(who).path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        let store = open(folder.path(), who);
        let device = identity::load(&store).unwrap().device_id;
        let own = DeviceAddress::new(BareJid::new(JIDS[who]).unwrap(), device);
        let published = published(&store, &own, version);
        Self {
            folder,
            store: Some(store),
            own,
            rng: StdRng::seed_from_u64(who as u64),
            published,
        }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn restart(&mut self, who: usize) {
        self.store.take().unwrap().close().unwrap();
        self.store = Some(open(self.folder.path(), who));
    }

    fn texts(&self, peer: &BareJid) -> Vec<String> {
        let mut texts: Vec<_> = self
            .store()
            .timeline(peer, None, 1000)
            .unwrap()
            .into_iter()
            .filter(|row| row.sender.to_bare() == *peer)
            .map(|row| match row.content {
                Content::Readable(plaintext) => plaintext.text,
                Content::Unreadable(why) => panic!("{why:?}"),
            })
            .collect();
        texts.sort();
        texts
    }
}

fn published(store: &Store, own: &DeviceAddress, version: Version) -> UnverifiedBundle {
    let mut unit = Unit::begin(store, NOW);
    let bundle = unit.sure_step(|records| bundle(records, version)).unwrap();
    bundle.into_unverified(own.clone())
}

struct World {
    version: Version,
    clients: [Client; 2],
    under_way: Vec<Letter>,
    arrived: Vec<Letter>,
    sent_count: usize,
}

impl World {
    fn new(version: Version) -> Self {
        Self {
            version,
            clients: [Client::new(0, version), Client::new(1, version)],
            under_way: Vec::new(),
            arrived: Vec::new(),
            sent_count: 0,
        }
    }

    /// A session with the other client, from what that has published.
    fn meet(&mut self, from: usize) {
        let bundle = self.clients[1 - from].published.clone().verify().unwrap();
        let Client { store, rng, .. } = &mut self.clients[from];
        let mut unit = Unit::begin(store.as_ref().unwrap(), NOW);
        let effects = unit
            .step(|records| initiate(records, &bundle, NOW, rng))
            .unwrap()
            .unwrap();
        unit.absorb(effects.changes, effects.actions, effects.events);
        unit.commit(Durability::Full).unwrap();
    }

    fn send(&mut self, from: usize, dies: bool) {
        let (version, to) = (self.version, self.clients[1 - from].own.clone());
        let has_one = {
            let mut unit = Unit::begin(self.clients[from].store(), NOW);
            unit.sure_step(|records| has_session(records, &to, version))
                .unwrap()
        };
        if !has_one {
            self.meet(from);
        }
        self.sent_count += 1;
        let text = format!("text {}", self.sent_count);
        let Client {
            store, own, rng, ..
        } = &mut self.clients[from];
        let store = store.as_ref().unwrap();
        let mut unit = Unit::begin(store, NOW);
        let inserted = unit.batch.insert_message(NewMessage::outgoing(
            ConversationRef::direct(to.jid.clone()),
            own.jid.clone().into(),
            OriginId::new(format!("id-{}", self.sent_count)),
            Plaintext::text(text.clone()),
            NOW,
        ));
        let done = unit.commit(Durability::Full).unwrap();
        let id = done.committed.message(inserted).map(Insertion::id).unwrap();
        let row = store.message(id).unwrap().unwrap();
        let mut unit = Unit::begin(store, NOW);
        let device = unit
            .step(|records| permit(TrustPolicy::default(), records, &to))
            .unwrap()
            .unwrap();
        let mut devices = Devices::default();
        match version {
            Version::Omemo2 => devices.omemo2.push(device),
            Version::Legacy => devices.legacy.push(device),
        }
        let encrypted = encrypt_row(&mut unit, rng, &own.jid, &row, &devices, false).unwrap();
        if dies {
            drop(unit);
            return self.clients[from].restart(from);
        }
        unit.commit(Durability::Full).unwrap();
        let stanza = stanza::from_bytes(&encrypted.stanza).unwrap();
        self.post(from, stanza, Some(text));
    }

    fn post(&mut self, from: usize, stanza: Element, text: Option<String>) {
        let stanza = stanza::to_bytes(&stanza).unwrap();
        let xml = core::str::from_utf8(stanza.as_bytes()).unwrap();
        // The server says who sent it.
        let from_whom = format!("<message from='{}/phone' ", JIDS[from]);
        let stanza = xml.replacen("<message ", &from_whom, 1).parse().unwrap();
        self.under_way.push(Letter {
            stanza,
            to: 1 - from,
            text,
        });
    }

    fn take(&mut self, letter: &Letter, dies: bool) {
        let Client {
            store, own, rng, ..
        } = &mut self.clients[letter.to];
        let mut unit = Unit::begin(store.as_ref().unwrap(), NOW);
        Inbound::new(own, &letter.stanza, Source::Live)
            .unwrap()
            .take(&mut unit, &mut Seen::default(), Receiving::Live, rng)
            .unwrap();
        if dies {
            drop(unit);
            self.clients[letter.to].restart(letter.to);
        } else {
            unit.commit(Durability::Full).unwrap();
        }
    }

    /// One of those under way, if there is one.
    fn pick(&self, which: usize) -> Option<usize> {
        which.checked_rem(self.under_way.len())
    }

    fn deliver(&mut self, index: usize) {
        let letter = self.under_way.swap_remove(index);
        self.take(&letter, false);
        self.arrived.push(letter);
    }

    fn act(&mut self, who: usize) {
        for action in self.clients[who].store().actions().unwrap() {
            let is_to_tell = match &action {
                Action::SendEmpty { .. } => true,
                Action::BuildSession { .. } => {
                    self.meet(who);
                    true
                }
                Action::PublishBundle { version } if *version == self.version => {
                    let client = &mut self.clients[who];
                    client.published = published(client.store(), &client.own, *version);
                    false
                }
                _ => false,
            };
            let (version, to) = (self.version, self.clients[1 - who].own.clone());
            let Client { store, rng, .. } = &mut self.clients[who];
            let mut unit = Unit::begin(store.as_ref().unwrap(), NOW);
            unit.batch.remove_action(&action.key());
            let mut empty = None;
            if is_to_tell {
                let encrypted = unit
                    .step(|records| encrypt_empty(records, &to, version, rng))
                    .unwrap()
                    .unwrap();
                unit.apply(encrypted.changes);
                let id = OriginId::new(stanza::new_id(rng));
                empty = Some(stanza::empty_message(&to.jid, &id, encrypted.message));
            }
            unit.commit(Durability::Full).unwrap();
            if let Some(stanza) = empty {
                self.post(who, stanza, None);
            }
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Send { from } => self.send(from, false),
            Step::DieSending { from } => self.send(from, true),
            Step::Restart { who } => self.clients[who].restart(who),
            Step::Act { who } => self.act(who),
            Step::Deliver { which } => {
                if let Some(index) = self.pick(which) {
                    self.deliver(index);
                }
            }
            Step::Lose { which } => {
                if let Some(index) = self.pick(which) {
                    self.under_way.swap_remove(index);
                }
            }
            Step::DieReceiving { which } => {
                if let Some(index) = self.pick(which) {
                    let letter = self.under_way[index].clone();
                    self.take(&letter, true);
                }
            }
            Step::Repeat { which } => {
                if let Some(index) = which.checked_rem(self.arrived.len()) {
                    let letter = self.arrived[index].clone();
                    self.take(&letter, false);
                }
            }
        }
    }

    /// What is still under way arrives, the conversation goes on, and everybody has read what came.
    fn finish(mut self) {
        for from in [0, 1, 0] {
            self.act(from);
            self.send(from, false);
            while !self.under_way.is_empty() {
                self.deliver(0);
            }
        }
        for to in [0, 1] {
            let peer = self.clients[1 - to].own.jid.clone();
            let mut expected: Vec<_> = self
                .arrived
                .iter()
                .filter(|letter| letter.to == to)
                .filter_map(|letter| letter.text.clone())
                .collect();
            expected.sort();
            assert_eq!(self.clients[to].texts(&peer), expected);
        }
    }
}

proptest! {
    // A case makes two databases and syncs them some fifty times. A failure prints its schedule, and the seed goes
    // to `proptest-regressions`.
    #![proptest_config(ProptestConfig { max_shrink_time: 60_000, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn pitfall_26_what_arrives_is_read_once_whatever_the_schedule(steps in steps()) {
        for version in Version::ALL {
            let mut world = World::new(version);
            for step in &steps {
                world.step(*step);
            }
            world.finish();
        }
    }
}
