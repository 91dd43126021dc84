//! Who writes to whom, in the figures.

use std::path::Path;

use eft_omemo::{
    Changes, EncryptedMessage, InitiateError, Outcome, ReceiveContext, RecordKey, Records,
    StepError, TrustPolicy, TrustedDevice, UnverifiedBundle, Version, bundle, encrypt, initiate,
    install, own_address, permit, receive,
};
use eft_store::{
    ArchiveId, Batch, Content, ConversationRef, Durability, MessageEncryption, NewMessage, Place,
    Plaintext, SenderTrust, Store, StoreKey, StoreOptions,
};
use eft_types::{BareJid, DeviceAddress, DeviceId, OriginId, StanzaId, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::Failure;

/// Key of every database.
pub const KEY: [u8; 32] = [0x5a; 32];
/// Salt of every database.
pub const SALT: [u8; 16] = [0xc3; 16];

/// The day of all of it.
pub const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// An address.
///
/// # Errors
/// If it is none.
pub fn jid(text: &str) -> Result<BareJid, Failure> {
    Ok(BareJid::new(text)?)
}

/// Whose database it is.
///
/// # Errors
/// None.
pub fn own() -> Result<BareJid, Failure> {
    jid("romeo@montague.example")
}

/// One of many contacts.
///
/// # Errors
/// None.
pub fn contact(number: usize) -> Result<BareJid, Failure> {
    jid(&format!("contact-{number}@capulet.example"))
}

/// Key and salt.
#[must_use]
pub fn key() -> StoreKey {
    StoreKey::from_parts(KEY, SALT)
}

/// The same randomness for the same seed.
#[must_use]
pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A new database.
///
/// # Errors
/// The store's.
pub fn create(path: &Path) -> Result<Store, Failure> {
    Ok(Store::create(path, &key(), &own()?, &StoreOptions::app())?)
}

/// Words as people use them: few often, many seldom (Zipf's law).
pub fn words(rng: &mut ChaCha20Rng, count: usize) -> String {
    let mut text = String::new();
    for _ in 0..count {
        // 1 of 10,000 words, the n-th about as often as 1/n.
        let exponent = f64::from(rng.next_u32()) / f64::from(u32::MAX);
        let number = 10_000_f64.powf(exponent);
        text += &format!("w{number:.0} ");
    }
    text
}

/// A message from the archive, as a catch-up brings it.
///
/// # Errors
/// None.
pub fn archived(peer: &BareJid, number: u64, text: String) -> Result<NewMessage, Failure> {
    let mut message = NewMessage::incoming(
        ConversationRef::direct(peer.clone()),
        peer.clone().into(),
        Content::Readable(Plaintext::text(text)),
        NOW.saturating_add_millis(i64::try_from(number)?),
    );
    message.sender_device = Some(DeviceId::new(7)?);
    message.sender_key = Some([9; 32]);
    message.sender_trust = Some(SenderTrust::BlindlyTrusted);
    message.origin_id = Some(OriginId::new(format!(
        "0191a7b2-7c3d-7e4f-8a5b-{number:012x}"
    )));
    message.archive_id = Some(ArchiveId::new(
        own()?,
        StanzaId::new(format!("0191a7b2-0000-7000-8000-{number:012x}")),
    ));
    message.server_time = Some(NOW.saturating_add_millis(i64::try_from(number)?));
    message.encryption = MessageEncryption::Omemo2;
    message.place = Place::ArchiveNewer;
    Ok(message)
}

/// One installation with all its records.
#[derive(Debug)]
pub struct Installation {
    /// All its records.
    pub records: Records,
    /// Account and device id.
    pub address: DeviceAddress,
    /// What it writes in.
    version: Version,
    rng: ChaCha20Rng,
}

impl Installation {
    /// Installs, and says what to write. Writes in omemo:2.
    ///
    /// # Errors
    /// None that was seen.
    pub fn new(jid: &BareJid, seed: u64) -> Result<(Self, Changes), Failure> {
        let mut rng = rng(seed);
        let effects = install(jid, &[], NOW, &mut rng);
        let mut records = Records::new();
        records.apply(effects.changes.clone());
        let address = own_address(&records)?;
        let made = Self {
            records,
            address,
            version: Version::Omemo2,
            rng,
        };
        Ok((made, effects.changes))
    }

    /// Writes in this version from now on.
    #[must_use]
    pub fn writing(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Makes a session with a device that has the keys of `peer`, whatever its address.
    ///
    /// # Errors
    /// The engine's.
    pub fn meet(&mut self, peer: &Self, address: &DeviceAddress) -> Result<TrustedDevice, Failure> {
        self.meet_owner(bundle(&peer.records, self.version)?.into_unverified(address.clone()))
    }

    /// Makes a session with the device that published these keys.
    ///
    /// # Errors
    /// The engine's.
    pub fn meet_owner(&mut self, published: UnverifiedBundle) -> Result<TrustedDevice, Failure> {
        let address = published.address.clone();
        let fetched = published.verify()?;
        let effects = loop {
            match initiate(&self.records, &fetched, NOW, &mut self.rng) {
                Err(InitiateError::Step(StepError::Missing(keys))) => {
                    nothing(&mut self.records, keys);
                }
                done => break done?,
            }
        };
        self.records.apply(effects.changes);
        Ok(permit(TrustPolicy::default(), &self.records, &address)?)
    }

    /// Encrypts, and says what to write.
    ///
    /// # Errors
    /// The engine's.
    pub fn write(
        &mut self,
        text: &[u8],
        to: &[TrustedDevice],
    ) -> Result<(EncryptedMessage, Changes), Failure> {
        let sent = encrypt(&self.records, self.version, text, to, &mut self.rng)?;
        self.records.apply(sent.changes.clone());
        Ok((sent.message, sent.changes))
    }

    /// Reads a message: its text, which is empty where there is none.
    ///
    /// # Errors
    /// The engine's.
    pub fn read(&mut self, message: &EncryptedMessage) -> Result<String, Failure> {
        let (text, changes) = loop {
            match read(&self.records, message, &mut self.rng) {
                Err(StepError::Missing(keys)) => nothing(&mut self.records, keys),
                done => break done?,
            }
        };
        self.records.apply(changes);
        Ok(text)
    }
}

/// Reads a message with what is loaded. `Err` names what has to be loaded first.
///
/// # Errors
/// The engine's; or what has to be loaded first.
pub fn read(
    records: &Records,
    message: &EncryptedMessage,
    rng: &mut ChaCha20Rng,
) -> Result<(String, Changes), StepError> {
    let context = ReceiveContext {
        catch_up: false,
        may_evict: true,
        now: NOW,
    };
    let received = receive(records, message, context, rng)?;
    let text = match received.outcome {
        Outcome::Decrypted { plaintext, .. } => {
            String::from_utf8_lossy(plaintext.as_bytes()).into_owned()
        }
        // Counted as a text of another length: the figure would be of no use, and the check after it says so.
        _ => String::new(),
    };
    Ok((text, received.changes))
}

fn nothing(records: &mut Records, keys: Vec<RecordKey>) {
    for key in keys {
        records.insert_loaded(key, None);
    }
}

/// Writes engine records.
///
/// # Errors
/// The store's.
pub fn keep(store: &Store, changes: Changes) -> Result<(), Failure> {
    let mut batch = Batch::new();
    batch.merge_changes(changes);
    store.commit(&batch, Durability::Full)?;
    Ok(())
}
