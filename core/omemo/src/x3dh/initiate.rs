//! Alice's side.

use super::shared_secret;
use crate::key::{EphemeralKeyPair, NonContributory};
use crate::profile::Labels;
use crate::session::RootKey;
use crate::{IdentityKey, IdentityKeyPair, PublicKey};

/// What Alice brings.
pub(crate) struct OurExchange<'a> {
    pub(crate) identity: &'a IdentityKeyPair,
    pub(crate) ephemeral: &'a EphemeralKeyPair,
}

/// What Bob has published.
pub(crate) struct TheirKeys<'a> {
    pub(crate) identity: &'a IdentityKey,
    pub(crate) signed_pre_key: &'a PublicKey,
    pub(crate) pre_key: &'a PublicKey,
}

impl OurExchange<'_> {
    /// `SK` as Alice computes it.
    pub(crate) fn initiate(
        &self,
        labels: &Labels,
        theirs: &TheirKeys<'_>,
    ) -> Result<RootKey, NonContributory> {
        let ephemeral = self.ephemeral.pair();
        Ok(shared_secret(
            labels,
            &[
                self.identity.pair().agree(theirs.signed_pre_key)?,
                ephemeral.agree(theirs.identity.curve25519())?,
                ephemeral.agree(theirs.signed_pre_key)?,
                ephemeral.agree(theirs.pre_key)?,
            ],
        ))
    }
}
