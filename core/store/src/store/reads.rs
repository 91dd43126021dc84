//! The reads, typed. Each sees one state of the database, the newest when it starts.

use eft_types::{BareJid, DeviceAddress, Jid, MessageId, OriginId};

use super::Store;
use crate::error::StoreError;
use crate::model::{
    Account, ArchiveCursor, ArchiveId, Conversation, ConversationSummary, DeviceEvent, IntakeEntry,
    IntakeId, Message, OlderHistory, Opaque, OutboxEntry, OutboxId, RetryTrigger, StreamState,
    TimelineKey, TimelineSlice,
};
use crate::omemo::{Action, Record, RecordKey, RecordKind};
use crate::read;

/// What the engine and the client read. Limits are capped at
/// [`MAX_PAGE_ROWS`](crate::limits::MAX_PAGE_ROWS).
impl Store {
    /// Loads engine records by name, in the order asked; `None` for one that does not exist.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Damaged`] if a record cannot be decoded.
    pub fn load(&self, keys: &[RecordKey]) -> Result<Vec<(RecordKey, Option<Record>)>, StoreError> {
        self.read(|connection| read::load(connection, keys))
    }

    /// Loads every engine record of a kind whose name starts with `prefix`, in the order of names.
    /// The empty prefix takes all of the kind.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Damaged`] if a record cannot be decoded.
    pub fn scan(
        &self,
        kind: RecordKind,
        prefix: &[u8],
    ) -> Result<Vec<(RecordKey, Record)>, StoreError> {
        self.read(|connection| read::scan(connection, kind, prefix))
    }

    /// The account, with its credential.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn account(&self) -> Result<Account, StoreError> {
        self.read(read::account)
    }

    /// One conversation; `None` if it was never mentioned.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn conversation(&self, peer: &BareJid) -> Result<Option<Conversation>, StoreError> {
        self.read(|connection| read::conversation(connection, peer))
    }

    /// Every conversation with its newest message and its number of unread ones, the latest
    /// first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn conversations(&self) -> Result<Vec<ConversationSummary>, StoreError> {
        self.read(read::conversations)
    }

    /// A page of a conversation, newest first: what stands before `before`, or the end of the
    /// conversation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn timeline(
        &self,
        peer: &BareJid,
        before: Option<TimelineKey>,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        self.read(|connection| read::timeline(connection, peer, before, limit))
    }

    /// The same, with the places where messages are known to be missing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn timeline_slice(
        &self,
        peer: &BareJid,
        before: Option<TimelineKey>,
        limit: usize,
    ) -> Result<TimelineSlice, StoreError> {
        self.read(|connection| read::timeline_slice(connection, peer, before, limit))
    }

    /// One message by its row.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.read(|connection| read::by_id(connection, id))
    }

    /// The message that an archive gave this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn message_by_archive_id(&self, id: &ArchiveId) -> Result<Option<Message>, StoreError> {
        self.read(|connection| read::by_archive_id(connection, id))
    }

    /// The message that `sender` gave this id in the conversation with `peer`. For a receipt or an
    /// error about a message of ours, `sender` is our own address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn message_by_origin_id(
        &self,
        peer: &BareJid,
        sender: &Jid,
        id: &OriginId,
    ) -> Result<Option<Message>, StoreError> {
        self.read(|connection| read::by_origin_id(connection, peer, sender, id))
    }

    /// Unreadable messages that wait for `trigger`, of one device or of all, in the order of rows;
    /// `after` continues a page. Their order of decryption is the engine's to decide.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn waiting(
        &self,
        trigger: RetryTrigger,
        device: Option<&DeviceAddress>,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        self.read(|connection| read::waiting(connection, trigger, device, after, limit))
    }

    /// What waits to be sent, in order; `after` continues a page.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn outbox(
        &self,
        after: Option<OutboxId>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        self.read(|connection| read::outbox(connection, after, limit))
    }

    /// What has a number on the stream that can be resumed: the server may not have it. As many as were handed to a
    /// connection and not acknowledged.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn outbox_on_stream(&self) -> Result<Vec<OutboxEntry>, StoreError> {
        self.read(read::outbox_on_stream)
    }

    /// Incoming messages not yet marked read, of all conversations: the number on the app's icon.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unread_count(&self) -> Result<u32, StoreError> {
        self.read(read::unread_count)
    }

    /// The registration for pushes, as [`Batch::set_push`](crate::Batch::set_push) had it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn push(&self) -> Result<Option<Opaque>, StoreError> {
        self.read(read::push)
    }

    /// What the user is still to be told of, in the order in which it came; `after` continues a page.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn announcements(
        &self,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        self.read(|connection| read::announcements(connection, after, limit))
    }

    /// What processes without the lease left for its holder, in order; `after` continues a page.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn intake(
        &self,
        after: Option<IntakeId>,
        limit: usize,
    ) -> Result<Vec<IntakeEntry>, StoreError> {
        self.read(|connection| read::intake(connection, after, limit))
    }

    /// What the engine wants done, in the order in which it was first asked for.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Damaged`] if an action cannot be decoded.
    pub fn actions(&self) -> Result<Vec<Action>, StoreError> {
        self.read(read::actions)
    }

    /// How far an archive was read; `None` if it was never mentioned.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn archive_cursor(&self, archive: &BareJid) -> Result<Option<ArchiveCursor>, StoreError> {
        self.read(|connection| read::cursor(connection, archive))
    }

    /// How far back a conversation is known of its archive: its older history begins before that.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn older_history(&self, peer: &BareJid) -> Result<OlderHistory, StoreError> {
        self.read(|connection| read::older_history(connection, peer))
    }

    /// Every archive, by address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn archive_cursors(&self) -> Result<Vec<ArchiveCursor>, StoreError> {
        self.read(read::cursors)
    }

    /// The stream that can be resumed, if any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stream(&self) -> Result<Option<StreamState>, StoreError> {
        self.read(read::stream)
    }

    /// What happened to devices, newest first: of one account or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn device_log(
        &self,
        jid: Option<&BareJid>,
        limit: usize,
    ) -> Result<Vec<DeviceEvent>, StoreError> {
        self.read(|connection| read::device_log(connection, jid, limit))
    }
}
