//! People, messages and databases for the tests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use eft_store::{
    ArchiveId, ArchiveProgress, Batch, Committed, Content, ConversationRef, Durability, Insertion,
    Message, MessageEncryption, NewMessage, Opaque, Place, Plaintext, RetryTrigger, Store,
    StoreKey, StoreOptions, Unreadable, UnreadableCause,
};
use eft_types::{BareJid, DeviceId, MessageId, OriginId, StanzaId, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tempfile::TempDir;

pub(crate) const KEY: [u8; 32] = [0x5a; 32];
pub(crate) const SALT: [u8; 16] = [0xc3; 16];

pub(crate) fn jid(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

pub(crate) fn own() -> BareJid {
    jid("romeo@montague.example")
}

pub(crate) fn juliet() -> BareJid {
    jid("juliet@capulet.example")
}

pub(crate) fn room() -> BareJid {
    jid("garden@rooms.capulet.example")
}

pub(crate) fn key() -> StoreKey {
    StoreKey::from_parts(KEY, SALT)
}

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn options() -> StoreOptions {
    StoreOptions {
        busy_timeout: Duration::from_millis(200),
        ..StoreOptions::app()
    }
}

/// A store in a folder of its own, which goes with it.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::create(&Self::path_in(folder.path()), &key(), &own(), &options()).unwrap();
        Self { folder, store }
    }

    pub(crate) fn path_in(folder: &Path) -> PathBuf {
        folder.join("romeo.db")
    }

    pub(crate) fn path(&self) -> PathBuf {
        Self::path_in(self.folder.path())
    }

    /// Closes the store and opens it again.
    pub(crate) fn reopened(self) -> Self {
        let Self { folder, store } = self;
        store.close().unwrap();
        let store = Store::open(&Self::path_in(folder.path()), &key(), &options()).unwrap();
        Self { folder, store }
    }

    pub(crate) fn commit(&self, batch: &Batch) -> Committed {
        self.store.commit(batch, Durability::Full).unwrap()
    }

    /// Inserts one message in a commit of its own.
    pub(crate) fn insert(&self, message: &NewMessage) -> Insertion {
        let mut batch = Batch::new();
        let inserted = batch.insert_message(message.clone());
        self.commit(&batch).message(inserted).unwrap()
    }

    pub(crate) fn message(&self, id: MessageId) -> Message {
        self.store.message(id).unwrap().unwrap()
    }

    /// Texts of a conversation, oldest first; `?` for what cannot be read.
    pub(crate) fn texts(&self, peer: &BareJid) -> Vec<String> {
        let page = self.store.timeline(peer, None, 1000).unwrap();
        page.iter().rev().map(text_of).collect()
    }
}

pub(crate) fn text_of(message: &Message) -> String {
    match &message.content {
        Content::Readable(plaintext) => plaintext.text.clone(),
        Content::Unreadable(_) => "?".to_owned(),
    }
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn device(number: u32) -> DeviceId {
    DeviceId::new(number).unwrap()
}

/// A live message of Juliet's: readable, with an origin-id of its own.
pub(crate) fn live(text: &str) -> NewMessage {
    let mut message = NewMessage::incoming(
        ConversationRef::direct(juliet()),
        juliet().into(),
        Content::Readable(Plaintext::text(text)),
        at(1_000_000),
    );
    message.origin_id = Some(OriginId::new(format!("origin-{text}")));
    message.sender_device = Some(device(7));
    message.encryption = MessageEncryption::Omemo2;
    message
}

/// A message of ours, queued.
pub(crate) fn ours(text: &str) -> NewMessage {
    NewMessage::outgoing(
        ConversationRef::direct(juliet()),
        own().into(),
        OriginId::new(format!("origin-{text}")),
        Plaintext::text(text),
        at(1_000_000),
    )
}

/// The archive's name for the message with this text.
pub(crate) fn archived_as(text: &str) -> ArchiveId {
    ArchiveId::new(own(), StanzaId::new(format!("archived-{text}")))
}

/// The same message, live, with the archive's name in it.
pub(crate) fn named(mut message: NewMessage, text: &str) -> NewMessage {
    message.archive_id = Some(archived_as(text));
    message
}

/// The same message as an archive page brings it.
pub(crate) fn paged(message: NewMessage, text: &str) -> NewMessage {
    let mut message = named(message, text);
    message.place = Place::ArchiveNewer;
    message
}

/// Progress of our own archive up to the message with this text.
pub(crate) fn progress(last: Option<&str>, at_end: bool) -> ArchiveProgress {
    ArchiveProgress {
        archive: own(),
        last: last.map(|text| (archived_as(text).stanza_id, at(1))),
        at_end,
    }
}

/// Commits a page of the archive, of Juliet's messages.
pub(crate) fn commit_page(home: &Home, texts: &[&str], at_end: bool) -> Committed {
    let mut batch = Batch::new();
    for text in texts {
        batch.insert_message(paged(live(text), text));
    }
    batch.advance_archive(progress(texts.last().copied(), at_end));
    home.commit(&batch)
}

/// What cannot be read for good.
pub(crate) fn failed(cause: UnreadableCause) -> Content {
    Content::Unreadable(Unreadable::for_good(cause))
}

/// What may still be read.
pub(crate) fn pending() -> Content {
    Content::Unreadable(Unreadable::until(
        UnreadableCause::Pending,
        RetryTrigger::SessionMoved,
        Opaque::new(*b"ciphertext"),
    ))
}
