//! A device with a store: what the client does around the engine, in miniature.

use std::collections::BTreeMap;
use std::sync::Mutex;

use eft_types::{BareJid, DeviceAddress, DeviceId, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_core::CryptoRng;

use super::seeded;
use crate::{
    Action, Changes, Effects, EncryptError, EncryptedMessage, Event, InitiateError, Outcome,
    ReceiveContext, Received, Record, RecordKey, RecordKind, Records, StepError, TrustPolicy,
    TrustedDevice, VerifiedBundle, Version, bundle, encrypt, encrypt_empty, initiate, install,
    permit, receive,
};

/// The time at which all tests begin.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Devices that tests install again and again: making 200 prekeys takes longer than most tests.
static INSTALLED: Mutex<BTreeMap<(String, u64), Device>> = Mutex::new(BTreeMap::new());

/// One device. Its records live as bytes; every commit encodes, every load decodes.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) address: DeviceAddress,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) records: Records,
    store: BTreeMap<(RecordKind, Vec<u8>), Vec<u8>>,
    pub(crate) actions: Vec<Action>,
    pub(crate) events: Vec<Event>,
    pub(crate) catch_up: bool,
    pub(crate) may_evict: bool,
    /// Records of the last commit.
    pub(crate) written: Vec<RecordKey>,
}

impl Device {
    pub(crate) fn install(jid: &str, seed: u64) -> Self {
        let mut installed = INSTALLED
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let device = installed.entry((jid.to_owned(), seed));
        device
            .or_insert_with(|| Self::install_anew(jid, seed))
            .clone()
    }

    fn install_anew(jid: &str, seed: u64) -> Self {
        let jid = BareJid::new(jid).unwrap();
        let mut rng = seeded(seed);
        let effects = install(&jid, &[], NOW, &mut rng);
        let mut device = Self::empty(DeviceAddress::new(jid, DeviceId::new(1).unwrap()), rng);
        device.take(effects);
        device.address = device.run(crate::own_address).unwrap();
        device
    }

    /// A device without any record.
    pub(crate) fn empty(address: DeviceAddress, rng: ChaCha20Rng) -> Self {
        Self {
            address,
            rng,
            records: Records::new(),
            store: BTreeMap::new(),
            actions: Vec::new(),
            events: Vec::new(),
            catch_up: false,
            may_evict: true,
            written: Vec::new(),
        }
    }

    /// Loads what a step lacks until it runs.
    pub(crate) fn run<T>(
        &mut self,
        step: impl Fn(&Records) -> Result<T, StepError>,
    ) -> Result<T, StepError> {
        for _ in 0..4 {
            match step(&self.records) {
                Err(StepError::Missing(keys)) => self.load(&keys),
                other => return other,
            }
        }
        panic!("a step asks for records again and again")
    }

    pub(crate) fn load(&mut self, keys: &[RecordKey]) {
        assert!(!keys.is_empty());
        for key in keys {
            let bytes = self.store.get(&(key.kind(), key.to_bytes()));
            let record = bytes.map(|bytes| Record::decode(key.kind(), bytes).unwrap());
            self.records.insert_loaded(key.clone(), record);
        }
    }

    pub(crate) fn take(&mut self, effects: Effects) {
        self.commit(effects.changes);
        for action in effects.actions {
            if !self.actions.iter().any(|known| known.key() == action.key()) {
                self.actions.push(action);
            }
        }
        self.events.extend(effects.events);
    }

    pub(crate) fn commit(&mut self, changes: Changes) {
        self.records.apply(changes);
        self.written.clear();
        for (key, record) in self.records.take_changes() {
            self.written.push(key.clone());
            let row = (key.kind(), key.to_bytes());
            match record {
                Some(record) => self.store.insert(row, record.encode().to_vec()),
                None => self.store.remove(&row),
            };
        }
    }

    /// The process ends and another begins: only the bytes survive.
    pub(crate) fn restart(&mut self) {
        self.records = Records::new();
    }

    /// Everything stored.
    pub(crate) fn snapshot(&self) -> BTreeMap<(RecordKind, Vec<u8>), Vec<u8>> {
        self.store.clone()
    }

    /// Whether everything stored is what it was.
    pub(crate) fn is_as(&self, snapshot: &BTreeMap<(RecordKind, Vec<u8>), Vec<u8>>) -> bool {
        self.store == *snapshot
    }

    /// The store is what it was; nothing else knows better.
    pub(crate) fn roll_back(&mut self, snapshot: BTreeMap<(RecordKind, Vec<u8>), Vec<u8>>) {
        self.store = snapshot;
        self.restart();
    }

