//! Our published keys, from making to deleting.

use eft_types::Timestamp;
use rand_core::CryptoRng;

use super::Step;
use crate::key::{PreKeyPair, SignedPreKeyPair};
use crate::limits::{
    MAX_PRE_KEY_ID, MAX_USED_PRE_KEYS, SIGNED_PRE_KEY_ROTATION_MILLIS, TARGET_PRE_KEYS,
};
use crate::record::{PreKeyRecord, PreKeysRecord, SignedPreKeyRecord};
use crate::{Action, Bundle, Effects, IdentityKeyPair, RecordKey, Records, StepError, Version};

/// Our bundle of one version, as it is to be published now.
///
/// Source: XEP-0384 §5.3.2.
///
/// # Errors
/// [`StepError::Missing`], twice on a fresh view: first for the index, then for every prekey.
pub fn bundle(records: &Records, version: Version) -> Result<Bundle, StepError> {
    let step = Step::new(records);
    step.require([RecordKey::Account, RecordKey::PreKeys { version }])?;
    let identity = step.account()?.identity.public();
    let index = step.pre_keys(version)?;
    let signed_key = RecordKey::SignedPreKey {
        version,
        id: index.signed,
    };
    let pre_key = |id: &u32| RecordKey::PreKey { version, id: *id };
    step.require(
        index
            .published
            .iter()
            .map(pre_key)
            .chain([signed_key.clone()]),
    )?;
    let profile = version.profile();
    let signed = step.read_own::<SignedPreKeyRecord>(&signed_key)?;
    let mut pre_keys = Vec::with_capacity(index.published.len());
    for id in &index.published {
        let record = step.read_own::<PreKeyRecord>(&pre_key(id))?;
        pre_keys.push((*id, profile.encode_public(&record.pair.public())));
    }
    Ok(Bundle {
        version,
        // Our own key is known in both forms.
        identity_key: profile.encode_identity(&identity).unwrap_or_default(),
        signed_pre_key_id: index.signed,
        signed_pre_key: profile.encode_public(&signed.pair.public()),
        signature: signed.signature.to_vec(),
        pre_keys,
    })
}

