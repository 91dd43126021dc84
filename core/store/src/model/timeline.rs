//! The order of messages in a conversation.

use core::fmt;
use core::str::FromStr;

use super::Message;

/// Where a new message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// It did not come from an archive page: after everything archived so far, until an archive
    /// page shows its real place. What we write and what arrives live.
    Provisional,
    /// Next message of the archive, reading forward from the cursor: after the contiguous part.
    ArchiveNewer,
    /// Next message of the newest part of the archive, which does not join the contiguous one yet: see
    /// [`Batch::begin_range`](crate::Batch::begin_range).
    ArchiveAhead,
    /// Next message of the archive, reading backward: before all of the archive that we have.
    /// Pages list oldest first, so a page read backward is inserted in reverse.
    ArchiveOlder,
}

/// Position of a message in its conversation: the key of a page boundary.
///
/// A message that was placed provisionally gets another key when its archive position becomes
/// known, so keys belong to the reading in progress and are not for keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimelineKey {
    /// Place in the conversation: even for an archive position, odd for what follows it.
    pub(crate) place: i64,
    /// Row: arrival order, among messages of one place.
    pub(crate) id: i64,
}

impl TimelineKey {
    /// After every message.
    pub(crate) const END: Self = Self {
        place: i64::MAX,
        id: i64::MAX,
    };
}

/// A page of a conversation, newest message first, with what is known to be missing in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineSlice {
    /// The messages.
    pub messages: Vec<Message>,
    /// Where messages are missing: before the message with this index, which is the next older one. The number of
    /// messages stands for a gap below the oldest of the conversation.
    pub gaps: Vec<usize>,
    /// Whether older messages are here.
    pub has_older: bool,
}

/// Not a [`TimelineKey`] as its `Display` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a timeline key")]
pub struct TimelineKeyError;

/// For hosts that carry a key as text, such as a list widget's page token.
impl fmt::Display for TimelineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.place, self.id)
    }
}

impl FromStr for TimelineKey {
    type Err = TimelineKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (place, id) = text.split_once(':').ok_or(TimelineKeyError)?;
        let number = |text: &str| text.parse().map_err(|_| TimelineKeyError);
        Ok(Self {
            place: number(place)?,
            id: number(id)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_being_text_and_rubbish_is_none() {
        for (place, id) in [(0, 0), (-7, 12), (i64::MAX, i64::MIN)] {
            let key = TimelineKey { place, id };
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        for rubbish in ["", ":", "1", "1:", "1:x", "1:2:3"] {
            assert_eq!(
                rubbish.parse::<TimelineKey>(),
                Err(TimelineKeyError),
                "{rubbish:?}"
            );
        }
    }
}
