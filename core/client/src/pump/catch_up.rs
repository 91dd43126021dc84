//! The archive, page by page (XEP-0313).
//!
//! Only archive pages move the cursor, in the transaction that stores their messages; a live message
//! may be newer than a month that was not seen. Live messages wait until the archive is at its end,
//! so that ratchets move in the archive's order.

use std::sync::Arc;

use eft_store::{ArchiveId, ArchiveProgress, Durability};
use eft_types::{StanzaId, Timestamp};
use eft_xmpp::Element;
use eft_xmpp::stream::StanzaSeq;
use eft_xmpp::xep::mam::{self, Archive};

use super::inbound::{Inbound, Receiving, Seen, Source};
use super::link::{Asker, Effect};
use super::pending::Pending;
use super::request::RequestError;
use super::{Pump, stanza};
use crate::clock;
use crate::error::Error;
use crate::event::{CatchUpProgress, Event};
use crate::unit::Unit;

/// Messages asked for at once. Prosody gives at most 100 by default, ejabberd 250.
pub(crate) const PAGE_COUNT: u32 = 250;

/// Messages of a page that are worked through in one commit, at most: what waits for it stands in memory.
const PART_COUNT: usize = 100;

/// The same by the size of their texts. An extension has 24 MB for everything.
const PART_BYTES: usize = 256 * 1024;

/// Messages of the first page of a new device: none of them was encrypted for it, so there is no
/// use in more than what shows that a conversation was there.
const FIRST_PAGE_COUNT: u32 = 20;

/// How far catch-up is.
#[derive(Default)]
pub(crate) enum CatchUp {
    /// The session is not set up yet.
    #[default]
    Waiting,
    /// A page was asked for.
    Running(Box<Page>),
    /// The archive was read to its end, or there is none.
    Done,
}

/// A page in the making.
pub(crate) struct Page {
    query: mam::Query,
    start: Start,
    results: Vec<(StanzaSeq, mam::ArchivedMessage)>,
    /// Size of their texts.
    weight_bytes: usize,
    /// Results of this page that are committed already, and may be acknowledged when it is durable.
    committed: Vec<StanzaSeq>,
    /// The last of them.
    last: Option<(StanzaId, Timestamp)>,
    /// Results of all pages of this run, this one not included.
    received_count: u64,
    /// `<fin/>` has come, and waits in the same batch: what stands behind it is not of this page.
    is_over: bool,
}

impl Page {
    /// Nothing more belongs to it.
    pub(super) fn end(&mut self) {
        self.is_over = true;
    }
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Start {
    /// Behind this message.
    After(StanzaId),
    /// At this time: the archive no longer knows the message of the cursor.
    At(Timestamp),
    /// At the archive's oldest message.
    Beginning,
    /// The newest messages only: there is no cursor yet.
    Newest,
}

impl Page {
    /// How far the archive is known by this page.
    fn newest(&self) -> Option<(StanzaId, Timestamp)> {
        let last = self.results.last();
        last.map(|(_, archived)| (archived.id.clone(), archived.stamp))
            .or_else(|| self.last.clone())
    }
}

/// Size of the texts in an element, and something for each element and attribute.
fn weight(element: &Element) -> usize {
    /// An empty element in memory, about.
    const ELEMENT_BYTES: usize = 128;
    let texts: usize = element.texts().map(str::len).sum();
    let children: usize = element.children().map(weight).sum();
    ELEMENT_BYTES + texts + children
}

impl CatchUp {
    /// Whether nothing more is expected from the archive.
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

impl Pump {
    /// Begins to read the archive from the cursor.
    pub(super) fn begin_catch_up(&mut self) -> Result<(), Error> {
        self.pending = Pending::load(&self.store, &self.own)?;
        let cursor = self.store.archive_cursor(&self.own.jid)?;
        let start = match cursor {
            Some(cursor) => match cursor.last {
                Some((id, _)) => Start::After(id),
                // It was empty when it was last read: everything in it is new.
                None => Start::Beginning,
            },
            None => Start::Newest,
        };
        self.ask_page(start, 0);
        Ok(())
    }

