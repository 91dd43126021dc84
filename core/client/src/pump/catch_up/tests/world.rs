//! The server, and the lines that the pump has around the parts.

mod judge;

use std::collections::VecDeque;

use eft_omemo::Version;
use eft_store::{ArchiveCursor, ArchiveId, ArchiveRange, Batch, Durability};
use eft_types::{StanzaId, Timestamp};
use eft_xmpp::Element;
use eft_xmpp::stream::StanzaSeq;
use eft_xmpp::xep::mam::ArchivedMessage;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::super::order::{self, Ending, Waits};
use super::super::page::{Page, Reading, Start};
use super::super::pieces::{self, Piece};
use crate::error::Error;
use crate::pump::inbound::Archived;
use crate::pump::inbound::tests::alice::Alice;
use crate::pump::inbound::tests::peer::{Peer, Words as _};
use crate::pump::inbound::{Inbound, Receiving, Seen, Source};
use crate::pump::pending::{Pending, Retry};
use crate::unit::{Done, Unit};

/// A connection.
#[derive(Default)]
pub(super) struct Session {
    page: Option<Page>,
    /// What waits for the app, if it paused.
    pub(super) resting: Option<Reading>,
    is_current: bool,
    pub(super) is_done: bool,
    held: VecDeque<(usize, bool)>,
}

pub(super) struct World {
    alice: Alice,
    bob: Peer,
    rng: StdRng,
    pending: Pending,
    /// All that was ever written; the server has deleted the first `expired`.
    archive: Vec<Element>,
    expired: usize,
    /// What it deleted before it was fetched.
    lost: Vec<usize>,
    pub(super) session: Option<Session>,
    is_paused: bool,
    /// Whether the server keeps the stream, and what of it was not acknowledged.
    pub(super) is_resumable: bool,
    unacknowledged: Vec<usize>,
    /// Kept for a client that is not there.
    offline: Vec<usize>,
    pub(super) question_count: usize,
    /// Of these, the ones that were put before the page before them was worked through.
    pub(super) ahead_count: usize,
}

fn name(number: usize) -> StanzaId {
    StanzaId::new(format!("a{number}"))
}

fn number(id: &StanzaId) -> usize {
    id.as_str()[1..].parse().unwrap()
}

