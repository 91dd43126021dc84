//! The birth of a device.

use eft_types::{BareJid, DeviceAddress, DeviceId, Timestamp};
use rand_core::CryptoRng;

use super::{Step, pre_keys};
use crate::record::AccountRecord;
use crate::trust::TrustRecord;
use crate::{
    Action, Effects, Fingerprint, IdentityKeyPair, IdentitySecret, InstallError, RecordKey,
    Records, StepError, Version,
};

/// Makes identity key, device id, and per version a signed prekey and 100 prekeys. `taken` are the device
/// ids on the account's lists, of either version; the new id is none of them.
///
/// Call it once per installation, never over an existing one. The actions publish bundles and lists.
///
/// Source: XEP-0384 §5.1.
pub fn install(
    own: &BareJid,
    taken: &[DeviceId],
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Effects {
    let nothing = Records::new();
    let mut step = Step::new(&nothing);
    let identity = IdentityKeyPair::generate(rng);
    make(
        &mut step,
        own,
        identity,
        TrustRecord::default(),
        taken,
        now,
        rng,
    );
    step.into_effects()
}

/// Makes a device where an export was imported. What was restored of the user's decisions about the keys of the own
/// account stays.
///
/// `identity` is the key of the device that the export comes from, if it came along and the user says that this device
/// is gone: two devices with one key that both live cannot be told apart by their fingerprint. The device id is a new
/// one in any case, and so are all prekeys; there are no sessions. A message under way to the former device stays
/// unread. Without `identity`, a key is drawn.
///
/// `taken` are the device ids on the account's lists, and the one of the former device. That one stays on the lists
/// until somebody takes it off them.
///
/// ```
/// use eft_omemo::{
///     RecordKey, Records, identity_secret, install, install_imported, own_address, own_fingerprint,
/// };
/// use eft_types::{BareJid, Timestamp};
/// use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
///
/// let mut rng = ChaCha20Rng::seed_from_u64(1);
/// let now = Timestamp::from_millis(1_800_000_000_000);
/// let alice = BareJid::new("alice@a.example")?;
/// let mut former = Records::new();
/// former.apply(install(&alice, &[], now, &mut rng).changes);
/// let its_id = own_address(&former)?.device;
///
/// // The key goes through an encrypted file to a device with an empty store.
/// let secret = identity_secret(&former)?;
/// let mut new = Records::new();
/// for key in [RecordKey::Account, RecordKey::Trust(alice.clone())] {
///     new.insert_loaded(key, None);
/// }
/// let effects = install_imported(&new, &alice, Some(secret), &[its_id], now, &mut rng)?;
/// new.apply(effects.changes); // commit `new.take_changes()`, then carry out `effects.actions`
/// assert_eq!(own_fingerprint(&new)?, own_fingerprint(&former)?);
/// assert_ne!(own_address(&new)?.device, its_id);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: XEP-0384 §5.1.
///
/// # Errors
/// [`InstallError::AlreadyInstalled`] over an existing installation; [`InstallError::Step`].
pub fn install_imported(
    records: &Records,
    own: &BareJid,
    identity: Option<IdentitySecret>,
    taken: &[DeviceId],
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Effects, InstallError> {
    let mut step = Step::new(records);
    step.require([RecordKey::Account, RecordKey::Trust(own.clone())])?;
    match step.account() {
        Err(StepError::NotInstalled) => {}
        Ok(_) => return Err(InstallError::AlreadyInstalled),
        Err(error) => return Err(error.into()),
    }
    let trust = step.trust(own)?.cloned().unwrap_or_default();
    let identity = identity.map_or_else(
        || IdentityKeyPair::generate(rng),
        IdentitySecret::into_key_pair,
    );
    make(&mut step, own, identity, trust, taken, now, rng);
    Ok(step.into_effects())
}

fn make(
    step: &mut Step<'_>,
    own: &BareJid,
    identity: IdentityKeyPair,
    mut trust: TrustRecord,
    taken: &[DeviceId],
    now: Timestamp,
    rng: &mut impl CryptoRng,
) {
    let address = DeviceAddress::new(own.clone(), free_device_id(taken, rng));
    trust.set_ourselves(identity.public().fingerprint(), now);
    step.put(RecordKey::Trust(own.clone()), trust);
    for version in Version::ALL {
        pre_keys::create(step, version, &identity, (1, 1), now, rng);
        // The bundle first: who sees the list fetches the bundle.
        step.act(Action::PublishBundle { version });
    }
    for version in Version::ALL {
        step.act(Action::PublishDeviceList { version });
    }
    step.put(
        RecordKey::Account,
        AccountRecord::new(&address, identity, now),
    );
}

/// A random id; the next free one if it is taken, so that this ends whatever the randomness.
fn free_device_id(taken: &[DeviceId], rng: &mut impl CryptoRng) -> DeviceId {
    let mut number = rng.next_u32();
    loop {
        match DeviceId::generated(number) {
            Some(id) if !taken.contains(&id) => return id,
            _ => number = number.wrapping_add(1),
        }
    }
}

/// The address of this device.
///
/// # Errors
/// [`StepError::NotInstalled`]; [`StepError::Missing`] if the account record is not loaded.
pub fn own_address(records: &Records) -> Result<DeviceAddress, StepError> {
    Step::new(records).own_address()
}

/// The fingerprint of this device, for its user to show.
///
/// # Errors
/// [`StepError::NotInstalled`]; [`StepError::Missing`] if the account record is not loaded.
pub fn own_fingerprint(records: &Records) -> Result<Fingerprint, StepError> {
    Ok(Step::new(records)
        .account()?
        .identity
        .public()
        .fingerprint())
}

/// The private identity key of this device, for an export in which the user wants it.
///
/// # Errors
/// [`StepError::NotInstalled`]; [`StepError::Missing`] if the account record is not loaded.
pub fn identity_secret(records: &Records) -> Result<IdentitySecret, StepError> {
    Ok(IdentitySecret::of(&Step::new(records).account()?.identity))
}
