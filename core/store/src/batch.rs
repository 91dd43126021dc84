//! Everything that one step changes, to be committed at once (laws 1 and 3).

mod archive;

use eft_types::{BareJid, MessageId, Timestamp};

pub(crate) use self::archive::ArchiveStep;
use crate::model::{
    ArchiveId, ArchivePoint, Content, ConversationEncryption, ConversationRef, Credential,
    DeliveryState, DeviceEvent, IntakeId, MessageEncryption, NewMessage, NewOutboxEntry,
    OlderHistory, Opaque, OptOut, OutboxId, SenderTrust, StreamState,
};
use crate::omemo::{Action, Changes};

/// How safe a commit is when [`Store::commit`](crate::Store::commit) returns.
///
/// Both survive the death of the process at any instant. They differ in what a power failure, a
/// kernel crash or a flat battery may take back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On the disk (`synchronous=FULL`: the write-ahead log is synced). Needed before anything
    /// computed in the batch is sent, and before `h` counts it. Also makes every earlier
    /// [`Deferred`](Durability::Deferred) commit durable: they stand before it in the same log.
    Full,
    /// Handed to the operating system (`synchronous=NORMAL`). For the batches of a catch-up: a
    /// power failure may take back the newest ones, always as a whole and in order, and the
    /// archive cursor with them. Before the `<a/>` that covers them, either commit the last one
    /// with [`Full`](Durability::Full) or call [`Store::sync`](crate::Store::sync).
    Deferred,
}

/// A message inserted by a batch, before it has its row. Belongs to that batch only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NewMessageRef(pub(crate) usize);

/// A new outbox entry of a batch, before it has its row. Belongs to that batch only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NewOutboxRef(pub(crate) usize);

/// A change of a message that has its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageUpdate {
    /// A new attempt came to a result. A readable message never becomes unreadable again: such an
    /// update is ignored.
    Content {
        /// What came out.
        content: Content,
        /// How it was protected, as the attempt showed.
        encryption: MessageEncryption,
        /// The identity key that authenticated it; see [`NewMessage::sender_key`].
        sender_key: Option<[u8; 32]>,
    },
    /// What was thought of the sender's key when a later attempt authenticated the message; goes behind that
    /// attempt's [`Content`](MessageUpdate::Content). Ignored if it is noted already, or if no key
    /// authenticated the message.
    SenderTrust(SenderTrust),
    /// Progress of an outgoing message; ignored where
    /// [`DeliveryState::may_become`] forbids it.
    Delivery(DeliveryState),
    /// The archive's id became known: a reflection, an error. Ignored if the message has one
    /// already, or if the archive gave this id to another message: what a server says twice must
    /// not stop us.
    ArchiveId(ArchiveId),
    /// How an outgoing message was protected, known once it is encrypted.
    Encryption(MessageEncryption),
}

/// Everything that one step changes. [`Store::commit`](crate::Store::commit) writes it in one
/// transaction, or nothing of it.
///
/// Order inside a batch: engine records, account and conversations, archives that are reopened, ranges that join and
/// begin, new messages as inserted, deletions, updates as given, announcements, read marks, outbox, actions, archive cursors, stream, device log. So an update may name
/// only messages of earlier commits, while an outbox entry may name a message of its own batch.
#[derive(Debug, Default)]
#[must_use = "nothing happened until the batch is committed"]
pub struct Batch {
    pub(crate) changes: Changes,
    pub(crate) account: Vec<AccountChange>,
    pub(crate) conversations: Vec<(ConversationRef, ConversationEncryption, Timestamp)>,
    pub(crate) wishes: Vec<(ConversationRef, ConversationWish, Timestamp)>,
    pub(crate) messages: Vec<NewMessage>,
    pub(crate) updates: Vec<(MessageId, MessageUpdate)>,
    pub(crate) read_marks: Vec<(BareJid, MessageId)>,
    pub(crate) outbox: Vec<OutboxChange>,
    pub(crate) outbox_count: usize,
    pub(crate) actions: Vec<ActionChange>,
    pub(crate) reopen_archives: bool,
    pub(crate) joins: Vec<BareJid>,
    pub(crate) ranges: Vec<(BareJid, ArchivePoint)>,
    pub(crate) archives: Vec<ArchiveStep>,
    pub(crate) older: Vec<(ConversationRef, OlderHistory, Timestamp)>,
    pub(crate) stream: Vec<StreamChange>,
    pub(crate) device_log: Vec<DeviceEvent>,
    pub(crate) intake: Vec<IntakeId>,
    pub(crate) finish_rollback: bool,
    pub(crate) deletions: Vec<MessageId>,
    pub(crate) announcements: Vec<AnnouncementChange>,
}

