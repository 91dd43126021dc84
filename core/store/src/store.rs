//! The store: one database, one account.

use std::path::{Path, PathBuf};
use std::time::Duration;

use eft_types::{BareJid, DeviceAddress, MessageId, OriginId, Jid};

use crate::batch::{Batch, Durability};
use crate::committed::Committed;
use crate::error::{OpenError, StoreError};
use crate::key::StoreKey;
use crate::model::{
    Account, ArchiveCursor, ArchiveId, Conversation, ConversationSummary, DeviceEvent, Message,
    OutboxEntry, OutboxId, RetryTrigger, StreamState, TimelineKey,
};
use crate::omemo::{Action, Record, RecordKey, RecordKind};
use crate::secret::{SecretName, SecretStore};

/// How a store uses the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Page cache of each connection, in KiB.
    pub cache_kib: u32,
    /// Most connections for reading, beside the one that writes. At least 1.
    pub reader_count: usize,
    /// How long to wait for another process's write lock.
    pub busy_timeout: Duration,
}

/// One database. Cheap to share behind an `Arc`; every method may block for the disk.
pub struct Store {
    path: PathBuf,
}

impl Store {
    pub fn create(path: &Path, key: &StoreKey, own: &BareJid, options: &StoreOptions) -> Result<Self, OpenError> { todo!() }
    pub fn open(path: &Path, key: &StoreKey, options: &StoreOptions) -> Result<Self, OpenError> { todo!() }
    pub fn create_with_secret(path: &Path, secrets: &dyn SecretStore, name: &SecretName, own: &BareJid, options: &StoreOptions) -> Result<Self, OpenError> { todo!() }
    pub fn open_with_secret(path: &Path, secrets: &dyn SecretStore, name: &SecretName, options: &StoreOptions) -> Result<Self, OpenError> { todo!() }
    pub fn close(self) -> Result<(), StoreError> { todo!() }
    pub fn commit(&self, batch: &Batch, durability: Durability) -> Result<Committed, StoreError> { todo!() }
    pub fn sync(&self) -> Result<(), StoreError> { todo!() }
    pub fn load(&self, keys: &[RecordKey]) -> Result<Vec<(RecordKey, Option<Record>)>, StoreError> { todo!() }
    pub fn scan(&self, kind: RecordKind, prefix: &[u8]) -> Result<Vec<(RecordKey, Record)>, StoreError> { todo!() }
    pub fn account(&self) -> Result<Account, StoreError> { todo!() }
    pub fn conversation(&self, peer: &BareJid) -> Result<Option<Conversation>, StoreError> { todo!() }
    pub fn conversations(&self) -> Result<Vec<ConversationSummary>, StoreError> { todo!() }
    pub fn timeline(&self, peer: &BareJid, before: Option<TimelineKey>, limit: usize) -> Result<Vec<Message>, StoreError> { todo!() }
    pub fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> { todo!() }
    pub fn message_by_archive_id(&self, id: &ArchiveId) -> Result<Option<Message>, StoreError> { todo!() }
    pub fn message_by_origin_id(&self, peer: &BareJid, sender: &Jid, id: &OriginId) -> Result<Option<Message>, StoreError> { todo!() }
    /// `device: None` = of every device. oldest row first, ids above `after`.
    pub fn waiting(&self, trigger: RetryTrigger, device: Option<&DeviceAddress>, after: Option<MessageId>, limit: usize) -> Result<Vec<Message>, StoreError> { todo!() }
    pub fn outbox(&self, after: Option<OutboxId>, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> { todo!() }
    pub fn actions(&self) -> Result<Vec<Action>, StoreError> { todo!() }
    pub fn archive_cursor(&self, archive: &BareJid) -> Result<Option<ArchiveCursor>, StoreError> { todo!() }
    pub fn archive_cursors(&self) -> Result<Vec<ArchiveCursor>, StoreError> { todo!() }
    pub fn stream(&self) -> Result<Option<StreamState>, StoreError> { todo!() }
    pub fn device_log(&self, jid: Option<&BareJid>, limit: usize) -> Result<Vec<DeviceEvent>, StoreError> { todo!() }
}
