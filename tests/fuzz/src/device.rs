//! A device with a store of bytes: what a client does around the engine, in miniature.

use std::collections::BTreeMap;

use eft_omemo::{
    Changes, EncryptError, EncryptedMessage, InitiateError, Outcome, ReceiveContext, Received,
    Record, RecordKey, RecordKind, Records, StepError, TrustPolicy, VerifiedBundle, Version,
    bundle, encrypt, encrypt_empty, encrypt_needs, initiate, install, own_address, permit, receive,
};
use eft_types::{BareJid, DeviceAddress, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

/// The time of everything.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// How often a step may ask for more records. A session needs three rounds: itself, its chains, the archive.
const ROUNDS: usize = 6;

/// Rows by kind and name.
pub(crate) type Store = BTreeMap<(RecordKind, Vec<u8>), Vec<u8>>;

/// What is wrong with a store is no panic of the engine, but an answer.
pub(crate) type Step<T> = Result<T, StepError>;

/// What is committed is encoded, what is loaded is decoded.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) address: DeviceAddress,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) catch_up: bool,
    pub(crate) store: Store,
    records: Records,
}

impl Device {
    pub(crate) fn install(jid: &str, seed: u64) -> Self {
        let jid = BareJid::new(jid).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let changes = install(&jid, &[], NOW, &mut rng).changes;
        let mut records = Records::new();
        records.apply(changes.clone());
        let mut device = Self {
            address: own_address(&records).unwrap(),
            rng,
            catch_up: false,
            store: Store::new(),
            records: Records::new(),
        };
        device.commit(changes);
        device
    }

    /// The process ends and another begins.
    pub(crate) fn restart(&mut self) {
        self.records = Records::new();
    }

    /// Calls a step until it lacks no record.
    pub(crate) fn run<T>(
        &mut self,
        mut step: impl FnMut(&Records, &mut ChaCha20Rng) -> Step<T>,
    ) -> Step<T> {
        for _ in 0..ROUNDS {
            match step(&self.records, &mut self.rng) {
                Err(StepError::Missing(keys)) => self.load(&keys),
                done => return done,
            }
        }
        panic!("a step asks for records again and again")
    }

    /// # Panics
    /// If the step asks for nothing, or for what it was given: it would be called forever.
    fn load(&mut self, keys: &[RecordKey]) {
        assert!(
            keys.iter().any(|key| !self.records.is_loaded(key)),
            "a step lacks nothing new: {keys:?}"
        );
        for key in keys {
            let bytes = self.store.get(&(key.kind(), key.to_bytes()));
            let record = bytes.map(|bytes| Record::decode(key.kind(), bytes).unwrap());
            self.records.insert_loaded(key.clone(), record);
        }
    }

    pub(crate) fn commit(&mut self, changes: Changes) {
        self.records.apply(changes);
        for (key, record) in self.records.take_changes() {
            let row = (key.kind(), key.to_bytes());
            match record {
                Some(record) => self.store.insert(row, record.encode().to_vec()),
                None => self.store.remove(&row),
            };
        }
    }

    /// Forgets what was loaded: inputs name ever new records.
    pub(crate) fn forget_loaded(&mut self) {
        self.records.forget_clean();
    }

    pub(crate) fn bundle(&mut self, version: Version) -> Step<eft_omemo::Bundle> {
        self.run(|records, _| bundle(records, version))
    }

    /// The effects of making a session, committed.
    pub(crate) fn initiate(&mut self, bundle: &VerifiedBundle) -> Result<(), InitiateError> {
        let mut refused = None;
        let effects = self.run(|records, rng| match initiate(records, bundle, NOW, rng) {
            Ok(effects) => Ok(Some(effects)),
            Err(InitiateError::Step(error)) => Err(error),
            Err(other) => {
                refused = Some(other);
                Ok(None)
            }
        })?;
        match (effects, refused) {
            (Some(effects), _) => {
                self.commit(effects.changes);
                Ok(())
            }
            (None, refused) => Err(refused.unwrap()),
        }
    }

    /// Encrypts a text for devices that have a session and are trusted; an empty message without a text, for the
    /// first of them.
    pub(crate) fn send(
        &mut self,
        to: &[DeviceAddress],
        version: Version,
        text: Option<&[u8]>,
    ) -> Result<EncryptedMessage, EncryptError> {
        let mut needs = encrypt_needs(version, to);
        for address in to {
            needs.push(RecordKey::Device(address.clone()));
            needs.push(RecordKey::Trust(address.jid.clone()));
        }
        needs.retain(|key| !self.records.is_loaded(key));
        if !needs.is_empty() {
            self.load(&needs);
        }
        let sent = match text {
            Some(text) => {
                let policy = TrustPolicy::BlindTrustBeforeVerification;
                let trusted: Result<Vec<_>, _> = to
                    .iter()
                    .map(|address| permit(policy, &self.records, address))
                    .collect();
                // Without a known key there is no session either.
                let trusted = trusted.map_err(|_| EncryptError::NoDevices)?;
                encrypt(&self.records, version, text, &trusted, &mut self.rng)?
            }
            None => {
                let to = to.first().ok_or(EncryptError::NoDevices)?;
                encrypt_empty(&self.records, to, version, &mut self.rng)?
            }
        };
        self.commit(sent.changes);
        Ok(sent.message)
    }

    /// Receives without committing.
    ///
    /// # Panics
    /// If a message that is not accepted would change anything.
    pub(crate) fn try_receive(
        &mut self,
        message: &EncryptedMessage,
        may_evict: bool,
    ) -> Step<Received> {
        let context = ReceiveContext {
            catch_up: self.catch_up,
            may_evict,
            now: NOW,
        };
        let received = self.run(|records, rng| receive(records, message, context, rng))?;
        let accepted = matches!(
            received.outcome,
            Outcome::Decrypted { .. } | Outcome::Empty { .. }
        );
        assert!(
            accepted || received.changes.is_empty(),
            "a refused message changes something: {:?}",
            received.outcome
        );
        Ok(received)
    }
}
