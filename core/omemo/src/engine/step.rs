//! One step in progress: records as the step sees them, and what it has done so far.

use eft_types::{BareJid, DeviceAddress, Timestamp};

use crate::record::{AccountRecord, DeviceListRecord, DeviceRecord, PreKeysRecord, Stored};
use crate::session::{ArchivedSessions, OldChains, Session, SkippedKeys};
use crate::trust::TrustRecord;
use crate::{
    Action, Changes, Effects, Event, IdentityKey, Record, RecordKey, Records, StepError, Version,
};

/// Reads go through what the step itself has changed to what the caller has loaded.
pub(crate) struct Step<'a> {
    records: &'a Records,
    changes: Changes,
    actions: Vec<Action>,
    events: Vec<Event>,
}

impl<'a> Step<'a> {
    pub(crate) const fn new(records: &'a Records) -> Self {
        Self {
            records,
            changes: Changes::new(),
            actions: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Asks for several records at once, so that the caller loads them at once.
    pub(crate) fn require(
        &self,
        keys: impl IntoIterator<Item = RecordKey>,
    ) -> Result<(), StepError> {
        let missing: Vec<_> = keys
            .into_iter()
            .filter(|key| self.changes.lookup(key).is_none() && !self.records.is_loaded(key))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(StepError::Missing(missing))
        }
    }

    pub(crate) fn read<T: Stored>(&self, key: &RecordKey) -> Result<Option<&T>, StepError> {
        let record = match self.changes.lookup(key) {
            Some(changed) => changed,
            None => self.records.read(key)?,
        };
        record
            .map(|record| T::from_body(&record.0).ok_or_else(|| StepError::Damaged(key.clone())))
            .transpose()
    }

    /// Reads a record that must exist.
    pub(crate) fn read_own<T: Stored>(&self, key: &RecordKey) -> Result<&T, StepError> {
        self.read(key)?
            .ok_or_else(|| StepError::Damaged(key.clone()))
    }

    pub(crate) fn account(&self) -> Result<&AccountRecord, StepError> {
        self.read(&RecordKey::Account)?
            .ok_or(StepError::NotInstalled)
    }

    pub(crate) fn own_address(&self) -> Result<DeviceAddress, StepError> {
        self.account()?
            .address()
            .ok_or(StepError::Damaged(RecordKey::Account))
    }

    pub(crate) fn pre_keys(&self, version: Version) -> Result<&PreKeysRecord, StepError> {
        self.read_own(&RecordKey::PreKeys { version })
    }

    pub(crate) fn device(
        &self,
        address: &DeviceAddress,
    ) -> Result<Option<&DeviceRecord>, StepError> {
        self.read(&RecordKey::Device(address.clone()))
    }

    pub(crate) fn device_list(
        &self,
        jid: &BareJid,
        version: Version,
    ) -> Result<Option<&DeviceListRecord>, StepError> {
        self.read(&RecordKey::DeviceList {
            jid: jid.clone(),
            version,
        })
    }

    pub(crate) fn trust(&self, jid: &BareJid) -> Result<Option<&TrustRecord>, StepError> {
        self.read(&RecordKey::Trust(jid.clone()))
    }

    pub(crate) fn session(
        &self,
        address: &DeviceAddress,
        version: Version,
    ) -> Result<Option<&Session>, StepError> {
        self.read(&RecordKey::Session {
            address: address.clone(),
            version,
        })
    }

    pub(crate) fn old_chains(
        &self,
        address: &DeviceAddress,
        version: Version,
    ) -> Result<OldChains, StepError> {
        Ok(self
            .read::<OldChains>(&RecordKey::OldChains {
                address: address.clone(),
                version,
            })?
            .cloned()
            .unwrap_or_default())
    }

    pub(crate) fn archived_sessions(
        &self,
        address: &DeviceAddress,
        version: Version,
    ) -> Result<ArchivedSessions, StepError> {
        Ok(self
            .read::<ArchivedSessions>(&RecordKey::ArchivedSessions {
                address: address.clone(),
                version,
            })?
            .cloned()
            .unwrap_or_default())
    }

    pub(crate) fn skipped_keys(
        &self,
        address: &DeviceAddress,
        version: Version,
    ) -> Result<SkippedKeys, StepError> {
        Ok(self
            .read::<SkippedKeys>(&RecordKey::SkippedKeys {
                address: address.clone(),
                version,
            })?
            .cloned()
            .unwrap_or_default())
    }

    pub(crate) fn put(&mut self, key: RecordKey, record: impl Into<Record>) {
        self.changes.put(key, record);
    }

    pub(crate) fn delete(&mut self, key: RecordKey) {
        self.changes.delete(key);
    }

    pub(crate) fn act(&mut self, action: Action) {
        if !self.actions.contains(&action) {
            self.actions.push(action);
        }
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Takes note of a device's identity key; the caller has made sure that it is no other than the one
    /// known. A key seen for the first time gets its trust level now, because blind trust depends on what
    /// was verified before.
    pub(crate) fn see_identity(
        &mut self,
        address: &DeviceAddress,
        identity: &IdentityKey,
        now: Timestamp,
    ) -> Result<(), StepError> {
        let known = self.device(address)?;
        let first_seen = known.map_or(now, |device| device.first_seen);
        let ed25519_is_new = known.is_some_and(|device| device.identity.ed25519().is_none())
            && identity.ed25519().is_some();
        if known.is_none() || ed25519_is_new {
            self.put(
                RecordKey::Device(address.clone()),
                DeviceRecord {
                    identity: *identity,
                    first_seen,
                },
            );
        }
        let fingerprint = identity.fingerprint();
        let mut trust = self.trust(&address.jid)?.cloned().unwrap_or_default();
        if let Some(level) = trust.see(fingerprint, now) {
            self.put(RecordKey::Trust(address.jid.clone()), trust);
            self.tell(Event::KeyAppeared {
                address: address.clone(),
                fingerprint,
                level,
            });
        }
        Ok(())
    }

    pub(crate) fn into_changes(self) -> Changes {
        self.changes
    }

    pub(crate) fn into_effects(self) -> Effects {
        Effects {
            changes: self.changes,
            actions: self.actions,
            events: self.events,
        }
    }
}
