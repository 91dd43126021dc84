//! Who writes to whom, in the figures.

use std::path::Path;

use eft_omemo::{
    Changes, EncryptedMessage, InitiateError, Outcome, ReceiveContext, RecordKey, Records,
    StepError, TrustPolicy, TrustedDevice, Version, bundle, encrypt, initiate, install,
    own_address, permit, receive,
};
use eft_store::{
    ArchiveId, Batch, Content, ConversationRef, Durability, MessageEncryption, NewMessage, Place,
    Plaintext, SenderTrust, Store, StoreKey, StoreOptions,
};
use eft_types::{BareJid, DeviceAddress, DeviceId, OriginId, StanzaId, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::Failure;

pub(crate) const KEY: [u8; 32] = [0x5a; 32];
pub(crate) const SALT: [u8; 16] = [0xc3; 16];

/// The day of all of it.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(crate) fn jid(text: &str) -> Result<BareJid, Failure> {
    Ok(BareJid::new(text)?)
}

pub(crate) fn own() -> Result<BareJid, Failure> {
    jid("romeo@montague.example")
}

pub(crate) fn contact(number: usize) -> Result<BareJid, Failure> {
    jid(&format!("contact-{number}@capulet.example"))
}

pub(crate) fn key() -> StoreKey {
    StoreKey::from_parts(KEY, SALT)
}

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn create(path: &Path) -> Result<Store, Failure> {
    Ok(Store::create(path, &key(), &own()?, &StoreOptions::app())?)
}

/// Words as people use them: few often, many seldom (Zipf's law).
pub(crate) fn words(rng: &mut ChaCha20Rng, count: usize) -> String {
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
pub(crate) fn archived(peer: &BareJid, number: u64, text: String) -> Result<NewMessage, Failure> {
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
pub(crate) struct Installation {
    pub(crate) records: Records,
    pub(crate) address: DeviceAddress,
    rng: ChaCha20Rng,
}

impl Installation {
    /// Installs, and says what to write.
    pub(crate) fn new(jid: &BareJid, seed: u64) -> Result<(Self, Changes), Failure> {
        let mut rng = rng(seed);
        let effects = install(jid, &[], NOW, &mut rng);
        let mut records = Records::new();
        records.apply(effects.changes.clone());
        let address = own_address(&records)?;
        let made = Self {
            records,
            address,
            rng,
        };
        Ok((made, effects.changes))
    }

    /// Makes a session with a device that has the keys of `peer`, whatever its address.
    pub(crate) fn meet(
        &mut self,
        peer: &Self,
        address: &DeviceAddress,
    ) -> Result<TrustedDevice, Failure> {
        let version = Version::Omemo2;
        let fetched = bundle(&peer.records, version)?
            .into_unverified(address.clone())
            .verify()?;
        let effects = loop {
            match initiate(&self.records, &fetched, NOW, &mut self.rng) {
                Err(InitiateError::Step(StepError::Missing(keys))) => {
                    nothing(&mut self.records, keys);
                }
                done => break done?,
            }
        };
        self.records.apply(effects.changes);
        Ok(permit(TrustPolicy::default(), &self.records, address)?)
    }

    /// Encrypts, and says what to write.
    pub(crate) fn write(
        &mut self,
        text: &[u8],
        to: &[TrustedDevice],
    ) -> Result<(EncryptedMessage, Changes), Failure> {
        let sent = encrypt(&self.records, Version::Omemo2, text, to, &mut self.rng)?;
        self.records.apply(sent.changes.clone());
        Ok((sent.message, sent.changes))
    }
}

/// Reads a message with what is loaded. `Err` names what has to be loaded first.
pub(crate) fn read(
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
pub(crate) fn keep(store: &Store, changes: Changes) -> Result<(), Failure> {
    let mut batch = Batch::new();
    batch.merge_changes(changes);
    store.commit(&batch, Durability::Full)?;
    Ok(())
}
