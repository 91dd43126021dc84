//! Who this device is.

use eft_omemo::{
    Fingerprint, IdentitySecret, RecordKey, install_imported, own_address, own_fingerprint,
};
use eft_store::{Credential, Durability, Store};
use eft_types::{BareJid, DeviceId};

use crate::clock;
use crate::error::Error;
use crate::unit::Unit;

/// What of the identity is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) device_id: DeviceId,
    pub(crate) fingerprint: Fingerprint,
}

/// Whether a database has an identity. One without was left by a process that died while making it.
pub(crate) fn is_installed(store: &Store) -> Result<bool, Error> {
    let loaded = store.load(&[RecordKey::Account])?;
    Ok(loaded.iter().any(|(_, record)| record.is_some()))
}

/// Makes device id and prekeys, and an identity key unless one is taken over, and keeps the credential: one commit. What was
/// decided about keys before, by an import, stays. Which ids the account's other devices have is not known yet; a clash
/// (one in 2³¹ per device) shows when the own list is fetched.
pub(crate) fn install_new(
    store: &Store,
    own: &BareJid,
    identity: Option<&IdentitySecret>,
    credential: Credential,
) -> Result<(), Error> {
    let mut unit = Unit::begin(store, clock::now());
    let now = unit.now;
    let mut rng = clock::rng()?;
    let effects = unit
        .step(|records| install_imported(records, own, identity.cloned(), &[], now, &mut rng))?
        .map_err(|error| Error::bug(error.to_string()))?;
    unit.absorb(effects.changes, effects.actions, effects.events);
    unit.batch.set_credential(Some(credential));
    unit.commit(Durability::Full)?;
    Ok(())
}

/// Reads the identity.
pub(crate) fn load(store: &Store) -> Result<Identity, Error> {
    let mut unit = Unit::begin(store, clock::now());
    Ok(Identity {
        device_id: unit.sure_step(own_address)?.device,
        fingerprint: unit.sure_step(own_fingerprint)?,
    })
}
