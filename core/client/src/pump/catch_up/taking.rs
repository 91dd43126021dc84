//! A page becomes rows, and the next is asked for.

use std::sync::Arc;

use eft_store::{ArchiveId, ArchiveRange, Durability};
use eft_xmpp::Element;
use eft_xmpp::stream::StanzaSeq;
use eft_xmpp::xep::mam;

use super::CatchUp;
use super::order::{self, Ending};
use super::page::{Page, Start};
use super::pieces::{self, Piece};
use crate::error::Error;
use crate::event::Event;
use crate::pump::Pump;
use crate::pump::inbound::{Archived, Receiving};
use crate::pump::link::Effect;
use crate::pump::request::RequestError;
use crate::unit::Done;

impl Pump {
    /// A part of a page is worked through as soon as it is large enough. Its last message is how far the archive was read:
    /// whoever is killed now goes on behind it.
    pub(in crate::pump) fn take_part(&mut self) -> Result<(), Error> {
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        if !matches!(&link.catch_up, CatchUp::Running(page) if page.is_large()) {
            return Ok(());
        }
        let CatchUp::Running(mut page) = core::mem::take(&mut link.catch_up) else {
            return Ok(());
        };
        let taken = self.take_results(&mut page, Ending::Part);
        if let Some(link) = self.link.as_mut() {
            link.catch_up = CatchUp::Running(page);
        }
        taken.map(drop)
    }

    /// Works through what has come of a page. Answers the last commit.
    fn take_results(&mut self, page: &mut Page, ending: Ending) -> Result<Option<Done>, Error> {
        let results = page.take_results();
        page.committed.append(&mut page.left);
        let cursor = self.cursor()?;
        let holds = |archived: &Archived, range: &ArchiveRange| self.holds(archived, range);
        let is_first = page.start == Start::First;
        let mut pieces = match ending {
            Ending::Nothing => vec![Piece::joining(&results)],
            _ => pieces::cut(page.side, cursor.as_ref(), &results, holds)?,
        };
        page.has_joined |= pieces.iter().any(|piece| piece.joins);
        let last = pieces.pop();
        for piece in &pieces {
            self.take_piece(piece, Ending::Part, is_first, &[])?;
        }
        last.map(|last| self.take_piece(&last, ending, is_first, &page.committed))
            .transpose()
    }

    /// Whether a message has its place in a range.
    fn holds(&self, archived: &Archived, range: &ArchiveRange) -> Result<bool, Error> {
        let id = ArchiveId::new(self.own.jid.clone(), archived.id.clone());
        let row = self.store.message_by_archive_id(&id)?;
        Ok(row.is_some_and(|row| range.holds(row.key)))
    }

    /// Commits a piece. `seqs` are the stanzas that may be acknowledged when it is durable, if it is the last of its page.
    fn take_piece(
        &mut self,
        piece: &Piece<'_>,
        ending: Ending,
        is_first: bool,
        seqs: &[StanzaSeq],
    ) -> Result<Done, Error> {
        let store = Arc::clone(&self.store);
        let mut unit = self.begin_receiving(&store)?;
        unit.announces &= !is_first;
        let (at_end, is_complete) = match ending {
            Ending::Page {
                at_end,
                is_complete,
            } => (at_end, is_complete),
            // What is known to be the end stays the end.
            Ending::Part | Ending::Nothing => (self.is_current(), false),
        };
        pieces::put(
            &mut unit,
            &self.own,
            piece,
            at_end,
            is_complete,
            &mut self.rng,
        )?;
        let durability = match ending {
            Ending::Part => Durability::Deferred,
            // The parts before it are durable with this one (law 2).
            Ending::Page { .. } | Ending::Nothing => {
                self.count_handled(&mut unit, seqs);
                Durability::Full
            }
        };
        let done = self.commit_received(unit, durability)?;
        self.received(&done, Receiving::CatchUp)?;
        if piece.joins {
            self.send_event(Event::GapClosed);
        }
        Ok(done)
    }

