//! The archive, page by page (XEP-0313).
//!
//! Only archive pages move the cursor, in the transaction that stores their messages; a live message
//! may be newer than a month that was not seen. Who was away for long sees the newest first:
//!
//! 1. A small page behind the cursor tells whether the archive is further ahead than that.
//! 2. If so, the newest page is asked for, and stands beyond a known gap. From then on live messages stand behind it and
//!    are shown; until then they wait, so that ratchets move in the archive's order.
//! 3. Pages behind the cursor fill the gap, until one meets what is known beyond it.
//!
//! A page begins behind the last message of the one before, whose end names it: as soon as that has come, the next is asked
//! for, and is on its way while this one is decrypted and written.
//!
//! | File | Noun |
//! |---|---|
//! | `order` | which page comes next, and what one proves |
//! | `page` | a page in the making, and where it begins |
//! | `taking` | a page becomes rows, and the next is asked for |
//! | `pieces` | a page, cut where the archive is known already |

mod order;
mod page;
mod pieces;
mod taking;

use eft_store::ArchiveCursor;
use eft_types::{BareJid, Jid};
use eft_xmpp::stream::StanzaSeq;
use eft_xmpp::xep::mam::{self, Fin};
use eft_xmpp::xep::{carbons, stanza_id};
use eft_xmpp::{Element, ns};

use self::order::Waits;
pub(crate) use self::page::{PAGE_COUNT, Page, Reading};
use self::page::{SCREEN_COUNT, Start};
use super::inbound::{Archived, Receiving};
use super::link::Asker;
use super::pending::Pending;
use super::{Pump, stanza};
use crate::clock;
use crate::error::Error;
use crate::event::{CatchUpProgress, Event};

/// Messages of the first page of a new device, unless the app wants it otherwise: none of them was encrypted for it, so
/// there is no use in more than what shows that a conversation was there.
const FIRST_HISTORY_COUNT: u32 = 100;

/// How far catch-up is.
#[derive(Default)]
pub(crate) enum CatchUp {
    /// The session is not set up yet.
    #[default]
    Waiting,
    /// A page was asked for.
    Running(Box<Page>),
    /// A page is here as a whole, and is to be worked through.
    Ended(Box<Page>, Fin),
    /// The newest is known, and the app does not want the rest now.
    Paused(Box<Reading>),
    /// The archive was read to its end, or there is none.
    Done,
}

impl CatchUp {
    /// Whether nothing more is expected from the archive.
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Whether nothing more is asked for by itself.
    pub(crate) const fn is_at_rest(&self) -> bool {
        matches!(self, Self::Done | Self::Paused(_))
    }
}

impl Pump {
    /// Begins to read the archive from the cursor.
    pub(super) fn begin_catch_up(&mut self) -> Result<(), Error> {
        self.pending = Pending::load(&self.store, &self.own)?;
        let cursor = self.cursor()?;
        let (reading, is_current) = order::begin(cursor.as_ref());
        if is_current {
            self.go_live()?;
            return self.read_on(reading);
        }
        self.ask_page(Start::behind(cursor.as_ref()), reading);
        Ok(())
    }

    fn cursor(&self) -> Result<Option<ArchiveCursor>, Error> {
        Ok(self.store.archive_cursor(&self.own.jid)?)
    }

    /// Waits for a page, and asks for it where that has not been done.
    fn ask_page(&mut self, start: Start, mut reading: Reading) {
        let query = match reading.asked.take() {
            Some((asked, query)) if asked == start => query,
            _ => self.ask(&start, &reading),
        };
        if let Some(link) = self.link.as_mut() {
            link.catch_up = CatchUp::Running(Box::new(Page::new(query, start, reading)));
        }
        self.note_filling();
    }

    fn ask(&mut self, start: &Start, reading: &Reading) -> mam::Query {
        let query_id = stanza::new_id(&mut self.rng);
        let max = match start {
            Start::First => self.first_history_count(),
            Start::Newest => SCREEN_COUNT,
            _ if reading.has_asked_newest => PAGE_COUNT,
            _ => SCREEN_COUNT,
        };
        let query = start.query(query_id, max);
        if let Some(link) = self.link.as_mut() {
            let asker = Asker::ArchivePage {
                query_id: query.query_id.clone(),
            };
            link.ask_with(None, asker, clock::now(), |id| query.to_iq(id));
        }
        query
    }

    fn first_history_count(&self) -> u32 {
        let asked = self
            .options()
            .and_then(|options| options.first_history_count);
        asked.unwrap_or(FIRST_HISTORY_COUNT).clamp(1, PAGE_COUNT)
    }