    /// Bytes of all rows of some kinds.
    pub(crate) fn bytes_of(&self, kinds: &[RecordKind]) -> usize {
        let rows = self.store.iter();
        rows.filter(|((kind, _), _)| kinds.contains(kind))
            .map(|((_, name), bytes)| name.len() + bytes.len())
            .sum()
    }

    pub(crate) fn count(&self, kind: RecordKind) -> usize {
        self.store
            .keys()
            .filter(|(found, _)| *found == kind)
            .count()
    }

    pub(crate) fn row_size(&self, key: &RecordKey) -> Option<usize> {
        self.store.get(&(key.kind(), key.to_bytes())).map(Vec::len)
    }

    pub(crate) fn bundle(&mut self, version: Version) -> VerifiedBundle {
        let address = self.address.clone();
        let bundle = self.run(|records| bundle(records, version)).unwrap();
        bundle.into_unverified(address).verify().unwrap()
    }

    pub(crate) fn initiate(&mut self, bundle: &VerifiedBundle) -> Result<(), InitiateError> {
        for _ in 0..4 {
            match initiate(&self.records, bundle, NOW, &mut self.rng) {
                Err(InitiateError::Step(StepError::Missing(keys))) => self.load(&keys),
                Err(other) => return Err(other),
                Ok(effects) => {
                    self.take(effects);
                    return Ok(());
                }
            }
        }
        panic!("a step asks for records again and again")
    }

    pub(crate) fn trusted(&mut self, address: &DeviceAddress) -> TrustedDevice {
        self.load(&[
            RecordKey::Device(address.clone()),
            RecordKey::Trust(address.jid.clone()),
        ]);
        permit(
            TrustPolicy::BlindTrustBeforeVerification,
            &self.records,
            address,
        )
        .unwrap()
    }

    pub(crate) fn send(
        &mut self,
        to: &DeviceAddress,
        version: Version,
        text: &str,
    ) -> EncryptedMessage {
        self.try_send(to, version, text).unwrap()
    }

    pub(crate) fn try_send(
        &mut self,
        to: &DeviceAddress,
        version: Version,
        text: &str,
    ) -> Result<EncryptedMessage, EncryptError> {
        let trusted = self.trusted(to);
        self.load(&crate::encrypt_needs(version, [to]));
        let sent = encrypt(
            &self.records,
            version,
            text.as_bytes(),
            &[trusted],
            &mut self.rng,
        )?;
        self.commit(sent.changes);
        Ok(sent.message)
    }

    pub(crate) fn send_empty(&mut self, to: &DeviceAddress, version: Version) -> EncryptedMessage {
        self.load(&crate::encrypt_needs(version, [to]));
        let sent = encrypt_empty(&self.records, to, version, &mut self.rng).unwrap();
        self.commit(sent.changes);
        sent.message
    }

    pub(crate) fn receive(&mut self, message: &EncryptedMessage) -> Outcome {
        let mut rng = self.rng.clone();
        let outcome = self.receive_with(message, &mut rng);
        self.rng = rng;
        outcome
    }

    pub(crate) fn receive_with(
        &mut self,
        message: &EncryptedMessage,
        rng: &mut impl CryptoRng,
    ) -> Outcome {
        let received = self.try_receive(message, rng);
        let Received {
            outcome,
            changes,
            actions,
            events,
        } = received;
        self.take(Effects {
            changes,
            actions,
            events,
        });
        outcome
    }

    /// Receives without committing.
    pub(crate) fn try_receive(
        &mut self,
        message: &EncryptedMessage,
        rng: &mut impl CryptoRng,
    ) -> Received {
        let context = ReceiveContext {
            catch_up: self.catch_up,
            may_evict: self.may_evict,
            now: NOW,
        };
        for _ in 0..6 {
            match receive(&self.records, message, context, rng) {
                Err(StepError::Missing(keys)) => self.load(&keys),
                other => return other.unwrap(),
            }
        }
        panic!("a step asks for records again and again")
    }

    /// Receives content and returns it.
    pub(crate) fn read(&mut self, message: &EncryptedMessage) -> String {
        match self.receive(message) {
            Outcome::Decrypted { plaintext, .. } => {
                String::from_utf8(plaintext.as_bytes().to_vec()).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Alice and Bob, Alice having a session that Bob does not know of yet.
pub(crate) fn connect(version: Version) -> (Device, Device) {
    let mut alice = Device::install("alice@a.example", 1);
    let mut bob = Device::install("bob@b.example", 2);
    let bundle = bob.bundle(version);
    alice.initiate(&bundle).unwrap();
    (alice, bob)
}
