//! Which page comes next, and what one proves. No network, no disk.

use std::collections::VecDeque;

use eft_store::ArchiveCursor;
use eft_types::StanzaId;

use super::page::{Page, Reading, Start};

/// Parts of the archive that do not join, at most. Each is the newest page of a connection that ended before the gap was
/// closed; with so many, the gaps are closed before another is made.
const RANGES_MAX: usize = 16;

/// How what has come of a page ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// More of the page is to come.
    Part,
    /// With `<fin/>`.
    Page {
        /// The archive ends with it.
        at_end: bool,
        /// Nothing more lies in the direction of the page.
        is_complete: bool,
    },
    /// There is nothing between the cursor and the oldest range.
    Nothing,
}

/// Begins to read. Also answers whether what comes live follows what is known: the stream goes on, and what is missing
/// lies before that.
pub(super) fn begin(cursor: Option<&ArchiveCursor>) -> (Reading, bool) {
    let ranges = cursor.map_or(0, |cursor| cursor.ranges.len());
    let is_current = ranges > 0 && cursor.is_some_and(|cursor| cursor.newest_at_end);
    (Reading::new(is_current || ranges >= RANGES_MAX), is_current)
}

/// What the end of a page proves. `once_more`: live messages were left to the archive, and may stand behind it.
pub(super) fn ending(
    page: &Page,
    is_complete: bool,
    cursor: Option<&ArchiveCursor>,
    once_more: bool,
    is_current: bool,
) -> Ending {
    let is_empty = page.len() == 0;
    let has_gap = cursor.is_some_and(|cursor| !cursor.ranges.is_empty());
    let is_ahead = matches!(page.start, Start::Newest | Start::Ahead(_));
    if is_empty && has_gap && !is_ahead {
        // The archive has nothing between the cursor and what is known beyond it, whatever it said before.
        return Ending::Nothing;
    }
    let is_last = match page.start {
        Start::First => true,
        // Without results it says nothing.
        Start::Newest => !is_empty,
        _ => is_complete || is_empty,
    };
    Ending::Page {
        at_end: (is_last && !once_more) || is_current,
        is_complete,
    }
}

/// Where the next page will begin, if that is certain before this one is worked through. `meets_range`: this one reaches
/// what is known beyond a gap.
pub(super) fn ahead(
    page: &Page,
    is_complete: bool,
    meets_range: bool,
    is_current: bool,
    is_paused: bool,
) -> Option<Start> {
    let last = page.last().filter(|_| !is_complete)?;
    match page.start {
        // Its messages decide what is wanted next.
        Start::First | Start::Newest => None,
        Start::Ahead(_) => Some(Start::Ahead(last.clone())),
        _ if !is_current && !page.reading.has_asked_newest => Some(Start::Newest),
        _ if meets_range || (is_current && is_paused) => None,
        _ => Some(Start::After(last.clone())),
    }
}

/// Where the next page begins; `None`: none is wanted now.
pub(super) fn next(
    reading: &mut Reading,
    cursor: Option<&ArchiveCursor>,
    is_current: bool,
    is_paused: bool,
) -> Option<Start> {
    if is_current {
        return (!is_paused).then(|| Start::behind(cursor));
    }
    if !reading.has_asked_newest {
        reading.has_asked_newest = true;
        reading.is_ahead = true;
        return Some(Start::Newest);
    }
    // Its end has to be certain before what comes live can follow it.
    let range = cursor.and_then(|cursor| cursor.ranges.last());
    match range.filter(|_| reading.is_ahead) {
        Some(range) => Some(Start::Ahead(range.last.0.clone())),
        None => Some(Start::behind(cursor)),
    }
}

/// A live message that waits: what of it tells where it belongs.
pub(super) struct Waits {
    /// The own archive's id for it.
    pub(super) name: Option<StanzaId>,
    /// The server says that it had kept it.
    pub(super) is_delayed: bool,
}

/// Takes out of the live messages that waited for a page those that the archive will bring in their order, and answers
/// whether it must be asked for what stands behind the page: then one of them may. A server can hand over what it kept for
/// an absent client, too, all that lies in the gap.
pub(super) fn left_to_archive<T>(
    held: &mut VecDeque<T>,
    page: &Page,
    waits: impl Fn(&T) -> Waits,
) -> (Vec<T>, bool) {
    let is_newest = match page.start {
        Start::Newest => true,
        Start::Ahead(_) => false,
        _ => return (Vec::new(), false),
    };
    let ids = page.ids();
    let mut is_behind = false;
    let (left, kept): (VecDeque<T>, _) = held.drain(..).partition(|held| {
        let Waits { name, is_delayed } = waits(held);
        let is_left = name.is_some() && (is_newest || is_delayed);
        is_behind |= is_left && name.is_some_and(|name| !ids.contains(&name));
        is_left
    });
    *held = kept;
    (left.into(), is_behind)
}
