//! Taking the lease.

use std::time::{Duration, Instant};

use rusqlite::{Transaction, params};

use super::Store;
use crate::batch::Durability;
use crate::cipher_provider::enter;
use crate::error::StoreError;
use crate::lease::{Generation, Generations, Lease, LeaseError, LeaseFile, Rollback};
use crate::read;
use crate::secret::{SecretName, SecretStore, generation};

/// How long to wait before asking again for a lease that is held. A dead holder's is free at once,
/// a frozen one's within a second.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(10);

impl Store {
    /// Takes the lease, waiting up to `wait` for another holder to give it back, die or freeze; zero
    /// asks once. From then on this store can [`commit`](Store::commit) only while the lease is held. What
    /// the caller remembers of engine records and stream is from before it, and is read anew.
    ///
    /// The [`Generation`] grows: first `pending` in the database, then the number that `secrets`
    /// keeps beside the key, then `current` in the database; so a copy of the database that is put
    /// back later is told from the original. The second and third write are one transaction: `secrets`
    /// is called with the database's write lock held, and must not call back into this store.
    ///
    /// # Errors
    /// [`LeaseError::Held`] at the end of the wait; [`LeaseError::RolledBack`] if the database is an older
    /// copy; else by cause. The database's generation may have grown.
    pub fn take_lease(
        &self,
        secrets: &dyn SecretStore,
        name: &SecretName,
        wait: Duration,
    ) -> Result<Lease, LeaseError> {
        self.wait_for_lease(wait, || self.try_lease(secrets, name, Rule::Refuse))
    }

    /// Takes the lease of a database that is an older copy of itself, see [`Rollback`]. The
    /// database remembers it, and every [`Store::take_lease`] is refused, until a batch with
    /// [`Batch::finish_rollback`](crate::Batch::finish_rollback) is committed: together with the
    /// records that make old sessions receive-only and prekeys new. Of a database that is none, this is
    /// [`Store::take_lease`].
    ///
    /// # Errors
    /// As [`Store::take_lease`], except [`LeaseError::RolledBack`].
    pub fn take_lease_after_rollback(
        &self,
        secrets: &dyn SecretStore,
        name: &SecretName,
        wait: Duration,
    ) -> Result<Lease, LeaseError> {
        self.wait_for_lease(wait, || self.try_lease(secrets, name, Rule::Remember))
    }

    /// Whether the database is an older copy of itself, compared with what `secrets` keeps, or was found
    /// to be one earlier and is not recovered. To be asked after opening.
    ///
    /// # Errors
    /// [`LeaseError::SecretStore`], [`LeaseError::Store`].
    pub fn rollback(
        &self,
        secrets: &dyn SecretStore,
        name: &SecretName,
    ) -> Result<Option<Rollback>, LeaseError> {
        loop {
            let before = self.generations()?;
            let secret = generation::load(secrets, name).map_err(LeaseError::SecretStore)?;
            // Another process may be taking the lease: only a pair that stood at one time says something.
            if self.generations()? == before {
                return Ok(before.check(secret).err());
            }
        }
    }

    /// The newest generation of which the database knows.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn generation(&self) -> Result<Generation, StoreError> {
        Ok(Generation::new(self.generations()?.pending))
    }

    fn generations(&self) -> Result<Generations, StoreError> {
        self.readers.read(read::generations)
    }

    fn wait_for_lease(
        &self,
        wait: Duration,
        attempt: impl Fn() -> Result<Lease, LeaseError>,
    ) -> Result<Lease, LeaseError> {
        let begun = Instant::now();
        loop {
            match attempt() {
                Err(LeaseError::Held | LeaseError::Store(StoreError::Busy))
                    if begun.elapsed() < wait =>
                {
                    std::thread::sleep(ASK_AGAIN_AFTER);
                }
                other => return other,
            }
        }
    }

    fn try_lease(
        &self,
        secrets: &dyn SecretStore,
        name: &SecretName,
        rule: Rule,
    ) -> Result<Lease, LeaseError> {
        let _inside = enter()?;
        self.writer.with(|state, fence| {
            // The file's lock is this store's own, and would look free.
            if fence.is_held() {
                return Err(LeaseError::Held);
            }
            let lease = state.transaction(Durability::Full, |transaction| {
                begin(transaction, &self.lease_file, secrets, name, rule)
            })?;
            let holding = lease.holding();
            // Not `Full`: a power failure that takes it back leaves what was before it, which is good.
            state.transaction(Durability::Deferred, |transaction| {
                holding.renew()?;
                let newest = read::generations(transaction)?.pending;
                if newest != holding.generation() {
                    return Err(LeaseError::Lost);
                }
                generation::store(secrets, name, newest).map_err(LeaseError::SecretStore)?;
                transaction.execute(
                    "UPDATE account SET generation = ?1",
                    params![newest.cast_signed()],
                )?;
                Ok(())
            })?;
            fence.hold(holding);
            Ok(lease)
        })
    }
}

/// What to do with an older copy.
#[derive(Clone, Copy)]
enum Rule {
    Refuse,
    Remember,
}

/// The first of the three writes, and the claim in the file.
fn begin(
    transaction: &Transaction<'_>,
    file: &LeaseFile,
    secrets: &dyn SecretStore,
    name: &SecretName,
    rule: Rule,
) -> Result<Lease, LeaseError> {
    let (lease, ()) = file.claim(|| {
        let found = read::generations(transaction)?;
        // Read inside the transaction: nobody else is between the second and third write.
        let secret = generation::load(secrets, name).map_err(LeaseError::SecretStore)?;
        let rolled_back_from = match (found.check(secret), rule) {
            (Ok(()), _) => None,
            (Err(rollback), Rule::Refuse) => return Err(LeaseError::RolledBack(rollback)),
            (Err(rollback), Rule::Remember) => Some(rollback.database.as_u64()),
        };
        let next = found.next(secret);
        transaction.execute(
            "UPDATE account SET generation = ?1, pending_generation = ?2, rolled_back_from = ?3",
            params![
                secret.unwrap_or(0).cast_signed(),
                next.cast_signed(),
                rolled_back_from.map(u64::cast_signed),
            ],
        )?;
        Ok((next, ()))
    })?;
    Ok(lease)
}
