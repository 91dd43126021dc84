//! Bytes of records: a version byte, then postcard.

use serde::Serialize;
use zeroize::Zeroizing;

/// Encodes behind a version byte, without leaving copies of secrets in reallocated buffers.
pub(crate) fn to_bytes<T: Serialize>(version: u8, value: &T) -> Zeroizing<Vec<u8>> {
    let size = postcard::serialize_with_flavor(value, postcard::ser_flavors::Size::default());
    let mut bytes = Vec::with_capacity(size.unwrap_or_default().saturating_add(1));
    bytes.push(version);
    // Fails only where the value's `Serialize` does, and ours do not.
    let written = postcard::to_extend(value, bytes);
    debug_assert!(written.is_ok());
    Zeroizing::new(written.unwrap_or_default())
}

/// `Timestamp` as milliseconds.
pub(crate) mod timestamp {
    use eft_types::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        time: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.as_millis().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_millis)
    }
}

/// `DeviceId` as its number.
pub(crate) mod device_id {
    use eft_types::DeviceId;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        id: &DeviceId,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        id.as_u32().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<DeviceId, D::Error> {
        DeviceId::new(u32::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// 64 bytes, for which serde has no array.
pub(crate) mod signature {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        bytes: &[u8; 64],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        for (to, from) in first.iter_mut().chain(&mut second).zip(bytes) {
            *to = *from;
        }
        (first, second).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; 64], D::Error> {
        let (first, second) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(first.iter().chain(&second)) {
            *to = *from;
        }
        Ok(bytes)
    }
}
