//! All that this crate takes from the engine: names and encodings of what it stores.

pub(crate) use crate::omemo_stand_in::{Action, Changes, Record, RecordKey, RecordKind};
