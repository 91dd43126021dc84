//! The caller's view of its store.

use std::collections::{BTreeSet, HashMap};

use super::{Changes, Record, RecordKey};

/// Records that a step needs and that nobody has loaded yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} records are not loaded", .0.len())]
pub struct Missing(pub Vec<RecordKey>);

/// A read-through view of the store: for each key it knows the record, knows that there is none, or
/// does not know. It also remembers which records were changed since the last commit.
///
/// Typical use: [`Records::insert_loaded`] what a step asks for, [`Records::apply`] what it returns,
/// then commit [`Records::take_changes`]. If the commit fails, throw the whole view away.
#[derive(Clone, Debug, Default)]
pub struct Records {
    known: HashMap<RecordKey, Option<Record>>,
    dirty: BTreeSet<RecordKey>,
}

impl Records {
    /// A view that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a record; `Ok(None)` if the store has none.
    ///
    /// # Errors
    /// [`Missing`] with this key if it was never loaded.
    pub fn read(&self, key: &RecordKey) -> Result<Option<&Record>, Missing> {
        match self.known.get(key) {
            Some(record) => Ok(record.as_ref()),
            None => Err(Missing(vec![key.clone()])),
        }
    }

    /// Whether a record, or its absence, is known.
    #[must_use]
    pub fn is_loaded(&self, key: &RecordKey) -> bool {
        self.known.contains_key(key)
    }

    /// Takes what the store holds under a key. A version changed since the last commit is newer and stays.
    pub fn insert_loaded(&mut self, key: RecordKey, record: Option<Record>) {
        if !self.dirty.contains(&key) {
            self.known.insert(key, record);
        }
    }

    /// Takes the effects of a step, so that the next step sees them.
    pub fn apply(&mut self, changes: Changes) {
        for (key, record) in changes {
            self.dirty.insert(key.clone());
            self.known.insert(key, record);
        }
    }

    /// Everything changed since the last call, for one commit. The view keeps the records.
    pub fn take_changes(&mut self) -> Changes {
        core::mem::take(&mut self.dirty)
            .into_iter()
            .filter_map(|key| {
                let record = self.known.get(&key)?.clone();
                Some((key, record))
            })
            .collect()
    }

    /// Whether something waits for a commit.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Number of records and absences known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Every name that is known to name a record, or none.
    #[cfg(test)]
    pub(crate) fn loaded_keys(&self) -> impl Iterator<Item = &RecordKey> {
        self.known.keys()
    }

    /// Forgets everything that is not waiting for a commit, to bound memory.
    pub fn forget_clean(&mut self) {
        let dirty = &self.dirty;
        self.known.retain(|key, _| dirty.contains(key));
    }
}
