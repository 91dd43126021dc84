//! Stand-in for the record types of `eft-omemo` while that crate is being written.
#![allow(missing_docs)]
use std::collections::BTreeMap;
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RecordKind {
    Account = 1,
    Session = 8,
}
impl RecordKind {
    pub const fn as_u8(self) -> u8 {
        self as u8
    }
    pub fn from_u8(n: u8) -> Option<Self> {
        match n {
            1 => Some(Self::Account),
            8 => Some(Self::Session),
            _ => None,
        }
    }
}
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey(RecordKind, Vec<u8>);
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes name no record of kind {kind:?}")]
pub struct RecordKeyError {
    pub kind: RecordKind,
}
impl RecordKey {
    pub const fn kind(&self) -> RecordKind {
        self.0
    }
    pub fn to_bytes(&self) -> Vec<u8> {
        self.1.clone()
    }
    pub fn from_bytes(kind: RecordKind, bytes: &[u8]) -> Result<Self, RecordKeyError> {
        Ok(Self(kind, bytes.to_vec()))
    }
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record(pub Vec<u8>);
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no record")]
pub struct RecordError;
impl Record {
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.clone())
    }
    pub fn decode(_kind: RecordKind, bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.is_empty() {
            Err(RecordError)
        } else {
            Ok(Self(bytes.to_vec()))
        }
    }
}
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(BTreeMap<RecordKey, Option<Record>>);
impl Changes {
    pub fn put(&mut self, key: RecordKey, record: impl Into<Record>) {
        self.0.insert(key, Some(record.into()));
    }
    pub fn delete(&mut self, key: RecordKey) {
        self.0.insert(key, None);
    }
    pub fn merge(&mut self, later: Self) {
        self.0.extend(later.0);
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn iter(&self) -> impl Iterator<Item = (&RecordKey, Option<&Record>)> {
        self.0.iter().map(|(key, record)| (key, record.as_ref()))
    }
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action(pub Vec<u8>, pub Vec<u8>);
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no action")]
pub struct ActionError;
impl Action {
    pub fn key(&self) -> Vec<u8> {
        self.0.clone()
    }
    pub fn encode(&self) -> Vec<u8> {
        let mut v = vec![self.0.len() as u8];
        v.extend(&self.0);
        v.extend(&self.1);
        v
    }
    pub fn decode(b: &[u8]) -> Result<Self, ActionError> {
        let (n, rest) = b.split_first().ok_or(ActionError)?;
        let (k, v) = rest.split_at_checked(*n as usize).ok_or(ActionError)?;
        Ok(Self(k.to_vec(), v.to_vec()))
    }
}
