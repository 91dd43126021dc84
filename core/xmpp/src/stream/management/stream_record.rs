//! The part of a stream that outlives the process that had it.

use eft_types::FullJid;

use super::super::record::{FieldReader, Fields, RecordError};
use super::super::resumption::ResumeRequest;
use super::super::session::StreamResumption;
use super::{ResumableState, Unacked};
use crate::address;

const VERSION: u8 = 1;
const KIND: &str = "stream";

/// Small and rewritten in every transaction that makes stanzas durable; the stanzas themselves are
/// the caller's rows, each with its number ([`super::Unacked::number`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRecord {
    /// Id to resume with.
    pub id: String,
    /// The address that was bound.
    pub full_jid: FullJid,
    /// `h`: what we have of the server's stanzas. May lag behind what we have, never lead.
    pub handled: u32,
    /// The server's last `h`. May lag behind what it has, never lead.
    pub acked: u32,
    /// Seconds that the server keeps the stream after the connection is lost, if it said.
    pub max_seconds: Option<u32>,
    /// `host` or `host:port` that the server prefers for resuming.
    pub location: Option<String>,
}

/// A stream whose connection is gone, with what the server may not have of it: all that a new
/// connection needs to go on with it, in this process or another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostStream {
    /// The stream.
    pub record: StreamRecord,
    /// Stanzas that the server has not acknowledged, oldest first.
    pub unacked: Vec<Unacked>,
    /// The number given last. `None` if this was read from disk, where not every stanza leaves a
    /// trace.
    pub sent: Option<u32>,
}

impl LostStream {
    /// What [`super::Management::resumed`] goes on with.
    #[must_use]
    pub fn into_state(self) -> ResumableState {
        ResumableState {
            handled: self.record.handled,
            acked: self.record.acked,
            unacked: self.unacked,
            sent: self.sent,
        }
    }
}

impl StreamRecord {
    /// At the beginning of a stream; `None` if the server will not resume it.
    #[must_use]
    pub fn begin(resumption: &StreamResumption, full_jid: FullJid) -> Option<Self> {
        Some(Self {
            id: resumption.id.clone()?,
            full_jid,
            handled: 0,
            acked: 0,
            max_seconds: resumption.max_seconds,
            location: resumption.location.clone(),
        })
    }

    /// The same stream with the counts at its end.
    #[must_use]
    pub fn at_end(self, state: ResumableState) -> LostStream {
        LostStream {
            record: Self {
                handled: state.handled,
                acked: state.acked,
                ..self
            },
            unacked: state.unacked,
            sent: state.sent,
        }
    }

    /// What to ask the server.
    #[must_use]
    pub fn request(&self) -> ResumeRequest {
        ResumeRequest {
            id: self.id.clone(),
            handled: self.handled,
            full_jid: self.full_jid.clone(),
        }
    }

    /// For the caller's store. Who has these bytes and the account's credentials can take the
    /// stream over; without the credentials they are worth nothing.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        Fields::new(VERSION)
            .text(&self.id)
            .text(self.full_jid.as_str())
            .number(self.handled.into())
            .number(self.acked.into())
            .optional(self.max_seconds, |fields, max| fields.number(max.into()))
            .optional(self.location.as_deref(), Fields::text)
            .finish()
            .to_vec()
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`RecordError`]: begin a new stream.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        Self::read(bytes).ok_or(RecordError { kind: KIND })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = FieldReader::new(bytes, VERSION)?;
        let record = Self {
            id: fields.text()?.to_owned(),
            full_jid: address::full_jid(fields.text()?).ok()?,
            handled: fields.short_number()?,
            acked: fields.short_number()?,
            max_seconds: fields.optional(FieldReader::short_number)?,
            location: fields.optional(FieldReader::text)?.map(str::to_owned),
        };
        fields.finish()?;
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record() -> StreamRecord {
        let resumption = StreamResumption {
            id: Some("some id".to_owned()),
            max_seconds: Some(600),
            location: Some("[::1]:5222".to_owned()),
        };
        let full_jid = FullJid::new("user@b.example/phone").unwrap();
        let begun = StreamRecord::begin(&resumption, full_jid).unwrap();
        StreamRecord {
            handled: u32::MAX,
            acked: 3,
            ..begun
        }
    }

    #[test]
    fn a_record_survives_its_bytes_and_names_what_to_ask() {
        let record = record();
        assert_eq!(
            StreamRecord::from_bytes(&record.to_bytes()).unwrap(),
            record
        );
        let request = record.request();
        assert_eq!(
            (request.id.as_str(), request.handled),
            ("some id", u32::MAX)
        );
        let nothing = StreamResumption::default();
        assert_eq!(StreamRecord::begin(&nothing, record.full_jid), None);
    }

    proptest! {
        #[test]
        fn arbitrary_or_cut_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), cut in 0usize..200) {
            let _ = StreamRecord::from_bytes(&bytes);
            let whole = record().to_bytes();
            prop_assert!(StreamRecord::from_bytes(&whole[..cut.min(whole.len() - 1)]).is_err());
        }
    }
}