/// Makes a new signed prekey and publishes it. The one before stays for one more period, for key exchanges
/// under way; the one before that goes.
///
/// Source: XEP-0384 §4.2; X3DH §3.2.
///
/// # Errors
/// [`StepError`].
pub fn rotate_signed_pre_key(
    records: &Records,
    version: Version,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Effects, StepError> {
    let mut step = Step::new(records);
    step.require([RecordKey::Account, RecordKey::PreKeys { version }])?;
    rotate(&mut step, version, now, rng)?;
    Ok(step.into_effects())
}

/// What is due: a new signed prekey once the present one is a week old
/// ([`SIGNED_PRE_KEY_ROTATION_DAYS`](crate::limits::SIGNED_PRE_KEY_ROTATION_DAYS)), and prekeys up to
/// [`TARGET_PRE_KEYS`]. Nothing is due most of the time; call it daily.
///
/// Source: XEP-0384 §4.2.
///
/// # Errors
/// [`StepError`].
pub fn maintain(
    records: &Records,
    version: Version,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Effects, StepError> {
    let mut step = Step::new(records);
    step.require([RecordKey::Account, RecordKey::PreKeys { version }])?;
    let index = step.pre_keys(version)?;
    let age_millis = now.millis_since(index.signed_at);
    let complete = index.published.len() >= TARGET_PRE_KEYS;
    // A key from the future: a clock that was wrong once must not stop the rotation until it is right again.
    let fresh = -SIGNED_PRE_KEY_ROTATION_MILLIS..SIGNED_PRE_KEY_ROTATION_MILLIS;
    if !fresh.contains(&age_millis) {
        rotate(&mut step, version, now, rng)?;
    }
    if !complete {
        let mut index = step.pre_keys(version)?.clone();
        refill(&mut step, version, &mut index, rng);
        step.put(RecordKey::PreKeys { version }, index);
        step.act(Action::PublishBundle { version });
    }
    Ok(step.into_effects())
}

/// Throws away all prekeys of one version and makes new ones, under numbers that are far from the old. Two devices need
/// it, and neither more than once for its trouble:
///
/// - One whose prekeys are damaged ([`StepError::Damaged`] from [`bundle()`]). Hand in the rows that cannot be read as
///   absent.
/// - One that finds itself in the past, after its store was restored. Prekeys that its store still holds may have been
///   used, and numbers that it would give out next may have been given. Its sessions are not to be trusted either:
///   [`retire_sessions`](crate::retire_sessions), and make new ones.
///
/// # Errors
/// [`StepError`]; a damaged or absent index is none.
pub fn renew_pre_keys(
    records: &Records,
    version: Version,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Effects, StepError> {
    let mut step = Step::new(records);
    let key = RecordKey::PreKeys { version };
    step.require([RecordKey::Account, key.clone()])?;
    let identity = step.account()?.identity.clone();
    let former = step.read::<PreKeysRecord>(&key).ok().flatten().cloned();
    let (next_id, signed) = former.as_ref().map_or((0, 0), |former| {
        for id in former.published.iter().chain(&former.used) {
            step.delete(RecordKey::PreKey { version, id: *id });
        }
        for id in former.previous_signed.into_iter().chain([former.signed]) {
            step.delete(RecordKey::SignedPreKey { version, id });
        }
        (former.next_id, former.signed)
    });
    create(
        &mut step,
        version,
        &identity,
        (far_from(next_id, rng), far_from(signed, rng)),
        now,
        rng,
    );
    step.act(Action::PublishBundle { version });
    Ok(step.into_effects())
}

/// A number that is unlikely to have been given out by a device that had come to `id` once. At random past the end of
/// all numbers, and where nothing is known.
fn far_from(id: u32, rng: &mut impl CryptoRng) -> u32 {
    const FAR: u32 = 100_000;
    let mut random = || 1 + rng.next_u32() % (MAX_PRE_KEY_ID / 2);
    if id == 0 {
        return random();
    }
    id.checked_add(FAR)
        .filter(|id| *id < MAX_PRE_KEY_ID - FAR)
        .unwrap_or_else(random)
}

/// The first keys of a new device.
pub(super) fn create(
    step: &mut Step<'_>,
    version: Version,
    identity: &IdentityKeyPair,
    (next_id, signed): (u32, u32),
    now: Timestamp,
    rng: &mut impl CryptoRng,
) {
    put_signed_pre_key(step, version, signed, identity, rng);
    let mut index = PreKeysRecord {
        next_id,
        published: Vec::with_capacity(TARGET_PRE_KEYS),
        used: Vec::new(),
        signed,
        signed_at: now,
        previous_signed: None,
    };
    refill(step, version, &mut index, rng);
    step.put(RecordKey::PreKeys { version }, index);
}

/// A prekey was used by a key exchange that was decrypted. It leaves the bundle at once and another takes its
/// place. Its private key stays until the end of the next catch-up ([`finish_catch_up`](super::finish_catch_up)): until
/// the new bundle is with the server, and for as long as somebody holds the old one, a second device may draw the same
/// key, and all that it sends until it hears from us would be lost. XEP-0384 §6 asks for that in catch-up, and
/// allows it otherwise ("eventually delete"). An exchange that comes again makes no second session of it.
pub(super) fn use_pre_key(
    step: &mut Step<'_>,
    version: Version,
    id: u32,
    catch_up: bool,
    rng: &mut impl CryptoRng,
) -> Result<(), StepError> {
    let mut index = step.pre_keys(version)?.clone();
    index.published.retain(|published| *published != id);
    if !index.used.contains(&id) {
        index.used.push(id);
    }
    // What a catch-up finds was sent long ago: any number of it may need keys of the bundle that was published then.
    if !catch_up {
        let excess = index.used.len().saturating_sub(MAX_USED_PRE_KEYS);
        for old in index.used.drain(..excess) {
            step.delete(RecordKey::PreKey { version, id: old });
        }
    }
    refill(step, version, &mut index, rng);
    step.put(RecordKey::PreKeys { version }, index);
    step.act(Action::PublishBundle { version });
    Ok(())
}

/// Deletes the private keys of all used prekeys.
pub(super) fn delete_used(step: &mut Step<'_>) -> Result<(), StepError> {
    step.require(Version::ALL.map(|version| RecordKey::PreKeys { version }))?;
    for version in Version::ALL {
        let mut index = step.pre_keys(version)?.clone();
        if index.used.is_empty() {
            continue;
        }
        for id in core::mem::take(&mut index.used) {
            step.delete(RecordKey::PreKey { version, id });
        }
        step.put(RecordKey::PreKeys { version }, index);
    }
    Ok(())
}

fn refill(
    step: &mut Step<'_>,
    version: Version,
    index: &mut PreKeysRecord,
    rng: &mut impl CryptoRng,
) {
    // Ids are never used twice. After 2³¹ of them, which no device lives to see, the bundle runs empty.
    while index.published.len() < TARGET_PRE_KEYS && index.next_id <= MAX_PRE_KEY_ID {
        let id = index.next_id;
        index.next_id = id.saturating_add(1);
        let pair = PreKeyPair::generate(rng);
        step.put(RecordKey::PreKey { version, id }, PreKeyRecord { pair });
        index.published.push(id);
    }
}

fn rotate(
    step: &mut Step<'_>,
    version: Version,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<(), StepError> {
    let identity = step.account()?.identity.clone();
    let mut index = step.pre_keys(version)?.clone();
    // Nobody rotates 2³¹ times; if it were so, the present key would simply stay.
    let Some(id) = index
        .signed
        .checked_add(1)
        .filter(|id| *id <= MAX_PRE_KEY_ID)
    else {
        return Ok(());
    };
    if let Some(oldest) = index.previous_signed.replace(index.signed) {
        step.delete(RecordKey::SignedPreKey {
            version,
            id: oldest,
        });
    }
    put_signed_pre_key(step, version, id, &identity, rng);
    index.signed = id;
    index.signed_at = now;
    step.put(RecordKey::PreKeys { version }, index);
    step.act(Action::PublishBundle { version });
    Ok(())
}

fn put_signed_pre_key(
    step: &mut Step<'_>,
    version: Version,
    id: u32,
    identity: &IdentityKeyPair,
    rng: &mut impl CryptoRng,
) {
    let pair = SignedPreKeyPair::generate(rng);
    let signature = identity.sign(&version.profile().encode_public(&pair.public()), rng);
    step.put(
        RecordKey::SignedPreKey { version, id },
        SignedPreKeyRecord { pair, signature },
    );
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;

    use rand_core::{TryCryptoRng, TryRng};

    use super::*;

    /// One word for ever.
    struct Word(u32);

    impl TryRng for Word {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(self.0)
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(self.0.into())
        }

        fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
            to.fill(0);
            Ok(())
        }
    }

    impl TryCryptoRng for Word {}

    #[test]
    fn numbers_after_a_loss_are_far_away_or_random_and_never_past_the_end() {
        const FAR: u32 = 100_000;
        let far = |id, word| far_from(id, &mut Word(word));
        assert_eq!(far(1, 9), 1 + FAR);
        let last_with_room = MAX_PRE_KEY_ID - 2 * FAR - 1;
        assert_eq!(far(last_with_room, 9), MAX_PRE_KEY_ID - FAR - 1);
        // Nobody knows the former number, or there is no room behind it: anything from 1 to the middle.
        let middle = MAX_PRE_KEY_ID / 2;
        for id in [0, last_with_room + 1, MAX_PRE_KEY_ID, u32::MAX] {
            assert_eq!(far(id, 0), 1);
            assert_eq!(far(id, 7), 8);
            assert_eq!(far(id, middle - 1), middle);
            assert_eq!(far(id, middle + 7), 8);
        }
    }
}
