//! Words for persisted values, so that other programs can read the file.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{
    ConversationEncryption, ConversationKind, DeviceEventKind, Direction, MessageEncryption,
    SendFailure, SenderTrust, UnreadableCause,
};

/// Gives an enum its words in both directions from one list. A value without a word does not compile.
macro_rules! words {
    ($name:ident ($type:ident) { $($variant:ident = $word:literal),+ $(,)? }) => {
        /// Written as its word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) struct $name(pub(super) $type);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(match self.0 { $($type::$variant => $word),+ })
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match String::deserialize(deserializer)?.as_str() {
                    $($word => Ok(Self($type::$variant)),)+
                    _ => Err(D::Error::custom("not a word of this version")),
                }
            }
        }
    };
}

words!(KindWord(ConversationKind) { Direct = "direct", Room = "room" });

words!(ConversationEncryptionWord(ConversationEncryption) {
    Undecided = "undecided",
    Required = "required",
    OffByUser = "off_by_user",
});

words!(DirectionWord(Direction) { Incoming = "incoming", Outgoing = "outgoing" });

words!(EncryptionWord(MessageEncryption) {
    None = "none",
    Legacy = "legacy",
    Omemo2 = "omemo2",
    Foreign = "foreign",
});

words!(SenderTrustWord(SenderTrust) {
    Undecided = "undecided",
    BlindlyTrusted = "blindly_trusted",
    Consented = "consented",
    Verified = "verified",
    Distrusted = "distrusted",
});

words!(CauseWord(UnreadableCause) {
    Pending = "pending",
    NotForThisDevice = "not_for_this_device",
    NoSession = "no_session",
    BeforeThisDevice = "before_this_device",
    BadMac = "bad_mac",
    UnknownPreKey = "unknown_pre_key",
    SkippedTooMany = "skipped_too_many",
    Malformed = "malformed",
    KeyUsed = "key_used",
    IdentityChanged = "identity_changed",
    BadPayload = "bad_payload",
    ForeignEncryption = "foreign_encryption",
    Folded = "folded",
    Other = "other",
});

words!(SendFailureWord(SendFailure) {
    NoRecipients = "no_recipients",
    NotTrusted = "not_trusted",
    MissingBundle = "missing_bundle",
    TooLarge = "too_large",
    Refused = "refused",
    Cancelled = "cancelled",
    Other = "other",
    OptedOut = "opted_out",
});

words!(DeviceEventWord(DeviceEventKind) {
    Appeared = "appeared",
    Disappeared = "disappeared",
    Returned = "returned",
    IdentityChanged = "identity_changed",
    Downgraded = "downgraded",
    Verified = "verified",
    Distrusted = "distrusted",
    Undecided = "undecided",
    LegacyAccepted = "legacy_accepted",
});

/// Bytes, as standard base64 with padding (RFC 4648 §4).
pub(super) mod base64_bytes {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(in crate::export) fn serialize<S: Serializer>(
        bytes: impl AsRef<[u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(BASE64_STANDARD.encode(bytes)))
    }

    pub(in crate::export) fn deserialize<'de, D: Deserializer<'de>, T: TryFrom<Vec<u8>>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = BASE64_STANDARD
            .decode(text.as_bytes())
            .map_err(|_| D::Error::custom("not base64"))?;
        T::try_from(bytes).map_err(|_| D::Error::custom("wrong length"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_as_what_it_was_written_for_and_another_is_refused() {
        let word = serde_json::to_string(&CauseWord(UnreadableCause::BadMac)).unwrap();
        assert_eq!(word, "\"bad_mac\"");
        assert_eq!(
            serde_json::from_str::<CauseWord>(&word).unwrap().0,
            UnreadableCause::BadMac
        );
        assert!(serde_json::from_str::<CauseWord>("\"good_mac\"").is_err());
    }
}
