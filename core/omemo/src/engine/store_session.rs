//! Where sessions go: current and archived.

use eft_types::DeviceAddress;

use super::Step;
use crate::session::{ArchivedSession, OldChains, Session};
use crate::{RecordKey, StepError, Version};

/// The rows that [`replace`] reads: the current session, its old chains, and the archive.
pub(super) fn rows(address: &DeviceAddress, version: Version) -> [RecordKey; 3] {
    let address = || address.clone();
    [
        RecordKey::Session {
            address: address(),
            version,
        },
        RecordKey::OldChains {
            address: address(),
            version,
        },
        RecordKey::ArchivedSessions {
            address: address(),
            version,
        },
    ]
}

/// Makes a session the current one; the former goes to the archive with its chains.
pub(super) fn replace(
    step: &mut Step<'_>,
    address: &DeviceAddress,
    version: Version,
    session: Session,
    old_chains: OldChains,
) -> Result<(), StepError> {
    let [session_key, chains_key, archive_key] = rows(address, version);
    if let Some(former) = step.session(address, version)?.cloned() {
        let mut archive = step.archived_sessions(address, version)?;
        let its_chains = step.old_chains(address, version)?;
        if !its_chains.is_empty() {
            step.delete(chains_key.clone());
        }
        archive.push(ArchivedSession {
            session: former,
            old_chains: its_chains,
        });
        step.put(archive_key, archive);
    }
    if !old_chains.is_empty() {
        step.put(chains_key, old_chains);
    }
    step.put(session_key, session);
    Ok(())
}
