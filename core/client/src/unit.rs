//! One unit of work: everything that some input changes, read from the store as needed, computed
//! by the engine, committed at once, and only then spoken of (laws 1 and 3).

use eft_omemo::{
    Action, Changes, EncryptError, Event as EngineEvent, InitiateError, InstallError, NotTrusted,
    RecordKey, Records, StepError,
};
use eft_store::{
    Batch, Committed, ConversationRef, DeviceEvent, DeviceEventKind, Durability, Insertion,
    NewMessage, NewMessageRef, OptOut, Store, WriteMark,
};
use eft_types::{BareJid, DeviceAddress, Timestamp};

use std::collections::BTreeSet;

use crate::error::Error;
use crate::pump::pending::{PENDING_MAX, Position};

/// A unit of work in progress. Dropped without [`Unit::commit`], it has not happened.
pub(crate) struct Unit<'s> {
    store: &'s Store,
    records: Records,
    /// Rows other than the engine's records.
    pub(crate) batch: Batch,
    notices: Vec<Notice>,
    /// Keys of the actions that this unit adds.
    added_actions: Vec<Vec<u8>>,
    /// Inserted messages that others of their device must come before.
    waiting: Vec<(NewMessageRef, Position)>,
    /// How many more messages may be left waiting.
    pub(crate) waiting_room: usize,
    /// Devices whose session moved.
    moved: BTreeSet<DeviceAddress>,
    /// Whether the user is to be told of what is new: nobody looks at the app.
    pub(crate) announces: bool,
    /// The time at which the unit began; one for all that it does.
    pub(crate) now: Timestamp,
}

/// What is to be told after the commit.
#[derive(Clone, Debug)]
pub(crate) enum Notice {
    /// A message was inserted.
    Inserted(NewMessageRef),
    /// A device appeared on a list.
    DeviceAppeared(DeviceAddress),
    /// A device vanished from a list.
    DeviceVanished(DeviceAddress),
    /// A device is on the legacy list only, and was on the better one.
    DeviceDowngraded(DeviceAddress),
    /// A device came under another key.
    IdentityChanged(DeviceAddress),
    /// A contact wishes no more encrypted messages.
    OptedOut(BareJid),
}

/// What a unit did.
pub(crate) struct Done {
    pub(crate) committed: Committed,
    /// What it wrote.
    pub(crate) batch: Batch,
    pub(crate) notices: Vec<Notice>,
    /// Keys of the actions that were added, or asked for once more.
    pub(crate) added_actions: Vec<Vec<u8>>,
    /// Inserted messages that wait, with their place in their chain.
    pub(crate) waiting: Vec<(NewMessageRef, Position)>,
    /// Devices whose session moved: what waits of theirs may be readable now.
    pub(crate) moved: BTreeSet<DeviceAddress>,
}

/// The engine's records as a unit left them, for the next: most of an archive's messages are of the same few devices.
/// They are of use as long as nobody else has written.
pub(crate) struct Remembered {
    records: Records,
    mark: WriteMark,
}

/// Records that are remembered, at most. Each message makes its own, if only to say that no key was kept for it.
const REMEMBERED_MAX: usize = 2048;

impl<'s> Unit<'s> {
    pub(crate) fn begin(store: &'s Store, now: Timestamp) -> Self {
        Self {
            store,
            records: Records::new(),
            batch: Batch::new(),
            notices: Vec::new(),
            added_actions: Vec::new(),
            waiting: Vec::new(),
            waiting_room: PENDING_MAX,
            moved: BTreeSet::new(),
            announces: false,
            now,
        }
    }

