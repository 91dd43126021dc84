//! Older history of a conversation, on demand: pages backward (XEP-0313), one at a time.
//!
//! It lies before all that catch-up reads, so that neither moves what the other knows. A device that was not there when a
//! message was written cannot read it; it stands in the timeline with that reason.

use std::collections::VecDeque;
use std::sync::Arc;

use eft_store::{ConversationRef, Durability, OlderHistory};
use eft_types::BareJid;
use eft_xmpp::Element;
use eft_xmpp::stream::StanzaSeq;
use eft_xmpp::xep::mam::{self, Archive, ArchivedMessage};

use super::catch_up::PAGE_COUNT;
use super::inbound::{Inbound, Part, Seen, Source};
use super::link::{Asker, Effect, Phase};
use super::request::RequestError;
use super::{Pump, stanza};
use crate::clock;
use crate::command::Reply;
use crate::error::Error;
use crate::timeline::LoadedHistory;

/// Who asks for older history, and for how much.
pub(crate) struct Wish {
    pub(crate) peer: BareJid,
    pub(crate) limit: u32,
    pub(crate) reply: Answerable,
}

/// A reply that is given in any case: a connection may end before its answer.
pub(crate) struct Answerable(Option<Reply<LoadedHistory>>);

impl Answerable {
    pub(crate) const fn new(reply: Reply<LoadedHistory>) -> Self {
        Self(Some(reply))
    }

    fn give(mut self, result: Result<LoadedHistory, Error>) {
        if let Some(reply) = self.0.take() {
            let _ = reply.send(result);
        }
    }
}

impl Drop for Answerable {
    fn drop(&mut self) {
        if let Some(reply) = self.0.take() {
            let _ = reply.send(Err(Error::offline("the connection ended")));
        }
    }
}

/// The page that is being read, and who waits for the next.
#[derive(Default)]
pub(crate) struct Older {
    page: Option<OlderPage>,
    wishes: VecDeque<Wish>,
}

struct OlderPage {
    query: mam::Query,
    wish: Wish,
    results: Vec<ArchivedMessage>,
    seqs: Vec<StanzaSeq>,
    /// `<fin/>` has come.
    is_over: bool,
}

impl Older {
    /// Takes a result of the page that was asked for. `Err` gives back what is none.
    pub(crate) fn take(
        &mut self,
        seq: StanzaSeq,
        element: Element,
        own: &BareJid,
    ) -> Result<(), Element> {
        match self.page.as_mut() {
            Some(page) if !page.is_over => {
                let archived = page.query.take(element, own).map_err(|element| *element)?;
                page.results.push(archived);
                page.seqs.push(seq);
                Ok(())
            }
            _ => Err(element),
        }
    }

    /// Nothing more belongs to the page.
    pub(crate) const fn end(&mut self) {
        if let Some(page) = self.page.as_mut() {
            page.is_over = true;
        }
    }
}

impl Pump {
    /// Somebody wants to see what was before.
    pub(super) fn load_older(&mut self, wish: Wish) {
        match self.link.as_mut() {
            Some(link) if link.phase == Phase::Online => {
                link.older.wishes.push_back(wish);
                self.ask_older();
            }
            _ => wish.reply.give(Err(Error::offline("not connected"))),
        }
    }

    /// Asks for the next page, unless one is on its way.
    fn ask_older(&mut self) {
        loop {
            let Some(link) = self.link.as_mut() else {
                return;
            };
            if link.older.page.is_some() {
                return;
            }
            let Some(wish) = link.older.wishes.pop_front() else {
                return;
            };
            match self.older_query(&wish) {
                Ok(Some(query)) => {
                    if let Some(link) = self.link.as_mut() {
                        link.ask_with(None, Asker::OlderPage, clock::now(), |id| query.to_iq(id));
                        link.older.page = Some(OlderPage {
                            query,
                            wish,
                            results: Vec::new(),
                            seqs: Vec::new(),
                            is_over: false,
                        });
                    }
                }
                Ok(None) => wish.reply.give(Ok(LoadedHistory {
                    count: 0,
                    at_beginning: true,
                })),
                Err(error) => wish.reply.give(Err(error)),
            }
        }
    }

