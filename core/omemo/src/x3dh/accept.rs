//! Bob's side.

use super::shared_secret;
use crate::key::{NonContributory, PreKeyPair, SignedPreKeyPair};
use crate::profile::Labels;
use crate::session::RootKey;
use crate::{IdentityKey, IdentityKeyPair, PublicKey};

/// The private halves of what Bob has published.
pub(crate) struct OurKeys<'a> {
    pub(crate) identity: &'a IdentityKeyPair,
    pub(crate) signed_pre_key: &'a SignedPreKeyPair,
    pub(crate) pre_key: &'a PreKeyPair,
}

/// What Alice has sent.
pub(crate) struct TheirExchange<'a> {
    pub(crate) identity: &'a IdentityKey,
    pub(crate) ephemeral: &'a PublicKey,
}

impl OurKeys<'_> {
    /// `SK` as Bob computes it.
    pub(crate) fn accept(
        &self,
        labels: &Labels,
        theirs: &TheirExchange<'_>,
    ) -> Result<RootKey, NonContributory> {
        let signed_pre_key = self.signed_pre_key.pair();
        Ok(shared_secret(
            labels,
            &[
                signed_pre_key.agree(theirs.identity.curve25519())?,
                self.identity.pair().agree(theirs.ephemeral)?,
                signed_pre_key.agree(theirs.ephemeral)?,
                self.pre_key.pair().agree(theirs.ephemeral)?,
            ],
        ))
    }
}