#[derive(Debug)]
pub(crate) enum AccountChange {
    Credential(Option<Credential>),
    Push(Option<Opaque>),
    Defaults { direct: bool, rooms: bool },
}

#[derive(Debug)]
pub(crate) enum ConversationWish {
    OptOut(Option<OptOut>),
    SeparateVersions(bool),
}

#[derive(Debug)]
pub(crate) enum OutboxChange {
    Push(NewOutboxEntry),
    Fix(OutboxId, Opaque),
    Sequence(OutboxId, u32),
    ForgetSequences,
    Remove(OutboxId),
}

#[derive(Debug)]
pub(crate) enum ActionChange {
    Add(Action),
    Remove(Vec<u8>),
}

#[derive(Debug)]
pub(crate) enum AnnouncementChange {
    New(NewMessageRef),
    Known(MessageId),
    Done(MessageId),
}

#[derive(Debug)]
pub(crate) enum StreamChange {
    Started(StreamState),
    Counted {
        inbound: Option<u32>,
        outbound: Option<u32>,
    },
    Ended,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        // Destructured, so that a new field is not forgotten here.
        let Self {
            changes,
            account,
            conversations,
            wishes,
            messages,
            updates,
            read_marks,
            outbox,
            outbox_count: _,
            actions,
            reopen_archives,
            joins,
            ranges,
            archives,
            older,
            stream,
            device_log,
            intake,
            finish_rollback,
            deletions,
            announcements,
        } = self;
        changes.is_empty()
            && account.is_empty()
            && conversations.is_empty()
            && wishes.is_empty()
            && messages.is_empty()
            && updates.is_empty()
            && read_marks.is_empty()
            && outbox.is_empty()
            && actions.is_empty()
            && !reopen_archives
            && joins.is_empty()
            && ranges.is_empty()
            && archives.is_empty()
            && older.is_empty()
            && stream.is_empty()
            && device_log.is_empty()
            && intake.is_empty()
            && !finish_rollback
            && deletions.is_empty()
            && announcements.is_empty()
    }

    /// Adds the engine's changes. A record touched before gets its newest version only.
    pub fn merge_changes(&mut self, changes: Changes) {
        self.changes.merge(changes);
    }

    /// Inserts a message, unless it is known already; what became of it is in
    /// [`Committed::message`](crate::Committed::message).
    pub fn insert_message(&mut self, message: NewMessage) -> NewMessageRef {
        self.messages.push(message);
        NewMessageRef(self.messages.len() - 1)
    }

    /// A message that this batch inserts; `None` for a reference of another batch.
    #[must_use]
    pub fn message(&self, message: NewMessageRef) -> Option<&NewMessage> {
        self.messages.get(message.0)
    }

    /// Changes a message of an earlier commit.
    pub fn update_message(&mut self, message: MessageId, update: MessageUpdate) {
        self.updates.push((message, update));
    }

    /// Deletes a message of an earlier commit, with its words in the search index and what waits to be sent
    /// of it. One that is gone already is no error. Its bytes are overwritten in the database at once, and in
    /// the log when that is emptied, at the latest by
    /// [`Store::suspend`](crate::Store::suspend) or [`Store::close`](crate::Store::close).
    pub fn delete_message(&mut self, message: MessageId) {
        self.deletions.push(message);
    }

    /// Marks the conversation read up to and including a message, in timeline order.
    pub fn mark_read(&mut self, peer: BareJid, up_to: MessageId) {
        self.read_marks.push((peer, up_to));
    }

    /// The user is to be told of a message of this batch, if it is news ([`Insertion::is_news`](crate::Insertion::is_news)) and
    /// unread: it is one of [`Store::announcements`](crate::Store::announcements) until [`Batch::announced`], or until it is marked
    /// read.
    pub fn announce(&mut self, message: NewMessageRef) {
        self.announcements.push(AnnouncementChange::New(message));
    }

    /// As [`Batch::announce`] for a message of an earlier commit, where this batch made it readable.
    pub fn announce_again(&mut self, message: MessageId) {
        self.announcements.push(AnnouncementChange::Known(message));
    }

    /// The user was told of a message. One that was not to be announced is no error.
    pub fn announced(&mut self, message: MessageId) {
        self.announcements.push(AnnouncementChange::Done(message));
    }

    /// Decides about a conversation's encryption. [`ConversationEncryption::Required`] sticks: only
    /// the user's own [`ConversationEncryption::OffByUser`] leaves it, and
    /// [`ConversationEncryption::Undecided`] overwrites nothing. The conversation is made at `now`
    /// if it does not exist.
    pub fn set_encryption(
        &mut self,
        conversation: ConversationRef,
        encryption: ConversationEncryption,
        now: Timestamp,
    ) {
        self.conversations.push((conversation, encryption, now));
    }

    /// Notes a contact's wish to go on without encryption, or with `None` that the user has answered
    /// it. The conversation is made at `now` if it does not exist.
    pub fn set_opt_out(
        &mut self,
        conversation: ConversationRef,
        opt_out: Option<OptOut>,
        now: Timestamp,
    ) {
        self.wishes
            .push((conversation, ConversationWish::OptOut(opt_out), now));
    }

    /// Decides whether both OMEMO versions go in stanzas of their own. The conversation is made at
    /// `now` if it does not exist.
    pub fn set_separate_versions(
        &mut self,
        conversation: ConversationRef,
        separate: bool,
        now: Timestamp,
    ) {
        self.wishes.push((
            conversation,
            ConversationWish::SeparateVersions(separate),
            now,
        ));
    }

    /// Appends to the outbox.
    pub fn enqueue(&mut self, entry: NewOutboxEntry) -> NewOutboxRef {
        self.outbox.push(OutboxChange::Push(entry));
        self.outbox_count += 1;
        NewOutboxRef(self.outbox_count - 1)
    }

    /// Fixes the bytes of an outbox entry that has none yet. Committed together with the ratchet
    /// that made them, before they are sent.
    pub fn fix_outbox_bytes(&mut self, entry: OutboxId, stanza: Opaque) {
        self.outbox.push(OutboxChange::Fix(entry, stanza));
    }

    /// Notes the number under which an entry went out on the current stream (XEP-0198).
    pub fn set_outbox_sequence(&mut self, entry: OutboxId, sequence: u32) {
        self.outbox.push(OutboxChange::Sequence(entry, sequence));
    }

    /// The stream is gone for good: no entry has a number any more, all are sent again.
    pub fn forget_outbox_sequences(&mut self) {
        self.outbox.push(OutboxChange::ForgetSequences);
    }

    /// Removes an outbox entry: acked, or given up. One that is gone already is no error.
    pub fn remove_outbox(&mut self, entry: OutboxId) {
        self.outbox.push(OutboxChange::Remove(entry));
    }

    /// Adds something to do. An action with the same key is replaced and keeps its place in the
    /// order: actions are idempotent.
    pub fn add_action(&mut self, action: Action) {
        self.actions.push(ActionChange::Add(action));
    }

    /// Removes an action that is done, by [`Action::key`]. One that is gone already is no error.
    pub fn remove_action(&mut self, key: &[u8]) {
        self.actions.push(ActionChange::Remove(key.to_vec()));
    }

    /// A stream that can be resumed was made.
    pub fn start_stream(&mut self, stream: StreamState) {
        self.stream.push(StreamChange::Started(stream));
    }

    /// Moves the counters of the current stream (XEP-0198); `None` leaves one as it is. Nothing
    /// happens if there is no stream.
    pub fn count_stream(&mut self, handled_inbound: Option<u32>, acked_outbound: Option<u32>) {
        self.stream.push(StreamChange::Counted {
            inbound: handled_inbound,
            outbound: acked_outbound,
        });
    }

    /// The stream cannot be resumed any more.
    pub fn end_stream(&mut self) {
        self.stream.push(StreamChange::Ended);
    }

    /// Adds a line to the device log.
    pub fn log_device(&mut self, event: DeviceEvent) {
        self.device_log.push(event);
    }

    /// Takes an entry out of the intake, in the commit with what it becomes. If another holder took it
    /// meanwhile, the commit fails with [`StoreError::NoSuchIntakeEntry`](crate::StoreError::NoSuchIntakeEntry).
    pub fn take_intake(&mut self, entry: IntakeId) {
        self.intake.push(entry);
    }

    /// The sessions of an older copy of the database are receive-only and its prekeys new, by the
    /// changes of this batch: see
    /// [`Store::take_lease_after_rollback`](crate::Store::take_lease_after_rollback).
    pub fn finish_rollback(&mut self) {
        self.finish_rollback = true;
    }

    /// Replaces the account's credential; `None` forgets it.
    pub fn set_credential(&mut self, credential: Option<Credential>) {
        self.account.push(AccountChange::Credential(credential));
    }

    /// Replaces the registration for pushes, as the caller encodes it; `None` forgets it.
    pub fn set_push(&mut self, push: Option<Opaque>) {
        self.account.push(AccountChange::Push(push));
    }

    /// Whether new conversations start out encrypted.
    pub fn set_encryption_defaults(&mut self, direct: bool, rooms: bool) {
        self.account.push(AccountChange::Defaults { direct, rooms });
    }
}