    /// Asks for the next page, if one is wanted.
    fn read_on(&mut self, mut reading: Reading) -> Result<(), Error> {
        let cursor = self.cursor()?;
        let is_paused = self.is_catch_up_held();
        match order::next(&mut reading, cursor.as_ref(), self.is_current(), is_paused) {
            Some(start) => {
                self.ask_page(start, reading);
                Ok(())
            }
            None => {
                let received_count = reading.received_count;
                if let Some(link) = self.link.as_mut() {
                    link.catch_up = CatchUp::Paused(Box::new(reading));
                }
                self.note_filling();
                self.tell_progress(received_count)
            }
        }
    }

    /// Whether the app does not want more of the archive now. A wake fetches all the same.
    fn is_catch_up_held(&self) -> bool {
        self.is_catch_up_paused && self.wanted.is_some()
    }

    /// The app does not want more of the archive now, or wants it again.
    pub(super) fn pause_catch_up(&mut self, is_paused: bool) -> Result<(), Error> {
        self.is_catch_up_paused = is_paused;
        if is_paused {
            return Ok(());
        }
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        match core::mem::take(&mut link.catch_up) {
            CatchUp::Paused(reading) => self.read_on(*reading),
            other => {
                link.catch_up = other;
                Ok(())
            }
        }
    }

    /// Takes a stanza that belongs to the running page. `Err` gives it back.
    pub(super) fn take_archived(
        &mut self,
        seq: StanzaSeq,
        element: Element,
    ) -> Result<(), Element> {
        let own = &self.own.jid;
        let Some(link) = self.link.as_mut() else {
            return Err(element);
        };
        let element = match &mut link.catch_up {
            CatchUp::Running(page) if !page.is_over() => match page.query.take(element, own) {
                Ok(archived) => {
                    page.push(seq, Archived::new(&self.own, archived));
                    return Ok(());
                }
                Err(element) => *element,
            },
            _ => element,
        };
        link.older.take(seq, element, own)
    }

    /// Whether messages are known to be missing.
    fn has_gap(&self) -> Result<bool, Error> {
        Ok(self
            .cursor()?
            .is_some_and(|cursor| !cursor.ranges.is_empty()))
    }

    /// Whether everything that comes live follows what is known.
    fn is_current(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.is_current)
    }

    /// In which situation live messages are received.
    pub(super) fn receiving(&self) -> Receiving {
        match &self.link {
            Some(link) if link.catch_up.is_done() => Receiving::Live,
            _ => Receiving::CatchUp,
        }
    }

    /// Nothing newer can come any more but live: what waited is taken in.
    fn go_live(&mut self) -> Result<(), Error> {
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        link.is_current = true;
        let held = core::mem::take(&mut link.held);
        // Most of these came by the archive too and are known by now.
        self.handle_stanzas(held.into(), Vec::new())
    }

    /// Leaves live messages to the archive that stand before the end of a page, or may. They are acknowledged with it.
    /// Whether one may stand behind it.
    fn leave_to_archive(&mut self, page: &mut Page) -> bool {
        let own = &self.own.jid;
        let Some(link) = self.link.as_mut() else {
            return false;
        };
        let (left, is_behind) =
            order::left_to_archive(&mut link.held, page, |(_, element)| waits(element, own));
        page.left.extend(left.into_iter().map(|(seq, _)| seq));
        is_behind
    }

    fn tell_progress(&self, received_count: u64) -> Result<(), Error> {
        self.send_event(Event::CatchUpProgressed(CatchUpProgress {
            received_count,
            complete: false,
            gap_is_open: self.has_gap()?,
            is_paused: self
                .link
                .as_ref()
                .is_some_and(|link| matches!(link.catch_up, CatchUp::Paused(_))),
        }));
        Ok(())
    }

    /// Tells readers of the timeline whether its gaps are being filled.
    fn note_filling(&self) {
        let is_filling = self
            .link
            .as_ref()
            .is_some_and(|link| matches!(link.catch_up, CatchUp::Running(_)));
        self.standing
            .send_modify(|standing| standing.is_filling = is_filling);
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
        match self.link.as_mut() {
            Some(link) => {
                link.catch_up = CatchUp::Done;
                link.remembered = None;
                link.actions_due = true;
            }
            None => return Ok(()),
        }
        self.note_filling();
        self.go_live()?;
        if received_count > 0 && self.waking.is_none() {
            self.note_missed_push()?;
        }
        self.note_caught_up();
        self.send_event(Event::CatchUpProgressed(CatchUpProgress {
            received_count,
            complete: true,
            gap_is_open: false,
            is_paused: false,
        }));
        Ok(())
    }
}

/// What a live message, or the one in a carbon, tells of its place.
fn waits(element: &Element, own: &BareJid) -> Waits {
    let by: Jid = own.clone().into();
    let carbon = carbons::unwrap(element, own);
    let message = match &carbon {
        Ok(Some(carbon)) => &carbon.message,
        _ => element,
    };
    Waits {
        name: stanza_id::stanza_id(message, &by),
        is_delayed: message.has_child("delay", ns::DELAY),
    }
}

#[cfg(test)]
mod tests;
