//! A page in the making.

use std::collections::HashSet;

use eft_store::ArchiveCursor;
use eft_types::{StanzaId, Timestamp};
use eft_xmpp::stream::StanzaSeq;
use eft_xmpp::xep::mam::{self, Archive};

use super::pieces::Side;
use crate::pump::inbound::Archived;

/// Messages asked for at once. Prosody gives at most 100 by default, ejabberd 250.
pub(crate) const PAGE_COUNT: u32 = 250;

/// Messages of a page that tells how far ahead the archive is, and of the page of the newest ones: what one screen shows.
pub(super) const SCREEN_COUNT: u32 = 50;

/// Messages of a page that are worked through in one commit, at most: what waits for it stands in memory. Most pages
/// are one commit then, and a page of the database that several messages change is written once for all of them.
const PART_COUNT: usize = 250;

/// The same by what they keep in memory. An extension has 24 MB for everything.
const PART_BYTES: usize = 1024 * 1024;

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Behind this message.
    After(StanzaId),
    /// At this time: the archive no longer knows the message of the cursor.
    At(Timestamp),
    /// At the archive's oldest message.
    Beginning,
    /// The newest messages only, for a new device: there is no cursor yet.
    First,
    /// The newest messages only, whatever lies between them and the cursor.
    Newest,
    /// Behind this message, the last of the newest range.
    Ahead(StanzaId),
}

impl Start {
    /// Behind the contiguous part of the archive.
    pub(super) fn behind(cursor: Option<&ArchiveCursor>) -> Self {
        match cursor.map(|cursor| &cursor.last) {
            Some(Some((id, _))) => Self::After(id.clone()),
            // It was empty when it was last read: everything in it is new.
            Some(None) => Self::Beginning,
            None => Self::First,
        }
    }

    pub(super) fn query(&self, query_id: String, max: u32) -> mam::Query {
        match self {
            Self::After(id) | Self::Ahead(id) => {
                mam::Query::forward(Archive::Own, query_id, Some(id), max)
            }
            Self::At(time) => mam::Query {
                start: Some(*time),
                ..mam::Query::forward(Archive::Own, query_id, None, max)
            },
            Self::Beginning => mam::Query::forward(Archive::Own, query_id, None, max),
            Self::First | Self::Newest => mam::Query::backward(Archive::Own, query_id, None, max),
        }
    }

    /// Whether the page ends where the archive does, whatever is said about its beginning.
    pub(super) const fn is_newest(&self) -> bool {
        matches!(self, Self::First | Self::Newest)
    }
}

/// One reading of the archive, page after page.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Results so far.
    pub(super) received_count: u64,
    /// Whether the newest page was asked for, or is not to be.
    pub(super) has_asked_newest: bool,
    /// Whether that page began a range whose end is still to be found.
    pub(super) is_ahead: bool,
    /// The next page, if it was asked for before this one is worked through.
    pub(super) asked: Option<(Start, mam::Query)>,
    /// Where pages ended: one that ends there again goes in a circle.
    ends: HashSet<StanzaId>,
}

impl Reading {
    pub(super) fn new(has_asked_newest: bool) -> Self {
        Self {
            has_asked_newest,
            ..Self::default()
        }
    }
}

/// A page that was asked for.
pub(crate) struct Page {
    pub(in crate::pump) query: mam::Query,
    pub(super) start: Start,
    /// Which part of the archive its results belong to.
    pub(super) side: Side,
    pub(super) results: Vec<Archived>,
    /// The stanzas that brought them.
    pub(super) seqs: Vec<StanzaSeq>,
    /// What each of them keeps in memory.
    weights_bytes: Vec<usize>,
    /// Results of this page that are committed already, and may be acknowledged when it is durable.
    pub(super) committed: Vec<StanzaSeq>,
    /// Live messages that are left to the archive, and may be acknowledged with the page.
    pub(super) left: Vec<StanzaSeq>,
    /// The last of those committed.
    committed_last: Option<StanzaId>,
    pub(super) reading: Reading,
    /// A part of it has closed a gap.
    pub(super) has_joined: bool,
    /// `<fin/>` has come, and waits in the same batch: what stands behind it is not of this page.
    is_over: bool,
}

impl Page {
    pub(super) const fn new(query: mam::Query, start: Start, reading: Reading) -> Self {
        let side = match start {
            Start::First => Side::First,
            Start::Newest => Side::Newest,
            Start::Ahead(_) => Side::Ahead,
            _ => Side::Forward,
        };
        Self {
            query,
            start,
            side,
            results: Vec::new(),
            seqs: Vec::new(),
            weights_bytes: Vec::new(),
            committed: Vec::new(),
            left: Vec::new(),
            committed_last: None,
            reading,
            has_joined: false,
            is_over: false,
        }
    }

    /// Nothing more belongs to it.
    pub(in crate::pump) fn end(&mut self) {
        self.is_over = true;
    }

    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn push(&mut self, seq: StanzaSeq, archived: Archived) {
        self.weights_bytes.push(archived.weight_bytes());
        self.seqs.push(seq);
        self.results.push(archived);
        // A newest page counts as a whole, and need not be as long as it was asked for: its newest part is a newest page,
        // too. What goes here comes again when the gap is filled.
        while self.start == Start::Newest && self.results.len() > 1 && self.is_heavy() {
            self.weights_bytes.remove(0);
            self.results.remove(0);
        }
    }