    fn ask_page(&mut self, start: Start, received_count: u64) {
        let query_id = stanza::new_id(&mut self.rng);
        let query = match &start {
            Start::After(id) => mam::Query::forward(Archive::Own, query_id, Some(id), PAGE_COUNT),
            Start::At(time) => mam::Query {
                start: Some(*time),
                ..mam::Query::forward(Archive::Own, query_id, None, PAGE_COUNT)
            },
            Start::Beginning => mam::Query::forward(Archive::Own, query_id, None, PAGE_COUNT),
            Start::Newest => mam::Query::backward(Archive::Own, query_id, None, FIRST_PAGE_COUNT),
        };
        if let Some(link) = self.link.as_mut() {
            link.ask_with(None, Asker::ArchivePage, clock::now(), |id| query.to_iq(id));
            link.catch_up = CatchUp::Running(Box::new(Page {
                query,
                start,
                results: Vec::new(),
                weight_bytes: 0,
                committed: Vec::new(),
                last: None,
                received_count,
                is_over: false,
            }));
        }
    }

    /// Takes a stanza that belongs to the running page. `Err` gives it back.
    pub(super) fn take_archived(
        &mut self,
        seq: StanzaSeq,
        element: Element,
    ) -> Result<(), Element> {
        let own = &self.own.jid;
        if let Some(link) = self.link.as_mut()
            && let CatchUp::Running(page) = &mut link.catch_up
            && !page.is_over
            && let Ok(Some(archived)) = page.query.unwrap(&element, own)
        {
            page.weight_bytes += weight(&element);
            page.results.push((seq, archived));
            return Ok(());
        }
        Err(element)
    }

    /// A part of a page is worked through as soon as it is large enough. Its last message is how far the archive was read:
    /// whoever is killed now goes on behind it.
    pub(super) fn take_part(&mut self) -> Result<(), Error> {
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        let CatchUp::Running(page) = &mut link.catch_up else {
            return Ok(());
        };
        let is_large = page.results.len() >= PART_COUNT || page.weight_bytes >= PART_BYTES;
        // What is paged backward says nothing about what stands before it, and is small.
        if !is_large || page.start == Start::Newest {
            return Ok(());
        }
        let CatchUp::Running(mut page) = core::mem::take(&mut link.catch_up) else {
            return Ok(());
        };
        let store = Arc::clone(&self.store);
        let mut unit = self.begin_receiving(&store);
        self.take_results(&mut unit, &page)?;
        page.last = page.newest();
        page.committed
            .extend(page.results.iter().map(|(seq, _)| *seq));
        page.results.clear();
        page.weight_bytes = 0;
        unit.batch.advance_archive(ArchiveProgress {
            archive: self.own.jid.clone(),
            last: page.last.clone(),
            at_end: false,
        });
        let done = unit.commit(Durability::Deferred)?;
        if let Some(link) = self.link.as_mut() {
            link.catch_up = CatchUp::Running(page);
        }
        self.received(&done, Receiving::CatchUp)
    }

    fn take_results(&mut self, unit: &mut Unit<'_>, page: &Page) -> Result<(), Error> {
        let mut seen = Seen::default();
        for (_, archived) in &page.results {
            let source = Source::Archive {
                id: ArchiveId::new(self.own.jid.clone(), archived.id.clone()),
                stamp: Some(archived.stamp),
                is_first_page: page.start == Start::Newest,
            };
            if let Some(message) = Inbound::new(&self.own, &archived.message, source) {
                message.take(unit, &mut seen, Receiving::CatchUp, &mut self.rng)?;
            }
        }
        Ok(())
    }

    /// The page that was asked for has ended.
    pub(super) fn handle_page(
        &mut self,
        answer: Result<Element, RequestError>,
    ) -> Result<(), Error> {
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        let CatchUp::Running(page) = core::mem::take(&mut link.catch_up) else {
            return Ok(());
        };
        let fin = match answer.and_then(|iq| {
            mam::Fin::parse(&iq).ok_or_else(|| RequestError::Malformed("no <fin/>".to_owned()))
        }) {
            Ok(fin) => fin,
            Err(error) => return self.page_failed(*page, &error),
        };
        self.take_page(*page, &fin)
    }

