//! Contents of records.

use core::fmt;

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{
    AccountRecord, DeviceListRecord, DeviceRecord, PreKeyRecord, PreKeysRecord, RecordKind,
    SignedPreKeyRecord, to_bytes,
};
use crate::RecordError;
use crate::session::{ArchivedSessions, OldChains, SeenMessages, Session, SkippedKey, SkippedKeys};
use crate::trust::TrustRecord;

/// The content of one row. Opaque outside the engine; `Debug` tells the kind and no more.
#[derive(Clone, PartialEq, Eq)]
pub struct Record(pub(crate) Body);

/// A type that is the content of one kind of record.
pub(crate) trait Stored: Sized {
    fn from_body(body: &Body) -> Option<&Self>;
}

macro_rules! bodies {
    ($($kind:ident($version:literal, $content:ty)),* $(,)?) => {
        /// The content by kind. The number is the version that is written, and so far the only one read.
        #[derive(Clone, PartialEq, Eq)]
        pub(crate) enum Body {
            $($kind(Box<$content>),)*
        }

        $(
            impl Stored for $content {
                fn from_body(body: &Body) -> Option<&Self> {
                    match body {
                        Body::$kind(content) => Some(content),
                        _ => None,
                    }
                }
            }

            impl From<$content> for Record {
                fn from(content: $content) -> Self {
                    Self(Body::$kind(Box::new(content)))
                }
            }
        )*

        impl Record {
            /// What sort of record it is.
            #[must_use]
            pub const fn kind(&self) -> RecordKind {
                match &self.0 {
                    $(Body::$kind(_) => RecordKind::$kind,)*
                }
            }

            /// The bytes for the store: the kind's version byte, then the content.
            #[must_use]
            pub fn encode(&self) -> Zeroizing<Vec<u8>> {
                match &self.0 {
                    $(Body::$kind(content) => to_bytes($version, content.as_ref()),)*
                }
            }

            /// Reads bytes from the store.
            ///
            /// # Errors
            /// [`RecordError::UnknownVersion`] for a record of a newer release, [`RecordError::Damaged`] for anything
            /// that is not exactly one record of this kind.
            pub fn decode(kind: RecordKind, bytes: &[u8]) -> Result<Self, RecordError> {
                match kind {
                    $(RecordKind::$kind => decode::<$content>(kind, $version, bytes).map(Self::from),)*
                }
            }
        }
    };
}

bodies! {
    Account(1, AccountRecord),
    PreKeys(1, PreKeysRecord),
    PreKey(1, PreKeyRecord),
    SignedPreKey(1, SignedPreKeyRecord),
    Device(1, DeviceRecord),
    DeviceList(1, DeviceListRecord),
    Trust(1, TrustRecord),
    Session(1, Session),
    OldChains(1, OldChains),
    ArchivedSessions(1, ArchivedSessions),
    SkippedKeys(1, SkippedKeys),
    SkippedKey(1, SkippedKey),
    SeenMessages(1, SeenMessages),
}

fn decode<T: DeserializeOwned>(
    kind: RecordKind,
    version: u8,
    bytes: &[u8],
) -> Result<T, RecordError> {
    let damaged = RecordError::Damaged { kind };
    let (found, content) = bytes.split_first().ok_or(damaged)?;
    if *found != version {
        return Err(RecordError::UnknownVersion {
            kind,
            found: *found,
        });
    }
    match postcard::take_from_bytes(content) {
        Ok((value, [])) => Ok(value),
        _ => Err(damaged),
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({:?})", self.kind())
    }
}
