//! Talking with one contact.

use core::fmt;

use eft_store::OptOut;
use eft_types::{BareJid, MessageId};

use crate::account::Account;
use crate::command::Command;
use crate::error::Error;
use crate::timeline::{TimelineKey, TimelinePage};
use crate::translate::read;

/// Most messages that one call of [`Conversation::timeline`] gives.
pub const TIMELINE_PAGE_MAX: u32 = 500;

/// Longest text that [`Conversation::send`] takes, in bytes. Servers commonly limit a stanza to
/// 256 KiB; base64 and the keys of many devices take their share of that.
pub const TEXT_MAX_BYTES: usize = 100 * 1024;

/// A one-to-one conversation. Cheap to clone.
#[derive(Clone)]
pub struct Conversation {
    account: Account,
    peer: BareJid,
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Conversation {
    pub(crate) const fn new(account: Account, peer: BareJid) -> Self {
        Self { account, peer }
    }

    /// The other side.
    #[must_use]
    pub const fn peer(&self) -> &BareJid {
        &self.peer
    }

    /// Queues a text, encrypted for every device of the peer and every other device of ours as soon
    /// as the connection and the device lists allow. Returns once it is on disk; what becomes of it
    /// is told by [`crate::Event::MessageChanged`].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty text or characters that XML cannot carry,
    /// [`Error::TooLarge`] beyond [`TEXT_MAX_BYTES`], [`Error::OptedOut`] while an opt-out of the peer
    /// waits for the user's answer, [`Error::Suspended`].
    pub async fn send(&self, text: impl Into<String>) -> Result<MessageId, Error> {
        let text = text.into();
        if text.is_empty() {
            return Err(Error::invalid("an empty text"));
        }
        if text.len() > TEXT_MAX_BYTES {
            return Err(Error::TooLarge {
                bytes: text.len(),
                max: TEXT_MAX_BYTES,
            });
        }
        if !text.chars().all(is_xml_char) {
            return Err(Error::invalid("a character that XML cannot carry"));
        }
        let peer = self.peer.clone();
        self.account
            .ask(|reply| Command::Send { peer, text, reply })
            .await
    }

    /// The contact's wish to go on without encryption (XEP-0384 §5.9), while the user has not answered
    /// it. Sending gets [`Error::OptedOut`] until then.
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn opt_out(&self) -> Result<Option<OptOut>, Error> {
        let peer = self.peer.clone();
        self.account
            .read(move |store| Ok(store.conversation(&peer)?.and_then(|found| found.opt_out)))
            .await
    }

    /// The user's answer to an opt-out: goes on, encrypted as before. The sessions are intact, and
    /// each side may return to encryption at any time (XEP-0384 §5.9). The other answer would be to
    /// go on in plain text, which Eft does not send: who wants that leaves the conversation as it is
    /// and uses another way. Messages that failed meanwhile are not sent by this; see
    /// [`Conversation::resend`].
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn keep_encrypted(&self) -> Result<(), Error> {
        let peer = self.peer.clone();
        self.account
            .ask(|reply| Command::KeepEncrypted { peer, reply })
            .await
    }

    /// The newest messages older than `before`, or the newest of all; at most `limit`, and at most
    /// [`TIMELINE_PAGE_MAX`].
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn timeline(
        &self,
        before: Option<TimelineKey>,
        limit: u32,
    ) -> Result<TimelinePage, Error> {
        let peer = self.peer.clone();
        let limit = usize::try_from(limit.min(TIMELINE_PAGE_MAX)).unwrap_or(usize::MAX);
        self.account
            .read(move |store| {
                // One more than asked for tells whether there is an older page.
                let mut rows = store.timeline(&peer, before.map(|key| key.0), limit + 1)?;
                let more = rows.len() > limit;
                rows.truncate(limit);
                let older = rows.last().filter(|_| more).map(|row| TimelineKey(row.key));
                Ok(TimelinePage {
                    messages: rows.into_iter().map(read::message).collect(),
                    older,
                })
            })
            .await
    }
}

/// XML 1.0 §2.2 `Char`.
const fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use eft_store::{Batch, ConversationRef, Durability, MemorySecretStore};
    use eft_types::Timestamp;

    use super::*;
    use crate::{Config, Content, Credentials, Eft};

    /// An account that never connects.
    async fn account(folder: &tempfile::TempDir) -> Account {
        let config = Config {
            data_dir: folder.path().to_owned(),
        };
        let eft = Eft::open(config, Arc::new(MemorySecretStore::new())).unwrap();
        eft.add_account(Credentials {
            jid: BareJid::new("alice@a.example").unwrap(),
            password: "secret".to_owned().into(),
        })
        .await
        .unwrap()
    }

    /// Writes to the account's database beside its thread.
    async fn store(account: &Account, work: impl FnOnce(&mut Batch) + Send + 'static) {
        account
            .read(move |store| {
                let mut batch = Batch::new();
                work(&mut batch);
                store.commit(&batch, Durability::Full)?;
                Ok(())
            })
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn an_opt_out_stops_sending_until_the_user_goes_on_encrypted() {
        let folder = tempfile::tempdir().unwrap();
        let account = account(&folder).await;
        let bob = BareJid::new("bob@b.example").unwrap();
        let conversation = account.conversation(bob.clone());
        conversation.send("before").await.unwrap();
        assert_eq!(conversation.opt_out().await.unwrap(), None);
        let opt_out = OptOut {
            at: Timestamp::from_millis(1),
            reason: Some("the rules of the house".to_owned()),
        };
        let kept = opt_out.clone();
        store(&account, move |batch| {
            batch.set_opt_out(
                ConversationRef::direct(bob),
                Some(kept),
                Timestamp::from_millis(1),
            );
        })
        .await;

        let error = conversation.send("after").await.unwrap_err();
        assert_eq!((error.code(), error.retryable()), ("opted-out", false));
        assert!(!error.to_string().contains("house"), "{error}");
        assert_eq!(conversation.opt_out().await.unwrap(), Some(opt_out));
        // It is about this contact alone.
        let carol = account.conversation(BareJid::new("carol@c.example").unwrap());
        carol.send("hello").await.unwrap();

        conversation.keep_encrypted().await.unwrap();
        assert_eq!(conversation.opt_out().await.unwrap(), None);
        conversation.send("encrypted as before").await.unwrap();
        let texts: Vec<_> = conversation
            .timeline(None, 10)
            .await
            .unwrap()
            .messages
            .into_iter()
            .map(|message| message.content)
            .collect();
        let expected = ["encrypted as before", "before"].map(|text| Content::Text(text.to_owned()));
        assert_eq!(texts, expected);
        account.shut_down().await;
    }

    #[test]
    fn control_characters_do_not_pass_and_emoji_do() {
        assert!("tab\tnew\nline ☕ 🦎".chars().all(is_xml_char));
        for bad in ['\0', '\u{8}', '\u{B}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
            assert!(!is_xml_char(bad), "{bad:?}");
        }
    }
}
