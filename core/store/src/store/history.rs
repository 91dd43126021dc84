//! Searching and forgetting.

use eft_types::{BareJid, MessageId, Timestamp};

use super::Store;
use crate::batch::Durability;
use crate::commit;
use crate::error::StoreError;
use crate::model::Message;
use crate::search;

impl Store {
    /// Messages in which every part of what the user typed occurs: words by their beginnings, without regard to
    /// case and accents; in scripts without spaces, any run of characters. Newest row first, those
    /// before `before`, of one conversation or of all. A row's age is its arrival: what an archive brought
    /// last counts as newest. Also finds what is not indexed yet, more slowly.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn search(
        &self,
        typed: &str,
        peer: Option<&BareJid>,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        self.readers
            .read(|connection| search::search(connection, typed, peer, before, limit))
    }

    /// Puts up to `limit` more messages into the search index, in one short transaction. Answers whether that
    /// was all. To be called in idle time, again and again; some hundreds at once are a few milliseconds.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn index_search(&self, limit: usize) -> Result<bool, StoreError> {
        self.writer
            .write(&self.lease_file, Durability::Deferred, |transaction| {
                search::index(transaction, limit)
            })
    }

    /// Deletes up to `limit` messages that were received before `before`, oldest first, as
    /// [`Batch::delete_message`](crate::Batch::delete_message) does; answers how many. What waits to be sent, or
    /// may still become readable, is kept.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn expire(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.writer
            .write(&self.lease_file, Durability::Full, |transaction| {
                commit::expire(transaction, before, limit)
            })
    }
}
