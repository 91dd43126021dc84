//! Encrypting.

use eft_types::DeviceAddress;
use rand_core::CryptoRng;

use super::Step;
use crate::session::{Parties, Session, Work};
use crate::{
    Changes, EncryptError, EncryptedKey, EncryptedMessage, Fingerprint, RecordKey, Records,
    TrustedDevice, Version,
};

/// A message ready for the wire, once its changes are committed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Encrypted {
    /// The message. Send it only after the commit, and send the same bytes when it has to be repeated.
    pub message: EncryptedMessage,
    /// The sessions behind it.
    pub changes: Changes,
}

/// The records that [`encrypt`] and [`encrypt_empty`] read for these devices.
#[must_use]
pub fn encrypt_needs<'a>(
    version: Version,
    devices: impl IntoIterator<Item = &'a DeviceAddress>,
) -> Vec<RecordKey> {
    let sessions = devices.into_iter().map(|address| RecordKey::Session {
        address: address.clone(),
        version,
    });
    [RecordKey::Account].into_iter().chain(sessions).collect()
}

/// Encrypts content: for omemo:2 an SCE envelope, for legacy body text. Every device needs a session and the
/// trust policy's proof. Devices named twice get one key.
///
/// Source: XEP-0384 §4.4 and §5.5; 0.3.0, "Sending a message".
///
/// # Errors
/// [`EncryptError`]; it never encrypts for a part of the devices.
pub fn encrypt(
    records: &Records,
    version: Version,
    plaintext: &[u8],
    devices: &[TrustedDevice],
    rng: &mut impl CryptoRng,
) -> Result<Encrypted, EncryptError> {
    let mut step = Step::new(records);
    if devices.is_empty() {
        return Err(EncryptError::NoDevices);
    }
    step.require(encrypt_needs(
        version,
        devices.iter().map(TrustedDevice::address),
    ))?;
    let sealed = version.profile().seal_payload(plaintext, rng);
    let mut keys: Vec<EncryptedKey> = Vec::with_capacity(devices.len());
    for device in devices {
        let address = device.address();
        if keys
            .iter()
            .any(|key| key.rid == address.device && key.jid.as_ref() == Some(&address.jid))
        {
            continue;
        }
        keys.push(encrypt_key(
            &mut step,
            version,
            address,
            Some(device.fingerprint()),
            &sealed.key_material,
            rng,
        )?);
    }
    finish(step, version, keys, sealed.iv, Some(sealed.ciphertext))
}

/// Encrypts an empty message for one device. It cannot carry content, so it needs no trust.
///
/// Source: XEP-0384 §4.4 and §6, empty messages; 0.3.0, "Sending a key".
///
/// # Errors
/// [`EncryptError`].
pub fn encrypt_empty(
    records: &Records,
    address: &DeviceAddress,
    version: Version,
    rng: &mut impl CryptoRng,
) -> Result<Encrypted, EncryptError> {
    let mut step = Step::new(records);
    step.require(encrypt_needs(version, [address]))?;
    let empty = version.profile().empty_key_material(rng);
    let key = encrypt_key(&mut step, version, address, None, &empty.key_material, rng)?;
    finish(step, version, vec![key], empty.iv, None)
}

fn encrypt_key(
    step: &mut Step<'_>,
    version: Version,
    address: &DeviceAddress,
    trusted: Option<Fingerprint>,
    key_material: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<EncryptedKey, EncryptError> {
    if step.own_address()? == *address {
        return Err(EncryptError::OwnDevice);
    }
    let session: &Session = step
        .session(address, version)?
        .filter(|session| !session.ratchet.is_used_up())
        .ok_or_else(|| EncryptError::NoSession(address.clone()))?;
    let of_session = session.their_identity.fingerprint();
    if let Some(trusted) = trusted.filter(|trusted| *trusted != of_session) {
        return Err(EncryptError::OtherKey {
            address: address.clone(),
            trusted,
            session: of_session,
        });
    }
    let account = step.account()?;
    let parties = Parties {
        profile: version.profile(),
        our_identity: &account.identity.public(),
        device: account.device.as_u32(),
        work: &Work::for_one_message(),
    };
    let (session, data, kex) = session
        .encrypt(&parties, key_material, rng)
        .ok_or_else(|| EncryptError::ChainExhausted(address.clone()))?;
    step.put(
        RecordKey::Session {
            address: address.clone(),
            version,
        },
        session,
    );
    Ok(EncryptedKey {
        jid: Some(address.jid.clone()),
        rid: address.device,
        kex,
        data,
    })
}

fn finish(
    step: Step<'_>,
    version: Version,
    keys: Vec<EncryptedKey>,
    iv: Option<Vec<u8>>,
    payload: Option<Vec<u8>>,
) -> Result<Encrypted, EncryptError> {
    let own = step.own_address()?;
    Ok(Encrypted {
        message: EncryptedMessage {
            version,
            sender: own.jid,
            sid: own.device,
            keys,
            iv,
            payload,
        },
        changes: step.into_changes(),
    })
}
