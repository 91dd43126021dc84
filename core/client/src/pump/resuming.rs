//! A stream that outlives its connection (XEP-0198 §5): what the disk knows of it, and going on with it in this process
//! or in another.
//!
//! There is one path for both. What was sent has its number in the outbox from the commit before it went out (law 2),
//! what was received is counted in the commit that makes it durable; so the disk is all that is needed.

use std::collections::{HashMap, HashSet};

use eft_store::{Batch, DeliveryState, Opaque, OutboxEntry, OutboxId, StreamState};
use eft_types::{MessageId, Timestamp};
use eft_xmpp::driver::Connection;
use eft_xmpp::stream::{LostStream, Resumption, StanzaSeq, StreamRecord, Unacked};
use eft_xmpp::xml;

use super::link::InFlight;
use super::{Pump, delivery, stanza};
use crate::error::Error;
use crate::unit::Unit;

/// How a connection's stream began.
#[derive(Default)]
pub(crate) struct Begun {
    /// Whether it is an earlier one that goes on.
    pub(crate) is_resumed: bool,
    /// What is on its way over it, by row of the outbox.
    pub(crate) in_flight: HashMap<u64, InFlight>,
    /// What the disk holds, if the server will resume it later.
    pub(crate) on_disk: Option<StreamState>,
}

/// What [`StreamState::details`] holds: a byte of ours, then the record of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetUpState {
    /// The first questions of the session were not asked on it.
    Due = 0,
    /// They were: the server pushes what changes.
    Done = 1,
}

impl SetUpState {
    fn with(self, record: &StreamRecord) -> Opaque {
        let mut bytes = vec![self as u8];
        bytes.extend(record.to_bytes());
        Opaque::new(bytes)
    }

    fn of(state: &StreamState) -> Self {
        match state.details.as_bytes().first() {
            Some(1) => Self::Done,
            _ => Self::Due,
        }
    }
}

fn record(state: &StreamState) -> Option<StreamRecord> {
    let (_, record) = state.details.as_bytes().split_first()?;
    StreamRecord::from_bytes(record).ok()
}

impl Pump {
    /// The stream that the server may still keep for this device, as the disk knows it.
    pub(super) fn lost_stream(&self) -> Result<Option<LostStream>, Error> {
        let Some(state) = self.store.stream()? else {
            return Ok(None);
        };
        // What cannot be read is no reason to stay away: a new stream begins.
        let Some(record) = record(&state) else {
            return Ok(None);
        };
        let unacked = self
            .on_stream(state.acked_outbound)?
            .iter()
            .filter_map(unacked)
            .collect::<Result<_, Error>>()?;
        Ok(Some(LostStream {
            record: StreamRecord {
                handled: state.handled_inbound,
                acked: state.acked_outbound,
                ..record
            },
            unacked,
            sent: None,
        }))
    }

    /// What has a number on the stream, oldest first. Numbers wrap, so their order is that of the distance from what the
    /// server acknowledged last.
    fn on_stream(&self, acked: u32) -> Result<Vec<OutboxEntry>, Error> {
        let mut entries = self.store.outbox_on_stream()?;
        entries.sort_by_key(|entry| {
            let number = entry.stream_sequence.unwrap_or(acked);
            (number.wrapping_sub(acked), entry.id)
        });
        Ok(entries)
    }

    /// Writes down how the stream of a connection began, before anything else is done on it: what the server had of the
    /// earlier one is done with, and the rest goes on, or is sent anew.
    pub(super) fn begin_stream(&mut self, connection: &mut Connection) -> Result<Begun, Error> {
        let session = connection.session();
        if let Resumption::Resumed { h } = session.resumption {
            return Ok(Begun {
                is_resumed: true,
                in_flight: self.resumed_at(h)?,
                on_disk: self.store.stream()?,
            });
        }
        let record = session
            .stream_management
            .as_ref()
            .and_then(|resumption| StreamRecord::begin(resumption, session.full_jid.clone()));
        let known: HashSet<u64> = connection.take_leftover().acked.into_iter().collect();
        let entries = self.store.outbox_on_stream()?;
        let (acked, waiting) = divided(&entries, |entry| known.contains(&token(entry.id)));
        self.commit(|unit, _| {
            note_acked(&mut unit.batch, acked, &waiting);
            unit.batch.forget_outbox_sequences();
            // What the server sent between the two streams is in the archive alone.
            unit.batch.reopen_archives();
            match record {
                Some(record) => unit.batch.start_stream(StreamState {
                    resume_id: Opaque::new(record.id.as_bytes()),
                    handled_inbound: 0,
                    acked_outbound: 0,
                    details: SetUpState::Due.with(&record),
                }),
                None => unit.batch.end_stream(),
            }
            Ok(())
        })?;
        Ok(Begun {
            on_disk: self.store.stream()?,
            ..Begun::default()
        })
    }

