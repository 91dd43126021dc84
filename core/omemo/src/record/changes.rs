//! What a step wants written.

use std::collections::BTreeMap;
use std::collections::btree_map;

use super::{Record, RecordKey};

/// Records to write or delete, each at most once, in the order of their keys. The newest wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a step has happened only once its changes are committed"]
pub struct Changes(BTreeMap<RecordKey, Option<Record>>);

impl Changes {
    /// Nothing.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Writes a record.
    pub fn put(&mut self, key: RecordKey, record: impl Into<Record>) {
        self.0.insert(key, Some(record.into()));
    }

    /// Deletes a record.
    pub fn delete(&mut self, key: RecordKey) {
        self.0.insert(key, None);
    }

    /// What is to become of a record: `None` if it is not touched, `Some(None)` if it is deleted.
    #[must_use]
    pub fn lookup(&self, key: &RecordKey) -> Option<Option<&Record>> {
        self.0.get(key).map(Option::as_ref)
    }

    /// Adds later changes to these.
    pub fn merge(&mut self, later: Self) {
        self.0.extend(later.0);
    }

    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many records are touched.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Every touched record; `None` is a deletion.
    pub fn iter(&self) -> impl Iterator<Item = (&RecordKey, Option<&Record>)> {
        self.0.iter().map(|(key, record)| (key, record.as_ref()))
    }
}

impl IntoIterator for Changes {
    type Item = (RecordKey, Option<Record>);
    type IntoIter = btree_map::IntoIter<RecordKey, Option<Record>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(RecordKey, Option<Record>)> for Changes {
    fn from_iter<I: IntoIterator<Item = (RecordKey, Option<Record>)>>(changes: I) -> Self {
        Self(changes.into_iter().collect())
    }
}
