//! Our side: the engine with a store of bytes, and nothing else of Eft.

use std::collections::BTreeMap;

use eft_omemo::{
    Action, Bundle, Changes, InitiateError, Outcome, ReceiveContext, Received, Record, RecordKey,
    RecordKind, Records, StepError, TrustPolicy, UnverifiedBundle, Version, bundle, encrypt,
    encrypt_empty, encrypt_needs, initiate, install, own_address, permit, receive,
    rotate_signed_pre_key,
};
use eft_omemo::{EncryptedMessage, VerifiedBundle};
use eft_types::{BareJid, DeviceAddress, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A device that keeps bytes: what it commits is encoded, what it loads is decoded.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) address: DeviceAddress,
    pub(crate) rng: ChaCha20Rng,
    records: Records,
    store: BTreeMap<(RecordKind, Vec<u8>), Vec<u8>>,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// Content, or none in an empty message.
    Text(Option<Vec<u8>>),
    /// It was not accepted.
    Refused(Outcome),
}

impl Device {
    pub(crate) fn install(jid: &str, seed: u64) -> Self {
        let jid = BareJid::new(jid).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let changes = install(&jid, &[], NOW, &mut rng).changes;
        let mut records = Records::new();
        records.apply(changes.clone());
        let address = own_address(&records).unwrap();
        let mut device = Self {
            address,
            rng,
            records: Records::new(),
            store: BTreeMap::new(),
        };
        device.commit(changes);
        device
    }

    /// The process ends and another begins.
    pub(crate) fn restart(&mut self) {
        self.records = Records::new();
    }

    /// Everything that is kept.
    pub(crate) fn stored(&self) -> &BTreeMap<(RecordKind, Vec<u8>), Vec<u8>> {
        &self.store
    }

    pub(crate) fn bundle(&mut self, version: Version) -> Bundle {
        self.run(|device| bundle(&device.records, version)).unwrap()
    }

    pub(crate) fn rotate(&mut self, version: Version) {
        let effects = self
            .run(|device| rotate_signed_pre_key(&device.records, version, NOW, &mut device.rng))
            .unwrap();
        self.commit(effects.changes);
    }

    /// Makes a session from a fetched bundle.
    pub(crate) fn initiate(&mut self, fetched: UnverifiedBundle) {
        let fetched: VerifiedBundle = fetched.verify().unwrap();
        let effects = loop {
            match initiate(&self.records, &fetched, NOW, &mut self.rng) {
                Err(InitiateError::Step(StepError::Missing(keys))) => self.load(&keys),
                done => break done.unwrap(),
            }
        };
        self.commit(effects.changes);
    }

    /// Encrypts a text, or an empty message.
    pub(crate) fn send(
        &mut self,
        to: &DeviceAddress,
        version: Version,
        text: Option<&[u8]>,
    ) -> EncryptedMessage {
        let mut needs = encrypt_needs(version, [to]);
        needs.extend([
            RecordKey::Device(to.clone()),
            RecordKey::Trust(to.jid.clone()),
        ]);
        self.load(&needs);
        let sent = match text {
            Some(text) => {
                let policy = TrustPolicy::BlindTrustBeforeVerification;
                let trusted = permit(policy, &self.records, to).unwrap();
                encrypt(&self.records, version, text, &[trusted], &mut self.rng).unwrap()
            }
            None => encrypt_empty(&self.records, to, version, &mut self.rng).unwrap(),
        };
        self.commit(sent.changes);
        sent.message
    }

    /// Decrypts. The actions are what the engine wants done; a client carries them out.
    pub(crate) fn receive(&mut self, message: &EncryptedMessage) -> (Read, Vec<Action>) {
        let context = ReceiveContext {
            catch_up: false,
            may_evict: true,
            now: NOW,
        };
        let Received {
            outcome,
            changes,
            actions,
            ..
        } = self
            .run(|device| receive(&device.records, message, context, &mut device.rng))
            .unwrap();
        let read = match outcome {
            Outcome::Decrypted { plaintext, .. } => Read::Text(Some(plaintext.as_bytes().to_vec())),
            Outcome::Empty { .. } => Read::Text(None),
            other => {
                assert!(
                    changes.iter().next().is_none(),
                    "a refused message changed something: {other:?}"
                );
                Read::Refused(other)
            }
        };
        self.commit(changes);
        (read, actions)
    }

    fn run<T>(
        &mut self,
        mut step: impl FnMut(&mut Self) -> Result<T, StepError>,
    ) -> Result<T, StepError> {
        loop {
            match step(self) {
                Err(StepError::Missing(keys)) => self.load(&keys),
                other => return other,
            }
        }
    }

    fn load(&mut self, keys: &[RecordKey]) {
        for key in keys {
            let bytes = self.store.get(&(key.kind(), key.to_bytes()));
            let record = bytes.map(|bytes| Record::decode(key.kind(), bytes).unwrap());
            self.records.insert_loaded(key.clone(), record);
        }
    }

    fn commit(&mut self, changes: Changes) {
        self.records.apply(changes);
        for (key, record) in self.records.take_changes() {
            let row = (key.kind(), key.to_bytes());
            match record {
                Some(record) => self.store.insert(row, record.encode().to_vec()),
                None => self.store.remove(&row),
            };
        }
    }
}