    /// Whether the first questions need not be asked on a stream that was resumed: they were, and nothing that the
    /// server said since is missing.
    pub(super) fn is_set_up(&self, begun: &Begun) -> Result<bool, Error> {
        let is_done = |state: &StreamState| SetUpState::of(state) == SetUpState::Done;
        if !begun.is_resumed || !begun.on_disk.as_ref().is_some_and(is_done) {
            return Ok(false);
        }
        self.is_caught_up()
    }

    /// Whether the account's archive was read to its end, and nothing was lost since.
    pub(super) fn is_caught_up(&self) -> Result<bool, Error> {
        let cursor = self.store.archive_cursor(&self.own.jid)?;
        Ok(cursor.is_some_and(|cursor| cursor.at_end))
    }

    /// The first questions are answered: whoever resumes the stream need not ask them.
    pub(super) fn note_set_up(&mut self) -> Result<(), Error> {
        let Some(state) = self.link.as_ref().and_then(|link| link.on_disk.clone()) else {
            return Ok(());
        };
        let Some(record) = record(&state) else {
            return Ok(());
        };
        self.commit(|unit, _| {
            unit.batch.start_stream(StreamState {
                details: SetUpState::Done.with(&record),
                ..state
            });
            Ok(())
        })
    }

    /// The server goes on with the stream and has what is numbered up to `h`. The driver repeats the rest, in order; it
    /// has new numbers now, behind `h`.
    fn resumed_at(&mut self, h: u32) -> Result<HashMap<u64, InFlight>, Error> {
        let base = self.store.stream()?.map_or(0, |state| state.acked_outbound);
        let entries = self.on_stream(base)?;
        let ahead = h.wrapping_sub(base);
        let is_acked = |entry: &OutboxEntry| {
            entry
                .stream_sequence
                .is_some_and(|number| number.wrapping_sub(base) <= ahead)
        };
        let (acked, waiting) = divided(&entries, is_acked);
        let mut in_flight = HashMap::new();
        self.commit(|unit, _| {
            note_acked(&mut unit.batch, acked, &waiting);
            let mut number = h;
            for entry in entries.iter().filter(|entry| !is_acked(entry)) {
                number = number.wrapping_add(1);
                unit.batch.set_outbox_sequence(entry.id, number);
                let repeated = InFlight {
                    message: entry.message,
                    number: Some(number),
                };
                in_flight.insert(token(entry.id), repeated);
            }
            unit.batch.count_stream(None, Some(h));
            Ok(())
        })?;
        Ok(in_flight)
    }

    /// Puts into a unit what the server may be told once these stanzas are durable with it.
    pub(super) fn count_handled(&mut self, unit: &mut Unit<'_>, settled: &[StanzaSeq]) {
        if let Some(link) = self.link.as_mut()
            && let Some(handled) = link.handled_with(settled)
        {
            unit.batch.count_stream(Some(handled), None);
        }
    }

    /// The stream is over: nobody resumes it.
    pub(super) fn end_stream(&mut self) -> Result<(), Error> {
        if self.store.stream()?.is_none() {
            return Ok(());
        }
        self.commit(|unit, _| {
            unit.batch.end_stream();
            unit.batch.forget_outbox_sequences();
            Ok(())
        })
    }
}

/// The server has these entries, each with the message that it sends. A message of two stanzas is with the server when
/// both are: `waiting` are those of which it may not have one.
pub(super) fn note_acked(
    batch: &mut Batch,
    acked: impl IntoIterator<Item = (OutboxId, Option<MessageId>)>,
    waiting: &HashSet<MessageId>,
) {
    for (entry, message) in acked {
        batch.remove_outbox(entry);
        if let Some(message) = message.filter(|message| !waiting.contains(message)) {
            batch.update_message(message, delivery(DeliveryState::Acked));
        }
    }
}

/// Those that the server has, and the messages of the others.
fn divided(
    entries: &[OutboxEntry],
    is_acked: impl Fn(&OutboxEntry) -> bool,
) -> (Vec<(OutboxId, Option<MessageId>)>, HashSet<MessageId>) {
    let (acked, waiting): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| is_acked(entry));
    (
        acked
            .iter()
            .map(|entry| (entry.id, entry.message))
            .collect(),
        waiting.iter().filter_map(|entry| entry.message).collect(),
    )
}

/// How the connection calls an entry of the outbox.
pub(super) const fn token(entry: OutboxId) -> u64 {
    entry.as_row().unsigned_abs()
}

/// The entry that the connection calls so.
pub(super) fn row(token: u64) -> OutboxId {
    OutboxId::from_row(i64::try_from(token).unwrap_or(i64::MAX))
}

/// An entry as the connection repeats it.
fn unacked(entry: &OutboxEntry) -> Option<Result<Unacked, Error>> {
    let number = entry.stream_sequence?;
    let element = stanza::from_bytes(entry.stanza.as_ref()?);
    Some(element.and_then(|element| {
        let text = xml::encode_stanza(&element)
            .map_err(|error| Error::bug(format!("a stored stanza cannot be written: {error}")))?;
        Ok(Unacked {
            number,
            text: text.into(),
            token: Some(token(entry.id)),
            // Whether it arrived is asked at once.
            queued_at: Timestamp::from_millis(0),
        })
    }))
}
