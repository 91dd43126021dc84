//! All that this crate takes from the engine: names and encodings of what it stores.

pub(crate) use eft_omemo::{Action, Changes, Record, RecordKey, RecordKind};
