//! Who may receive content.

use eft_types::{BareJid, DeviceAddress, Timestamp};

use super::{KnownKey, TrustLevel, TrustRecord};
use crate::engine::Step;
use crate::{Changes, Fingerprint, RecordKey, Records, StepError};

/// The user's choice of strictness.
///
/// Source: XEP-0384 §8, and XEP-0450 for blind trust.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TrustPolicy {
    /// Trusts every key of an account until the first one is authenticated; keys seen later wait for a
    /// decision. Nobody is asked anything before they care.
    #[default]
    BlindTrustBeforeVerification,
    /// The user decides about every key; consent is enough.
    AskAlways,
    /// Only authenticated keys.
    VerifiedOnly,
}

impl TrustPolicy {
    /// Whether a key of this level may receive content.
    #[must_use]
    pub const fn allows(self, level: TrustLevel) -> bool {
        match (self, level) {
            (_, TrustLevel::Undecided | TrustLevel::Distrusted { .. }) => false,
            (Self::BlindTrustBeforeVerification, TrustLevel::BlindlyTrusted) => true,
            (Self::AskAlways | Self::VerifiedOnly, TrustLevel::BlindlyTrusted) => false,
            (Self::VerifiedOnly, TrustLevel::Verified { by }) => by.authenticates(),
            (Self::BlindTrustBeforeVerification | Self::AskAlways, TrustLevel::Verified { .. }) => {
                true
            }
        }
    }
}

/// Proof that the policy lets content go to this device and this key. Only [`permit`] makes one, and
/// [`encrypt`](crate::encrypt) takes nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TrustedDevice {
    address: DeviceAddress,
    fingerprint: Fingerprint,
}

impl TrustedDevice {
    /// The device.
    #[must_use]
    pub const fn address(&self) -> &DeviceAddress {
        &self.address
    }

    /// Its key, as it was when the policy was asked.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

/// Why content may not go to a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTrusted {
    /// Records are needed, or broken.
    #[error(transparent)]
    Step(#[from] StepError),
    /// Its identity key is not known yet: fetch its bundle and [`initiate`](crate::initiate) first.
    #[error("the key of {address} is not known yet")]
    UnknownDevice {
        /// The device.
        address: DeviceAddress,
    },
    /// The policy wants more than the user has decided so far.
    #[error("the key of {address} is not trusted enough")]
    Refused {
        /// The device.
        address: DeviceAddress,
        /// Its key.
        fingerprint: Fingerprint,
        /// What is thought of it.
        level: TrustLevel,
    },
}

/// Asks the policy whether content may go to a device.
///
/// # Errors
/// [`NotTrusted`].
pub fn permit(
    policy: TrustPolicy,
    records: &Records,
    address: &DeviceAddress,
) -> Result<TrustedDevice, NotTrusted> {
    let step = Step::new(records);
    step.require([
        RecordKey::Device(address.clone()),
        RecordKey::Trust(address.jid.clone()),
    ])?;
    let Some(device) = step.device(address)? else {
        return Err(NotTrusted::UnknownDevice {
            address: address.clone(),
        });
    };
    let fingerprint = device.identity.fingerprint();
    let level = level_of(&step, &address.jid, fingerprint)?;
    if policy.allows(level) {
        Ok(TrustedDevice {
            address: address.clone(),
            fingerprint,
        })
    } else {
        Err(NotTrusted::Refused {
            address: address.clone(),
            fingerprint,
            level,
        })
    }
}

/// What is thought of a key.
///
/// # Errors
/// [`StepError::Missing`] if the account's trust record is not loaded.
pub fn trust_level(
    records: &Records,
    jid: &BareJid,
    fingerprint: Fingerprint,
) -> Result<TrustLevel, StepError> {
    level_of(&Step::new(records), jid, fingerprint)
}

/// Every key ever seen for an account, with what is thought of it, the oldest first.
///
/// # Errors
/// [`StepError::Missing`] if the account's trust record is not loaded.
pub fn known_keys(records: &Records, jid: &BareJid) -> Result<Vec<KnownKey>, StepError> {
    Ok(Step::new(records)
        .trust(jid)?
        .map(|trust| trust.keys.clone())
        .unwrap_or_default())
}

/// Carries out a decision about a key, which need not have been seen yet: a scanned code may come first.
///
/// # Errors
/// [`StepError::Missing`] if the account's trust record is not loaded.
pub fn set_trust(
    records: &Records,
    jid: &BareJid,
    fingerprint: Fingerprint,
    level: TrustLevel,
    now: Timestamp,
) -> Result<Changes, StepError> {
    let mut step = Step::new(records);
    let mut trust = step.trust(jid)?.cloned().unwrap_or_default();
    trust.set(fingerprint, level, now);
    step.put(RecordKey::Trust(jid.clone()), trust);
    Ok(step.into_changes())
}

pub(crate) fn level_of(
    step: &Step<'_>,
    jid: &BareJid,
    fingerprint: Fingerprint,
) -> Result<TrustLevel, StepError> {
    Ok(step.trust(jid)?.map_or_else(
        || TrustRecord::default().level(fingerprint),
        |trust| trust.level(fingerprint),
    ))
}