    /// The page before all that is known of the conversation; `None` if there is none.
    fn older_query(&mut self, wish: &Wish) -> Result<Option<mam::Query>, Error> {
        let known = self.store.older_history(&wish.peer)?;
        if known.at_beginning {
            return Ok(None);
        }
        let cursor = self.store.archive_cursor(&self.own.jid)?;
        let end = match (&known.first, &cursor) {
            (Some(_), _) => None,
            // Nothing of this conversation: before all that is known of any.
            (None, Some(cursor)) if cursor.first.is_some() => {
                cursor.first.as_ref().map(|(_, time)| *time)
            }
            (None, Some(cursor)) if cursor.at_end => None,
            (None, _) => return Err(Error::offline("the archive is still being read")),
        };
        let query_id = stanza::new_id(&mut self.rng);
        let max = wish.limit.clamp(1, PAGE_COUNT);
        Ok(Some(mam::Query {
            with: Some(wish.peer.clone().into()),
            end,
            ..mam::Query::backward(Archive::Own, query_id, known.first.as_ref(), max)
        }))
    }

    /// The page of older history has ended.
    pub(super) fn handle_older(
        &mut self,
        answer: Result<Element, RequestError>,
    ) -> Result<(), Error> {
        let Some(page) = self.link.as_mut().and_then(|link| link.older.page.take()) else {
            return Ok(());
        };
        let result = match answer {
            Ok(iq) => match mam::Fin::parse(&iq) {
                Some(fin) => Ok(self.take_older(&page, fin.is_complete)?),
                None => Err(Error::offline("the archive's answer makes no sense")),
            },
            // Archives forget from their beginning: with that message, all before it is gone.
            Err(error) if error.is_item_not_found() => Ok(LoadedHistory {
                count: 0,
                at_beginning: true,
            }),
            Err(error) => Err(error.into()),
        };
        if result.is_err()
            && let Some(link) = &self.link
        {
            for seq in &page.seqs {
                link.settle(*seq, Effect::None);
            }
        }
        page.wish.reply.give(result);
        self.ask_older();
        Ok(())
    }

    fn take_older(&mut self, page: &OlderPage, is_complete: bool) -> Result<LoadedHistory, Error> {
        let at_beginning = is_complete || page.results.is_empty();
        let receiving = self.receiving();
        let store = Arc::clone(&self.store);
        let mut unit = self.begin_receiving(&store)?;
        unit.announces = false;
        let mut seen = Seen::default();
        // Each stands before all that are here.
        for archived in page.results.iter().rev() {
            let source = Source::archive(&self.own.jid, archived, Part::Older);
            if let Some(message) = Inbound::new(&self.own, &archived.message, source)
                && message.is_with(&page.wish.peer)
            {
                message.take(&mut unit, &mut seen, receiving, &mut self.rng)?;
            }
        }
        let older = OlderHistory {
            first: page.results.first().map(|archived| archived.id.clone()),
            at_beginning,
        };
        let conversation = ConversationRef::direct(page.wish.peer.clone());
        let now = unit.now;
        unit.batch.note_older(conversation, older, now);
        self.count_handled(&mut unit, &page.seqs);
        let done = unit.commit(Durability::Full)?;
        if let Some(link) = &self.link {
            for seq in &page.seqs {
                link.settle(*seq, Effect::OnDisk(&done));
            }
        }
        self.received(&done, receiving)?;
        let inserted = done.committed.messages().iter();
        let count = inserted.filter(|insertion| insertion.is_news()).count();
        Ok(LoadedHistory {
            count: u32::try_from(count).unwrap_or(u32::MAX),
            at_beginning,
        })
    }
}
