//! Trust in identity keys: levels with their reason, and the policy that turns them into a
//! [`TrustedDevice`]. Trust is bound to account and key, so it holds for both OMEMO versions.

mod decisions;
mod level;
mod policy;
mod record;

pub use decisions::{TrustDecisions, restore_trust, trust_decisions};
pub use level::{DistrustedBy, TrustLevel, VerifiedBy};
pub(crate) use policy::level_of;
pub use policy::{
    NotTrusted, TrustPolicy, TrustedDevice, known_keys, permit, set_trust, trust_level,
};
pub use record::KnownKey;
pub(crate) use record::TrustRecord;