fn stamp(number: usize) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + i64::try_from(number).unwrap() * 1000)
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let alice = Alice::install();
        let bob = Peer::bob(&alice, Version::Omemo2);
        Self {
            pending: Pending::load(&alice.store, &alice.own).unwrap(),
            alice,
            bob,
            rng: StdRng::seed_from_u64(seed),
            archive: Vec::new(),
            expired: 0,
            lost: Vec::new(),
            session: None,
            is_paused: false,
            is_resumable: false,
            unacknowledged: Vec::new(),
            offline: Vec::new(),
            question_count: 0,
            ahead_count: 0,
        }
    }

    pub(super) fn draw(&mut self, bound: usize) -> usize {
        self.rng.random_range(0..bound)
    }

    pub(super) fn cursor(&self) -> Option<ArchiveCursor> {
        self.alice
            .store
            .archive_cursor(&self.alice.own.jid)
            .unwrap()
    }

    pub(super) fn session(&mut self) -> &mut Session {
        self.session.as_mut().unwrap()
    }

    pub(super) fn is_current(&self) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| session.is_current)
    }

    /// Whether it waits for the app.
    pub(super) fn is_resting(&self) -> bool {
        let resting = self.session.as_ref().map(|session| &session.resting);
        resting.is_some_and(Option::is_some)
    }

    pub(super) fn receiving(&self) -> Receiving {
        match &self.session {
            Some(session) if session.is_done => Receiving::Live,
            _ => Receiving::CatchUp,
        }
    }

    /// Bob writes; the server archives it and hands it on.
    pub(super) fn write(&mut self) {
        let number = self.archive.len();
        let text = number.to_string();
        let ids = format!(
            "<stanza-id xmlns='urn:xmpp:sid:0' by='alice@a.example' id='{}'/>",
            name(number).as_str()
        );
        let message = self.bob.write(&self.alice, Version::Omemo2, &text);
        self.archive
            .push(message.stanza_with(&format!("id='m{number}'"), &ids));
        if self.session.is_some() || self.is_resumable {
            self.unacknowledged.push(number);
        } else {
            self.offline.push(number);
        }
        self.hear(number, false);
    }

    pub(super) fn hear(&mut self, number: usize, is_delayed: bool) {
        match &mut self.session {
            Some(session) if session.is_current => self.take_live(number),
            Some(session) => session.held.push_back((number, is_delayed)),
            None => {}
        }
    }

    pub(super) fn take_live(&mut self, number: usize) {
        println!("live {number}");
        let receiving = self.receiving();
        let mut unit = Unit::begin(&self.alice.store, self.alice.now);
        unit.waiting_room = self.pending.room();
        Inbound::new(&self.alice.own, &self.archive[number], Source::Live)
            .unwrap()
            .take(&mut unit, &mut Seen::default(), receiving, &mut self.rng)
            .unwrap();
        let done = unit.commit(Durability::Full).unwrap();
        self.received(&done, receiving);
        self.unacknowledged.retain(|other| *other != number);
    }

    pub(super) fn received(&mut self, done: &Done, context: Receiving) {
        self.pending.note(done);
        let mut retry = Retry {
            announces: false,
            store: &self.alice.store,
            own: &self.alice.own,
            now: self.alice.now,
            rng: &mut self.rng,
        };
        retry
            .run(&mut self.pending, &done.moved, context, |_| Ok(()))
            .unwrap();
    }

    pub(super) fn connect(&mut self) {
        let resumes = self.is_resumable && self.draw(3) == 0;
        if !resumes {
            let mut batch = Batch::new();
            batch.reopen_archives();
            self.alice.store.commit(&batch, Durability::Full).unwrap();
            self.unacknowledged.clear();
        }
        println!("connects, resumes {resumes}");
        self.is_resumable = true;
        self.session = Some(Session::default());
        self.pending = Pending::load(&self.alice.store, &self.alice.own).unwrap();
        let cursor = self.cursor();
        if resumes && cursor.as_ref().is_some_and(|cursor| cursor.at_end) {
            self.session().is_done = true;
            self.session().is_current = true;
        } else {
            let (reading, is_current) = order::begin(cursor.as_ref());
            if is_current {
                self.go_live();
                self.read_on(reading);
            } else {
                self.ask(Start::behind(cursor.as_ref()), reading);
            }
        }
        for number in self.unacknowledged.clone() {
            self.hear(number, false);
        }
        // What it kept for an absent client, too.
        for number in core::mem::take(&mut self.offline) {
            if !resumes {
                self.unacknowledged.push(number);
                self.hear(number, true);
            }
        }
    }

    pub(super) fn lose_connection(&mut self) {
        self.session = None;
        self.is_resumable = self.is_resumable && self.draw(2) == 0;
        if !self.is_resumable {
            self.unacknowledged.clear();
        }
    }

    pub(super) fn go_live(&mut self) {
        self.session().is_current = true;
        for (number, _) in core::mem::take(&mut self.session().held) {
            self.take_live(number);
        }
    }

    pub(super) fn ask(&mut self, start: Start, mut reading: Reading) {
        if let Some((asked, _)) = reading.asked.take() {
            assert_eq!(asked, start, "asked for what is not wanted");
            self.ahead_count += 1;
        }
        self.question_count += 1;
        let query = start.query("query".to_owned(), 1);
        self.session().page = Some(Page::new(query, start, reading));
    }

    pub(super) fn read_on(&mut self, mut reading: Reading) {
        let cursor = self.cursor();
        match order::next(
            &mut reading,
            cursor.as_ref(),
            self.is_current(),
            self.is_paused,
        ) {
            Some(start) => self.ask(start, reading),
            None => {
                assert!(reading.asked.is_none(), "asked for what is not wanted");
                self.session().resting = Some(reading);
            }
        }
    }

    pub(super) fn pause(&mut self, is_paused: bool) {
        self.is_paused = is_paused;
        let resting = self
            .session
            .as_mut()
            .filter(|_| !is_paused)
            .and_then(|session| session.resting.take());
        if let Some(reading) = resting {
            self.read_on(reading);
        }
    }

    /// The server answers the page that was asked for. Its pages are smaller than what is asked for.
    pub(super) fn answer(&mut self) {
        let Some(mut page) = self
            .session
            .as_mut()
            .and_then(|session| session.page.take())
        else {
            return;
        };
        let (first, end) = (self.expired, self.archive.len());
        let mut size = 1 + self.draw(6);
        if page.start == Start::First {
            // What comes live in the meantime is part of it, if it is not very much.
            size += self.session().held.len();
        }
        let from = match &page.start {
            Start::Ahead(id) if number(id) < first => {
                let mut reading = page.reading;
                reading.is_ahead = false;
                return self.read_on(reading);
            }
            Start::After(id) if number(id) < first => {
                // item-not-found.
                let (_, time) = self.cursor().unwrap().last.unwrap();
                return self.ask(Start::At(time), page.reading);
            }
            Start::After(id) | Start::Ahead(id) => number(id) + 1,
            Start::At(time) => (first..end).find(|n| stamp(*n) >= *time).unwrap_or(end),
            Start::Beginning => first,
            Start::First | Start::Newest => first.max(end.saturating_sub(size)),
        };
        let to = end.min(from + size);
        println!(
            "{:?} is answered with {from}..{to} of {first}..{end}",
            page.start
        );
        let is_newest = page.start.is_newest();
        let is_complete = match is_newest {
            true => from == first,
            // A lie does no harm where it is known that there is more.
            false => {
                let range = self
                    .cursor()
                    .and_then(|cursor| cursor.ranges.first().cloned());
                let is_before_a_range = range.is_some_and(|range| to <= number(&range.first.0));
                let is_ahead = matches!(page.start, Start::Ahead(_));
                to == end || (!is_ahead && is_before_a_range && self.draw(8) == 0)
            }
        };
        let breaks_at = match self.draw(6) {
            0 => Some(from + self.draw(size)),
            _ => None,
        };
        for number in from..to {
            if breaks_at == Some(number) {
                break;
            }
            page.seqs.push(StanzaSeq::UNCOUNTED);
            let archived = ArchivedMessage {
                id: name(number),
                stamp: stamp(number),
                message: self.archive[number].clone(),
            };
            page.results.push(Archived::new(&self.alice.own, archived));
            if !is_newest && self.draw(4) == 0 {
                self.take_results(&mut page, Ending::Part);
                self.check();
            }
        }
        match breaks_at {
            Some(_) => self.lose_connection(),
            None => self.take_page(page, is_complete),
        }
    }

    pub(super) fn take_page(&mut self, mut page: Page, is_complete: bool) {
        let is_newest = page.start.is_newest();
        assert!(is_complete || is_newest || page.len() == 0 || !page.goes_in_a_circle());
        let is_current = self.is_current();
        let held = &mut self.session().held;
        let (left, is_behind) = order::left_to_archive(held, &page, |(number, is_delayed)| Waits {
            name: Some(name(*number)),
            is_delayed: *is_delayed,
        });
        self.unacknowledged
            .retain(|number| !left.iter().any(|left| left.0 == *number));
        let cursor = self.cursor();
        let ending = order::ending(&page, is_complete, cursor.as_ref(), is_behind, is_current);
        self.ask_ahead(&mut page, is_complete);
        self.take_results(&mut page, ending);
        let cursor = self.cursor().unwrap();
        if cursor.at_end {
            assert!(page.reading.asked.is_none(), "asked for what is not wanted");
            self.session().is_done = true;
            assert!(self.pending.devices().is_empty(), "something still waits");
            self.alice.end_catch_up();
            return self.go_live();
        }
        if !is_current && cursor.newest_at_end {
            self.go_live();
        }
        page.reading.has_asked_newest |= page.start == Start::First;
        self.read_on(page.reading);
    }

    fn holds(&self, archived: &Archived, range: &ArchiveRange) -> Result<bool, Error> {
        let id = ArchiveId::new(self.alice.own.jid.clone(), archived.id.clone());
        let row = self.alice.store.message_by_archive_id(&id)?;
        Ok(row.is_some_and(|row| range.holds(row.key)))
    }

    fn ask_ahead(&mut self, page: &mut Page, is_complete: bool) {
        let holds = |archived: &Archived, range: &ArchiveRange| self.holds(archived, range);
        let meets = page.has_joined
            || pieces::meets_range(self.cursor().as_ref(), &page.results, holds).unwrap();
        let (is_current, is_paused) = (self.is_current(), self.is_paused);
        if let Some(start) = order::ahead(page, is_complete, meets, is_current, is_paused) {
            let query = start.query("ahead".to_owned(), 1);
            page.reading.asked = Some((start, query));
        }
    }

    pub(super) fn take_results(&mut self, page: &mut Page, ending: Ending) {
        let results = page.take_results();
        let holds = |archived: &Archived, range: &ArchiveRange| self.holds(archived, range);
        let pieces = match ending {
            Ending::Nothing => vec![Piece::joining(&results)],
            _ => pieces::cut(page.side, self.cursor().as_ref(), &results, holds).unwrap(),
        };
        page.has_joined |= pieces.iter().any(|piece| piece.joins);
        let count = pieces.len();
        for (index, piece) in pieces.iter().enumerate() {
            let (at_end, is_complete) = match ending {
                Ending::Page {
                    at_end,
                    is_complete,
                } if index + 1 == count => (at_end, is_complete),
                _ => (self.is_current(), false),
            };
            let mut unit = Unit::begin(&self.alice.store, self.alice.now);
            unit.waiting_room = self.pending.room();
            let own = &self.alice.own;
            pieces::put(&mut unit, own, piece, at_end, is_complete, &mut self.rng).unwrap();
            let done = unit.commit(Durability::Deferred).unwrap();
            self.received(&done, Receiving::CatchUp);
            self.check();
        }
    }

    /// The server deletes its oldest messages.
    pub(super) fn expire(&mut self) {
        if self.cursor().is_none() {
            return;
        }
        let known = self.shown().0;
        let to = self.archive.len().min(self.expired + 1 + self.draw(12));
        for number in self.expired..to {
            if !known.contains(&number) {
                self.lost.push(number);
            }
        }
        self.expired = to;
    }

    pub(super) fn step(&mut self) {
        match self.draw(24) {
            0..9 => self.write(),
            9..19 if self.session.is_some() => self.answer(),
            9..19 => self.connect(),
            19 => self.lose_connection(),
            20 => {
                for _ in 0..self.draw(30) {
                    self.write();
                }
            }
            21 => self.pause(true),
            22 => self.pause(false),
            _ if self.draw(6) == 0 => self.expire(),
            _ => {}
        }
        self.check();
    }
}