    fn is_heavy(&self) -> bool {
        self.weights_bytes.iter().sum::<usize>() >= PART_BYTES
    }

    /// Whether so much has come that it is to be worked through before the rest.
    pub(super) fn is_large(&self) -> bool {
        let has_parts = matches!(self.side, Side::Forward | Side::Ahead);
        has_parts && (self.results.len() >= PART_COUNT || self.is_heavy())
    }

    /// Takes out what has come so far. It counts as committed from now on.
    pub(super) fn take_results(&mut self) -> Vec<Archived> {
        self.weights_bytes.clear();
        self.committed_last = self.last().cloned();
        self.committed.append(&mut self.seqs);
        core::mem::take(&mut self.results)
    }

    /// Its last message so far.
    pub(super) fn last(&self) -> Option<&StanzaId> {
        let last = self.results.last().map(|archived| &archived.id);
        last.or(self.committed_last.as_ref())
    }

    /// Notes where it ends. Whether it ends where it began, or where another did.
    pub(super) fn goes_in_a_circle(&mut self) -> bool {
        let Some(last) = self.last().cloned() else {
            return false;
        };
        let stays = matches!(&self.start, Start::After(id) | Start::Ahead(id) if *id == last);
        // A page that fills a gap may end where one of the range behind it did.
        let again = !matches!(self.start, Start::Ahead(_)) && !self.reading.ends.insert(last);
        stays || again
    }

    /// The archive's ids for what has come of it and is not committed.
    pub(super) fn ids(&self) -> HashSet<StanzaId> {
        let ids = self.results.iter().map(|archived| archived.id.clone());
        ids.collect()
    }

    pub(super) fn len(&self) -> usize {
        self.results.len() + self.committed.len()
    }
}

#[cfg(test)]
mod tests {
    use eft_types::{BareJid, DeviceAddress, DeviceId};
    use eft_xmpp::Element;
    use eft_xmpp::xep::mam::ArchivedMessage;

    use super::*;

    fn page(start: Start, reading: Reading) -> Page {
        Page::new(start.query("query".to_owned(), 1), start, reading)
    }

    fn push(page: &mut Page, number: usize, body_bytes: usize) {
        let body = "x".repeat(body_bytes);
        let message: Element =
            format!("<message xmlns='jabber:client'><body>{body}</body></message>")
                .parse()
                .unwrap();
        let archived = ArchivedMessage {
            id: StanzaId::new(number.to_string()),
            stamp: Timestamp::from_millis(0),
            message,
        };
        let own = DeviceAddress::new(
            BareJid::new("a@x.example").unwrap(),
            DeviceId::new(1).unwrap(),
        );
        page.push(StanzaSeq::UNCOUNTED, Archived::new(&own, archived));
    }

    #[test]
    fn a_newest_page_keeps_its_newest_messages_and_no_more_than_fits() {
        let mut page = page(Start::Newest, Reading::default());
        for number in 0..10 {
            push(&mut page, number, PART_BYTES / 4);
            assert!(!page.is_large(), "it counts as a whole");
        }
        let kept: Vec<_> = page.results.iter().map(|kept| kept.id.as_str()).collect();
        assert_eq!(kept, ["7", "8", "9"]);
        assert_eq!(page.seqs.len(), 10, "all of them can be acknowledged");
        // One that alone is too large is a page.
        push(&mut page, 10, PART_BYTES);
        assert_eq!(page.results.len(), 1);
        assert_eq!(page.last().unwrap().as_str(), "10");
    }

    #[test]
    fn a_page_forward_is_worked_through_in_parts() {
        let mut page = page(Start::Beginning, Reading::default());
        for number in 0..PART_COUNT {
            assert!(!page.is_large());
            push(&mut page, number, 1);
        }
        assert!(page.is_large());
        assert_eq!(page.take_results().len(), PART_COUNT);
        assert!(!page.is_large());
        assert_eq!((page.len(), page.committed.len()), (PART_COUNT, PART_COUNT));
        let last = (PART_COUNT - 1).to_string();
        assert_eq!(page.last().unwrap().as_str(), last);
        push(&mut page, PART_COUNT, PART_BYTES);
        assert!(page.is_large());
    }

    #[test]
    fn a_page_that_ends_where_it_or_another_began_goes_in_a_circle() {
        let after = |id: &str| Start::After(StanzaId::new(id));
        let mut first = page(after("1"), Reading::default());
        push(&mut first, 2, 1);
        assert!(!first.goes_in_a_circle());
        let mut second = page(after("2"), first.reading);
        push(&mut second, 1, 1);
        assert!(!second.goes_in_a_circle());
        let mut third = page(after("1"), second.reading);
        push(&mut third, 2, 1);
        assert!(third.goes_in_a_circle(), "two pages, round and round");
        let mut stays = page(after("5"), Reading::default());
        push(&mut stays, 5, 1);
        assert!(stays.goes_in_a_circle());
        assert!(!page(after("5"), Reading::default()).goes_in_a_circle());
    }
}