    /// The page that was asked for has ended: the next is asked for, if it is certain which that will be.
    pub(in crate::pump) fn handle_page(
        &mut self,
        query_id: &str,
        answer: Result<Element, RequestError>,
    ) -> Result<(), Error> {
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        let mut page = match core::mem::take(&mut link.catch_up) {
            CatchUp::Running(page) if page.query.query_id == query_id => page,
            other => {
                link.catch_up = other;
                return Ok(());
            }
        };
        let fin = match answer.and_then(|iq| {
            mam::Fin::parse(&iq).ok_or_else(|| RequestError::Malformed("no <fin/>".to_owned()))
        }) {
            Ok(fin) => fin,
            Err(error) => return self.page_failed(*page, &error),
        };
        let is_last = fin.is_complete || page.start.is_newest() || page.len() == 0;
        if !is_last && page.goes_in_a_circle() {
            // It ends where it or another began: asking for the next would never end.
            tracing::warn!("the archive's pages go in a circle");
            let error = RequestError::Malformed("a circle of pages".to_owned());
            return self.page_failed(*page, &error);
        }
        if let Some(start) = self.page_ahead(&page, fin.is_complete)? {
            let query = self.ask(&start, &page.reading);
            page.reading.asked = Some((start, query));
        }
        if let Some(link) = self.link.as_mut() {
            link.catch_up = CatchUp::Ended(page, fin);
        }
        Ok(())
    }

    /// Where the page after this one will begin, if that is certain.
    fn page_ahead(&self, page: &Page, is_complete: bool) -> Result<Option<Start>, Error> {
        let cursor = self.cursor()?;
        let holds = |archived: &Archived, range: &ArchiveRange| self.holds(archived, range);
        let meets_range =
            page.has_joined || pieces::meets_range(cursor.as_ref(), &page.results, holds)?;
        Ok(order::ahead(
            page,
            is_complete,
            meets_range,
            self.is_current(),
            self.is_catch_up_held(),
        ))
    }

    /// Works through a page that has ended, once the request for the next has gone out.
    pub(in crate::pump) async fn finish_page(&mut self) -> Result<(), Error> {
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        let (page, fin) = match core::mem::take(&mut link.catch_up) {
            CatchUp::Ended(page, fin) => (page, fin),
            other => {
                link.catch_up = other;
                return Ok(());
            }
        };
        if page.reading.asked.is_some() {
            // This thread is the writer's, too.
            link.let_out().await;
        }
        self.take_page(*page, &fin)
    }

    fn take_page(&mut self, mut page: Page, fin: &mam::Fin) -> Result<(), Error> {
        page.reading.received_count += u64::try_from(page.len()).unwrap_or(0);
        // Whoever resumes the stream must not take for read what was left to the archive.
        let once_more = self
            .link
            .as_mut()
            .is_some_and(|link| core::mem::take(&mut link.left_to_archive));
        let once_more = self.leave_to_archive(&mut page) || once_more;
        let cursor = self.cursor()?;
        let (is_complete, is_current) = (fin.is_complete, self.is_current());
        let ending = order::ending(&page, is_complete, cursor.as_ref(), once_more, is_current);
        let done = self.take_results(&mut page, ending)?;
        if let (Some(link), Some(done)) = (&self.link, &done) {
            for seq in &page.committed {
                link.settle(*seq, Effect::OnDisk(done));
            }
        }
        let cursor = self.cursor()?;
        let received_count = page.reading.received_count;
        self.tell_progress(received_count)?;
        if cursor.as_ref().is_some_and(|cursor| cursor.at_end) {
            return self.end_catch_up(received_count);
        }
        if !is_current && cursor.is_some_and(|cursor| cursor.newest_at_end) {
            self.go_live()?;
        }
        page.reading.has_asked_newest |= page.start == Start::First;
        self.read_on(page.reading)
    }

    /// The archive did not give the page.
    fn page_failed(&mut self, page: Page, error: &RequestError) -> Result<(), Error> {
        // What came of it is not acknowledged and not stored; the archive will give it again.
        if let Some(link) = &self.link {
            for seq in &page.seqs {
                link.settle(*seq, Effect::None);
            }
        }
        if error.is_item_not_found()
            && let Start::After(_) = page.start
        {
            // The archive forgot the message of the cursor (expired, or rewritten): go on by time.
            let start = match self.cursor()?.and_then(|cursor| cursor.last) {
                Some((_, time)) => Start::At(time),
                None => Start::First,
            };
            self.ask_page(start, page.reading);
            return Ok(());
        }
        if error.is_item_not_found()
            && let Start::Ahead(_) = page.start
        {
            // So with the last of the range: what is behind it comes when the gap is filled.
            let mut reading = page.reading;
            reading.is_ahead = false;
            return self.read_on(reading);
        }
        // Without its archive the account would lose messages silently: connect anew.
        self.drop_link(Error::offline(format!(
            "the archive cannot be read: {error}"
        )));
        Ok(())
    }
}