    pub(crate) const fn store(&self) -> &'s Store {
        self.store
    }

    /// Goes on with what the unit before remembers, if it still holds.
    pub(crate) fn remember(&mut self, remembered: Remembered) -> Result<(), Error> {
        if self.store.write_mark()? == remembered.mark {
            self.records = remembered.records;
        }
        Ok(())
    }

    /// Loads records that a step is known to need, in one read.
    pub(crate) fn preload(
        &mut self,
        keys: impl IntoIterator<Item = RecordKey>,
    ) -> Result<(), Error> {
        let missing: Vec<RecordKey> = keys
            .into_iter()
            .filter(|key| !self.records.is_loaded(key))
            .collect();
        if !missing.is_empty() {
            for (key, record) in self.store.load(&missing)? {
                self.records.insert_loaded(key, record);
            }
        }
        Ok(())
    }

    /// Runs a step of the engine, loading what it asks for. The outer error is ours, the inner one
    /// the step's own; [`StepError::Missing`] never comes out of here.
    pub(crate) fn step<T, E: StepFailure>(
        &mut self,
        mut step: impl FnMut(&Records) -> Result<T, E>,
    ) -> Result<Result<T, E>, Error> {
        // Each round loads at least one more record; a step that asks again for what it was given
        // would never end.
        for _ in 0..MAX_ROUNDS {
            match step(&self.records) {
                Err(failure) => match failure.missing() {
                    Some(keys) => {
                        let keys = keys.to_vec();
                        self.preload(keys)?;
                    }
                    None => return Ok(Err(failure)),
                },
                done => return Ok(done),
            }
        }
        Err(Error::bug("an engine step keeps asking for records"))
    }

    /// As [`Unit::step`] for steps whose every failure is a fault of ours.
    pub(crate) fn sure_step<T>(
        &mut self,
        step: impl FnMut(&Records) -> Result<T, StepError>,
    ) -> Result<T, Error> {
        self.step(step)?.map_err(|error| match error {
            StepError::Damaged(_) => Error::StoreDamaged {
                reason: error.to_string(),
                cause: None,
            },
            other => Error::bug(other.to_string()),
        })
    }

    /// Takes a step's changes, so that the next step sees them and the commit writes them.
    pub(crate) fn apply(&mut self, changes: Changes) {
        self.records.apply(changes);
    }

    /// Takes all effects of a step.
    pub(crate) fn absorb(
        &mut self,
        changes: Changes,
        actions: Vec<Action>,
        events: Vec<EngineEvent>,
    ) {
        self.apply(changes);
        for action in actions {
            self.add_action(action);
        }
        for event in events {
            self.note(event);
        }
    }

    /// Says that an inserted message waits.
    pub(crate) fn wait(&mut self, message: NewMessageRef, position: Position) {
        self.waiting_room = self.waiting_room.saturating_sub(1);
        self.waiting.push((message, position));
    }

    /// Says that a session with this device moved.
    pub(crate) fn session_moved(&mut self, device: DeviceAddress) {
        self.moved.insert(device);
    }

    /// Adds something to do.
    pub(crate) fn add_action(&mut self, action: Action) {
        self.added_actions.push(action.key());
        self.batch.add_action(action);
    }

    /// Says that an inserted message is to be told of.
    pub(crate) fn announce(&mut self, message: NewMessageRef) {
        self.notices.push(Notice::Inserted(message));
    }

    /// A contact wishes no more encrypted messages: nothing is sent until the user has answered.
    pub(crate) fn opt_out(&mut self, peer: &BareJid, reason: Option<String>) {
        let opt_out = OptOut {
            at: self.now,
            reason,
        };
        let conversation = ConversationRef::direct(peer.clone());
        self.batch
            .set_opt_out(conversation, Some(opt_out), self.now);
        self.notices.push(Notice::OptedOut(peer.clone()));
    }

    /// Turns an engine's event into lines of the device log and into what the app is told.
    fn note(&mut self, event: EngineEvent) {
        let (device, kind, detail) = match event {
            EngineEvent::DeviceAppeared { address, version } => {
                self.notices.push(Notice::DeviceAppeared(address.clone()));
                (
                    address,
                    DeviceEventKind::Appeared,
                    Some(version.to_string()),
                )
            }
            EngineEvent::DeviceDisappeared { address, version } => {
                self.notices.push(Notice::DeviceVanished(address.clone()));
                (
                    address,
                    DeviceEventKind::Disappeared,
                    Some(version.to_string()),
                )
            }
            EngineEvent::DeviceDowngraded { address } => {
                self.notices.push(Notice::DeviceDowngraded(address.clone()));
                (address, DeviceEventKind::Downgraded, None)
            }
            EngineEvent::IdentityChangeRefused {
                address,
                known,
                found,
            } => {
                self.notices.push(Notice::IdentityChanged(address.clone()));
                let detail = format!("{known} -> {found}");
                (address, DeviceEventKind::IdentityChanged, Some(detail))
            }
            // Neither the user nor an investigation needs a row for these.
            EngineEvent::OwnDeviceUnlisted { .. }
            | EngineEvent::KeyAppeared { .. }
            | EngineEvent::SessionAccepted { .. }
            | EngineEvent::SessionInitiated { .. }
            | EngineEvent::SkippedKeysEvicted { .. }
            | EngineEvent::TwoRatchetsSeen { .. }
            | EngineEvent::DeviceListTruncated { .. } => return,
        };
        self.batch.log_device(DeviceEvent {
            at: self.now,
            device,
            kind,
            detail,
        });
    }

    /// Whether there is nothing to commit.
    pub(crate) fn is_empty(&self) -> bool {
        self.batch.is_empty() && !self.records.has_changes()
    }

    /// Writes everything in one transaction. If this fails, nothing has happened.
    pub(crate) fn commit(self, durability: Durability) -> Result<Done, Error> {
        Ok(self.commit_records(durability)?.0)
    }

    /// The same, and remembers the records for the next unit, unless they are too many.
    pub(crate) fn commit_and_remember(
        self,
        durability: Durability,
    ) -> Result<(Done, Option<Remembered>), Error> {
        let store = self.store;
        let (done, records) = self.commit_records(durability)?;
        let remembered = match records.len() <= REMEMBERED_MAX {
            true => Some(Remembered {
                records,
                mark: store.write_mark()?,
            }),
            false => None,
        };
        Ok((done, remembered))
    }

    fn commit_records(mut self, durability: Durability) -> Result<(Done, Records), Error> {
        self.batch.merge_changes(self.records.take_changes());
        let committed = if self.batch.is_empty() {
            Committed::default()
        } else {
            self.store.commit(&self.batch, durability)?
        };
        let done = Done {
            committed,
            batch: self.batch,
            notices: self.notices,
            added_actions: self.added_actions,
            waiting: self.waiting,
            moved: self.moved,
        };
        Ok((done, self.records))
    }
}

