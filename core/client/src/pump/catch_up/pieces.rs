//! A page, cut where the archive is known already.
//!
//! ```text
//!   known ──── cursor           range ────────            range ── end
//!         page: ├── piece ──┤├─ left out ─┤├─ join, piece ─┤├─ ...
//! ```

use eft_store::{ArchiveCursor, ArchivePoint, ArchiveProgress, ArchiveRange};
use eft_types::{DeviceAddress, StanzaId};
use rand::rngs::StdRng;

use crate::error::Error;
use crate::pump::inbound::{Archived, Inbound, Part, Receiving, Seen, Source};
use crate::unit::Unit;

/// Which part of the archive a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// It goes on behind the cursor.
    Forward,
    /// It shows a new device what was there before it.
    First,
    /// It is the newest page, as a whole: whether it reaches down to something known shows in it.
    Newest,
    /// It goes on behind the newest range.
    Ahead,
}

/// Results that are committed together, with what they prove.
#[derive(Debug)]
pub(super) struct Piece<'r> {
    pub(super) results: &'r [Archived],
    part: Part,
    /// It begins a range.
    begins: bool,
    /// Between what is known before it and the oldest range there is nothing more: the gap is closed.
    pub(super) joins: bool,
}

impl<'r> Piece<'r> {
    const fn new(part: Part, results: &'r [Archived]) -> Self {
        Self {
            results,
            part,
            begins: false,
            joins: false,
        }
    }

    /// Behind the oldest range.
    pub(super) const fn joining(results: &'r [Archived]) -> Self {
        Self {
            joins: true,
            ..Self::new(Part::Next, results)
        }
    }
}

/// Cuts results. What stands in a range is durable already and left out. `holds` says whether a message has its place in
/// a range: its ends may have been deleted at the server.
pub(super) fn cut<'r>(
    side: Side,
    cursor: Option<&ArchiveCursor>,
    results: &'r [Archived],
    mut holds: impl FnMut(&Archived, &ArchiveRange) -> Result<bool, Error>,
) -> Result<Vec<Piece<'r>>, Error> {
    let ranges = cursor.map_or(&[][..], |cursor| &cursor.ranges);
    let mut rest = results;
    match side {
        Side::First => return Ok(vec![Piece::new(Part::First, results)]),
        Side::Ahead => return Ok(vec![Piece::new(Part::Ahead, results)]),
        Side::Newest if results.is_empty() => return Ok(vec![Piece::new(Part::Ahead, results)]),
        Side::Newest => {
            let known = cursor.and_then(|cursor| cursor.last.as_ref());
            let newest = ranges.last();
            if let Some(news) = known.and_then(|last| behind(results, &last.0)) {
                // No gap after all.
                rest = news;
            } else if let Some(news) = newest.and_then(|range| behind(results, &range.last.0)) {
                return Ok(vec![Piece::new(Part::Ahead, news)]);
            } else {
                return Ok(vec![Piece {
                    begins: true,
                    ..Piece::new(Part::Ahead, results)
                }]);
            }
        }
        Side::Forward => {}
    }
    let mut pieces = vec![Piece::new(Part::Next, rest)];
    for range in ranges {
        let Some((index, passed)) = meeting(rest, range, &mut holds)? else {
            break;
        };
        let (gap, known) = rest.split_at(index);
        if let Some(piece) = pieces.last_mut() {
            piece.results = gap;
        }
        rest = match behind(known, &range.last.0) {
            Some(news) => news,
            // Its messages are gone from the archive.
            None if passed => known,
            None => &[],
        };
        pieces.push(Piece::joining(rest));
    }
    Ok(pieces)
}

/// Whether what has come of a page reaches the oldest range.
pub(super) fn meets_range(
    cursor: Option<&ArchiveCursor>,
    results: &[Archived],
    holds: impl FnMut(&Archived, &ArchiveRange) -> Result<bool, Error>,
) -> Result<bool, Error> {
    let Some(range) = cursor.and_then(|cursor| cursor.ranges.first()) else {
        return Ok(false);
    };
    if results.iter().any(|archived| is_end(archived, range)) {
        return Ok(true);
    }
    // They are in order: else it shows in the last.
    match results.last_chunk::<1>() {
        Some(last) => Ok(meeting(last, range, holds)?.is_some()),
        None => Ok(false),
    }
}

fn is_end(archived: &Archived, range: &ArchiveRange) -> bool {
    archived.id == range.first.0 || archived.id == range.last.0
}

/// Where results come to a range, and whether they have passed it already. Results are in the order of time (§4.3).
fn meeting(
    results: &[Archived],
    range: &ArchiveRange,
    mut holds: impl FnMut(&Archived, &ArchiveRange) -> Result<bool, Error>,
) -> Result<Option<(usize, bool)>, Error> {
    for (index, archived) in results.iter().enumerate() {
        if is_end(archived, range) || holds(archived, range)? {
            return Ok(Some((index, false)));
        }
        if archived.stamp > range.last.1 {
            return Ok(Some((index, true)));
        }
    }
    Ok(None)
}

/// What stands behind a message.
fn behind<'r>(results: &'r [Archived], id: &StanzaId) -> Option<&'r [Archived]> {
    let index = results.iter().position(|archived| archived.id == *id)?;
    results.get(index + 1..)
}

/// Puts a piece into a unit. `at_end`: the archive ends with it.
pub(super) fn put(
    unit: &mut Unit<'_>,
    own: &DeviceAddress,
    piece: &Piece<'_>,
    at_end: bool,
    is_complete: bool,
    rng: &mut StdRng,
) -> Result<(), Error> {
    let archive = own.jid.clone();
    let first = piece.results.first().map(point);
    if piece.begins
        && let Some(first) = first.clone()
    {
        unit.batch.begin_range(archive.clone(), first);
    }
    let mut seen = Seen::default();
    for archived in piece.results {
        let source = Source::archive(&archive, archived, piece.part);
        if let Some(message) = Inbound::of_archived(own, archived, source) {
            message.take(unit, &mut seen, Receiving::CatchUp, rng)?;
        }
    }
    if piece.joins {
        unit.batch.join_range(archive.clone());
    }
    let progress = ArchiveProgress {
        archive: archive.clone(),
        last: piece.results.last().map(point),
        at_end,
    };
    match piece.part {
        Part::Ahead => unit.batch.extend_range(progress),
        Part::First => {
            unit.batch.advance_archive(progress);
            unit.batch.note_first(archive, first, is_complete);
        }
        Part::Next | Part::Older => unit.batch.advance_archive(progress),
    }
    Ok(())
}

/// A message's end of a part of the archive.
pub(in crate::pump) fn point(archived: &Archived) -> ArchivePoint {
    (archived.id.clone(), archived.stamp)
}
