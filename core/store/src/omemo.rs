//! All that this crate takes from the engine: names and encodings of what it stores, and what an export carries
//! from one installation to the next.

pub(crate) use eft_omemo::{Action, Changes, Record, RecordKey, RecordKind, Records};
pub(crate) use eft_omemo::{
    DistrustedBy, Fingerprint, IdentityKey, IdentitySecret, KnownDevice, KnownKey, StepError,
    TrustDecisions, TrustLevel, VerifiedBy, identity_secret, known_device, restore_device,
    restore_trust, trust_decisions,
};
