//! What a device publishes so that others can make sessions with it.

use eft_types::DeviceAddress;
use rand_core::CryptoRng;

use crate::limits::{MAX_BUNDLE_PRE_KEYS, MAX_PRE_KEY_ID};
use crate::{BundleError, IdentityKey, KeyError, PublicKey, Version};

/// A bundle as fetched: bytes after base64, nothing checked.
///
/// Source: XEP-0384 §5.3.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedBundle {
    /// Which protocol it is for.
    pub version: Version,
    /// The device whose node it was fetched from.
    pub address: DeviceAddress,
    /// omemo:2 `ik`: Ed25519 form, 32 bytes. Legacy `identityKey`: 33 bytes.
    pub identity_key: Vec<u8>,
    /// Id of the signed prekey.
    pub signed_pre_key_id: u32,
    /// omemo:2 `spk`: 32 bytes. Legacy `signedPreKeyPublic`: 33 bytes.
    pub signed_pre_key: Vec<u8>,
    /// omemo:2 `spks`, legacy `signedPreKeySignature`: 64 bytes.
    pub signature: Vec<u8>,
    /// Prekeys with their ids, encoded like the signed prekey.
    pub pre_keys: Vec<(u32, Vec<u8>)>,
}

/// A bundle whose keys are keys and whose signed prekey was signed by its identity key. The only way to a
/// session.
///
/// Source: X3DH §3.3: the signature is checked first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBundle {
    version: Version,
    address: DeviceAddress,
    identity_key: IdentityKey,
    signed_pre_key: (u32, PublicKey),
    pre_keys: Vec<(u32, PublicKey)>,
}

impl UnverifiedBundle {
    /// Checks lengths, points, and the signature over the signed prekey. Prekeys that are none are left out:
    /// one good prekey is enough, and none of them is signed anyway.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn verify(self) -> Result<VerifiedBundle, BundleError> {
        let profile = self.version.profile();
        let identity_key = profile
            .parse_identity(&self.identity_key)
            .map_err(BundleError::IdentityKey)?;
        let signed_pre_key = profile
            .parse_public(&self.signed_pre_key)
            .map_err(BundleError::SignedPreKey)?;
        // The signature covers the key as it is encoded on the wire.
        if !identity_key.verify(&self.signed_pre_key, &self.signature) {
            return Err(BundleError::BadSignature);
        }
        let pre_keys: Vec<_> = self
            .pre_keys
            .into_iter()
            .take(MAX_BUNDLE_PRE_KEYS)
            .filter(|(id, _)| *id <= MAX_PRE_KEY_ID)
            .filter_map(|(id, key)| Some((id, profile.parse_public(&key).ok()?)))
            .collect();
        if pre_keys.is_empty() {
            return Err(BundleError::NoPreKeys);
        }
        Ok(VerifiedBundle {
            version: self.version,
            address: self.address,
            identity_key,
            signed_pre_key: (self.signed_pre_key_id, signed_pre_key),
            pre_keys,
        })
    }
}

impl VerifiedBundle {
    /// Which protocol it is for.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The device it belongs to.
    #[must_use]
    pub const fn address(&self) -> &DeviceAddress {
        &self.address
    }

    /// The identity key it is signed with.
    #[must_use]
    pub const fn identity_key(&self) -> &IdentityKey {
        &self.identity_key
    }

    pub(crate) const fn signed_pre_key(&self) -> (u32, PublicKey) {
        self.signed_pre_key
    }

    /// A prekey at random (XEP-0384 §5.4), so that two senders rarely take the same one; rather none of
    /// `spent`, which an exchange of ours under way may use up. Some devices publish id 0, which others read as
    /// "none": it is taken only if there is no other.
    pub(crate) fn random_pre_key(
        &self,
        spent: &[u32],
        rng: &mut impl CryptoRng,
    ) -> Option<(u32, PublicKey)> {
        let keep = |good: &dyn Fn(u32) -> bool| -> Vec<_> {
            self.pre_keys.iter().filter(|(id, _)| good(*id)).collect()
        };
        let candidates = [
            keep(&|id| id != 0 && !spent.contains(&id)),
            keep(&|id| id != 0),
            keep(&|_| true),
        ];
        let candidates = candidates.into_iter().find(|keys| !keys.is_empty())?;
        // 2⁶⁴ is so much larger than the count that the remainder's bias does not matter.
        let count = u64::try_from(candidates.len()).ok()?;
        let index = rng.next_u64().checked_rem(count)?;
        candidates
            .get(usize::try_from(index).ok()?)
            .map(|key| **key)
    }
}

/// Our own bundle of one version, encoded for the wire but for base64 and XML.
///
/// Source: XEP-0384 §5.3.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Which protocol it is for.
    pub version: Version,
    /// omemo:2 `ik`: 32 bytes. Legacy `identityKey`: 33 bytes.
    pub identity_key: Vec<u8>,
    /// Id of the signed prekey.
    pub signed_pre_key_id: u32,
    /// The signed prekey, 32 or 33 bytes.
    pub signed_pre_key: Vec<u8>,
    /// Its signature, 64 bytes.
    pub signature: Vec<u8>,
    /// Prekeys with their ids, each 32 or 33 bytes.
    pub pre_keys: Vec<(u32, Vec<u8>)>,
}

impl Bundle {
    /// The same as another device sees it.
    #[must_use]
    pub fn into_unverified(self, address: DeviceAddress) -> UnverifiedBundle {
        UnverifiedBundle {
            version: self.version,
            address,
            identity_key: self.identity_key,
            signed_pre_key_id: self.signed_pre_key_id,
            signed_pre_key: self.signed_pre_key,
            signature: self.signature,
            pre_keys: self.pre_keys,
        }
    }
}

/// What a key looks like in an error of the legacy encoding: its type byte.
pub(crate) fn strip_type_byte(bytes: &[u8]) -> Result<&[u8], KeyError> {
    match bytes.split_first() {
        Some((0x05, rest)) if bytes.len() == 33 => Ok(rest),
        Some((found, _)) if bytes.len() == 33 => Err(KeyError::WrongType { found: *found }),
        _ => Err(KeyError::WrongLength { found: bytes.len() }),
    }
}
