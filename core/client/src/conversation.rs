//! Talking with one contact.

use core::fmt;

use eft_store::{ConversationRef, Intake, OptOut, Plaintext};
use eft_types::{BareJid, MessageId, OriginId};

use crate::account::Account;
use crate::address;
use crate::clock;
use crate::command::Command;
use crate::error::Error;
use crate::pump::stanza;
use crate::timeline::{LoadedHistory, TimelineGap, TimelineKey, TimelinePage};
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
        let text = checked(text.into())?;
        address::check(&self.peer)?;
        let peer = self.peer.clone();
        self.account
            .ask(|reply| Command::Send { peer, text, reply })
            .await
    }

    /// Leaves a text to be sent by whichever process has the account: for the quick reply of a notification, or a share
    /// sheet, beside an app that runs. Returns once it is on disk, with the id that the message will have; it is sent when
    /// that process sees it, at the latest when the app is opened or a push comes.
    ///
    /// # Errors
    /// Those of [`Conversation::send`]; [`Error::NotAllowed`] if thousands wait already.
    pub async fn leave_text(&self, text: impl Into<String>) -> Result<OriginId, Error> {
        let text = checked(text.into())?;
        address::check(&self.peer)?;
        let origin_id = OriginId::new(stanza::new_id(&mut clock::rng()?));
        let intake = Intake::Text {
            conversation: ConversationRef::direct(self.peer.clone()),
            origin_id: origin_id.clone(),
            plaintext: Plaintext::text(text),
        };
        self.leave(intake).await?;
        Ok(origin_id)
    }

    /// Leaves word that the user has read up to a message, as [`Conversation::leave_text`] does.
    ///
    /// # Errors
    /// Those of [`Conversation::leave_text`]. A message that is not of this conversation is passed over.
    pub async fn leave_read_mark(&self, up_to: MessageId) -> Result<(), Error> {
        let peer = self.peer.clone();
        self.leave(Intake::ReadMark { peer, up_to }).await
    }

    async fn leave(&self, intake: Intake) -> Result<(), Error> {
        self.account
            .read(move |store| {
                store.append_intake(&intake, clock::now())?;
                Ok(())
            })
            .await?;
        self.account.nudge();
        Ok(())
    }

    /// The user has read up to and including a message. Tells nobody but this device's list of conversations.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for what is no message of this conversation, [`Error::StoreLocked`] while another process has
    /// the account, [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn mark_read(&self, up_to: MessageId) -> Result<(), Error> {
        let peer = self.peer.clone();
        self.account
            .ask(|reply| Command::MarkRead { peer, up_to, reply })
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

    /// Queues a message of this device again that failed, after what was in its way is gone: a key is
    /// trusted now, an opt-out answered. It keeps its row and the id that recipients know it by, so
    /// that whoever has it already shows it once. [`crate::Event::MessageChanged`] tells what becomes
    /// of it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for what is no failed message of this conversation,
    /// [`Error::OptedOut`], [`Error::Suspended`].
    pub async fn resend(&self, message: MessageId) -> Result<(), Error> {
        let peer = self.peer.clone();
        self.account
            .ask(|reply| Command::Resend {
                peer,
                message,
                reply,
            })
            .await
    }

    /// Whether messages go in a stanza of their own per OMEMO version; see
    /// [`Conversation::set_separate_versions`].
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn separate_versions(&self) -> Result<bool, Error> {
        let peer = self.peer.clone();
        self.account
            .read(move |store| {
                let found = store.conversation(&peer)?;
                Ok(found.is_some_and(|found| found.separate_versions))
            })
            .await
    }

    /// Sends each OMEMO version in a stanza of its own, under one id, where a message needs both. The
    /// default is one stanza for both. An app that drops such stanzas cannot be told from one that
    /// has nothing to say, so that nothing but the contact's word leads to this setting; slixmpp-omemo
    /// is known to need it.
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn set_separate_versions(&self, separate: bool) -> Result<(), Error> {
        let peer = self.peer.clone();
        self.account
            .ask(|reply| Command::SeparateVersions {
                peer,
                separate,
                reply,
            })
            .await
    }

    /// Fetches up to `limit` messages, at most 250, that stand in the server's archive before all that is here of the
    /// conversation; the server may give fewer at once. Nothing is told of them by events: the timeline goes on where it
    /// ended. Those that were written when this device was not there cannot be read, and say so. To be called while
    /// [`LoadedHistory::at_beginning`] is not yet true.
    ///
    /// # Errors
    /// [`Error::Offline`] without a connection, or when it ends; [`Error::StoreLocked`], [`Error::Suspended`],
    /// [`Error::StoreDamaged`].
    pub async fn load_older(&self, limit: u32) -> Result<LoadedHistory, Error> {
        let peer = self.peer.clone();
        self.account
            .ask(|reply| Command::LoadOlder { peer, limit, reply })
            .await
    }

    /// The newest messages older than `before`, or the newest of all; at most `limit`, and at most
    /// [`TIMELINE_PAGE_MAX`]. Where messages between them are known to be missing, the page says so.
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
        let is_filling = self.account.is_filling();
        self.account
            .read(move |store| {
                let slice = store.timeline_slice(&peer, before.map(|key| key.0), limit)?;
                let last = slice.messages.last().filter(|_| slice.has_older);
                let older = last.map(|row| TimelineKey(row.key));
                let gaps = slice.gaps.into_iter();
                Ok(TimelinePage {
                    gaps: gaps
                        .map(|index| TimelineGap { index, is_filling })
                        .collect(),
                    messages: slice.messages.into_iter().map(read::message).collect(),
                    older,
                })
            })
            .await
    }
}

/// A text that can be sent.
fn checked(text: String) -> Result<String, Error> {
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
    Ok(text)
}

/// XML 1.0 §2.2 `Char`.
pub(crate) const fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests;