impl Done {
    /// Messages that are news to the user, in order: what became of each, and what was written.
    pub(crate) fn news(&self) -> impl Iterator<Item = (Insertion, Option<&NewMessage>)> {
        self.notices.iter().filter_map(|notice| match notice {
            Notice::Inserted(message) => {
                let insertion = self.committed.message(*message)?;
                let is_news = insertion.is_news();
                is_news.then(|| (insertion, self.batch.message(*message)))
            }
            _ => None,
        })
    }
}

/// Rounds of loading that no step needs: the deepest one asks for a session, then its archived
/// sessions, then their skipped keys.
const MAX_ROUNDS: usize = 32;

/// A step's failure that may only mean "load more".
pub(crate) trait StepFailure {
    /// The records to load, if that is all there is to it.
    fn missing(&self) -> Option<&[RecordKey]>;
}

impl StepFailure for StepError {
    fn missing(&self) -> Option<&[RecordKey]> {
        match self {
            Self::Missing(keys) => Some(keys),
            _ => None,
        }
    }
}

impl StepFailure for EncryptError {
    fn missing(&self) -> Option<&[RecordKey]> {
        match self {
            Self::Step(error) => error.missing(),
            _ => None,
        }
    }
}

impl StepFailure for InitiateError {
    fn missing(&self) -> Option<&[RecordKey]> {
        match self {
            Self::Step(error) => error.missing(),
            _ => None,
        }
    }
}

impl StepFailure for InstallError {
    fn missing(&self) -> Option<&[RecordKey]> {
        match self {
            Self::Step(error) => error.missing(),
            _ => None,
        }
    }
}

impl StepFailure for NotTrusted {
    fn missing(&self) -> Option<&[RecordKey]> {
        match self {
            Self::Step(error) => error.missing(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