    fn take_page(&mut self, page: Page, fin: &mam::Fin) -> Result<(), Error> {
        // A first page of the newest messages ends at the archive's end, whatever it says about the
        // beginning.
        let is_first = page.start == Start::Newest;
        let is_empty = page.results.is_empty() && page.committed.is_empty();
        let at_end = fin.is_complete || is_first || is_empty;
        let last = page.newest();
        if !at_end
            && last
                .as_ref()
                .is_some_and(|(id, _)| Start::After(id.clone()) == page.start)
        {
            // The page ends where it began: asking for the next would never end.
            tracing::warn!("the archive's pages go in a circle");
            return self.page_failed(
                page,
                &RequestError::Malformed("a circle of pages".to_owned()),
            );
        }
        let received = page.results.len() + page.committed.len();
        let received_count = page.received_count + u64::try_from(received).unwrap_or(0);
        let store = Arc::clone(&self.store);
        let mut unit = self.begin_receiving(&store);
        unit.announces &= !is_first;
        self.take_results(&mut unit, &page)?;
        // Whoever resumes the stream must not take for read what was left to the archive.
        let once_more = self
            .link
            .as_mut()
            .is_some_and(|link| core::mem::take(&mut link.left_to_archive));
        unit.batch.advance_archive(ArchiveProgress {
            archive: self.own.jid.clone(),
            last: last.clone(),
            at_end: at_end && !once_more,
        });
        let mut seqs = page.committed;
        seqs.extend(page.results.iter().map(|(seq, _)| *seq));
        self.count_handled(&mut unit, &seqs);
        // The parts before it are durable with this one (law 2).
        let done = unit.commit(Durability::Full)?;
        if let Some(link) = &self.link {
            for seq in seqs {
                link.settle(seq, Effect::OnDisk(&done));
            }
        }
        self.received(&done, Receiving::CatchUp)?;
        self.send_event(Event::CatchUpProgressed(CatchUpProgress {
            received_count,
            complete: false,
        }));
        if at_end && !once_more {
            return self.end_catch_up(received_count);
        }
        let cursor = self.store.archive_cursor(&self.own.jid)?;
        let start = match last.or_else(|| cursor.and_then(|cursor| cursor.last)) {
            Some((id, _)) => Start::After(id),
            None => Start::Beginning,
        };
        self.ask_page(start, received_count);
        Ok(())
    }

    /// The archive did not give the page.
    fn page_failed(&mut self, page: Page, error: &RequestError) -> Result<(), Error> {
        // What came of it is not acknowledged and not stored; the archive will give it again.
        if let Some(link) = &self.link {
            for (seq, _) in &page.results {
                link.settle(*seq, Effect::None);
            }
        }
        if error.is_item_not_found()
            && let Start::After(_) = page.start
        {
            // The archive forgot the message of the cursor (expired, or rewritten): go on by time.
            let cursor = self.store.archive_cursor(&self.own.jid)?;
            let start = match cursor.and_then(|cursor| cursor.last) {
                Some((_, time)) => Start::At(time),
                None => Start::Newest,
            };
            self.ask_page(start, page.received_count);
            return Ok(());
        }
        // Without its archive the account would lose messages silently: connect anew.
        self.drop_link(Error::offline(format!(
            "the archive cannot be read: {error}"
        )));
        Ok(())
    }

    /// Nothing older can come any more.
    pub(super) fn end_catch_up(&mut self, received_count: u64) -> Result<(), Error> {
        // Not before: a server whose archive fails each time must be asked ever more slowly.
        self.backoff.succeeded();
        self.end_pending()?;
        self.commit(|unit, _| {
            let effects = unit.sure_step(eft_omemo::finish_catch_up)?;
            unit.absorb(effects.changes, effects.actions, effects.events);
            Ok(())
        })?;
        let held = match self.link.as_mut() {
            Some(link) => {
                link.catch_up = CatchUp::Done;
                link.actions_due = true;
                core::mem::take(&mut link.held)
            }
            None => return Ok(()),
        };
        // Most of these came by the archive too and are known by now.
        self.handle_stanzas(held.into(), Vec::new())?;
        if received_count > 0 && self.waking.is_none() {
            self.note_missed_push()?;
        }
        self.note_caught_up();
        self.send_event(Event::CatchUpProgressed(CatchUpProgress {
            received_count,
            complete: true,
        }));
        Ok(())
    }
}
