//! Names of messages. Each kind is its own type: mixing them up loses or doubles messages.

use core::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it stands on the wire.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text as it stands on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.0)
            }
        }
    };
}

text_id! {
    /// Chosen by the sending client (XEP-0359 `<origin-id/>`, else the stanza's `id`). Anyone can
    /// write any value here, so it is only meaningful together with the sender.
    OriginId
}

text_id! {
    /// Chosen by an archive (XEP-0359 `<stanza-id/>`, XEP-0313 `<result id/>`). Only meaningful
    /// together with the archive that gave it.
    StanzaId
}

/// Row of a message in the local store. Never leaves the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(i64);

impl MessageId {
    /// From the store's row id.
    #[must_use]
    pub const fn from_row(row: i64) -> Self {
        Self(row)
    }

    /// The store's row id.
    #[must_use]
    pub const fn as_row(self) -> i64 {
        self.0
    }
}
