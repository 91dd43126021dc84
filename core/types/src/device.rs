//! One client installation, as OMEMO names it.

use core::fmt;
use core::str::FromStr;

use jid::BareJid;

/// Id of one OMEMO device, unique within its account (XEP-0384 §5.1).
///
/// The specification asks for 1 to 2³¹−1, and that is what [`DeviceId::generated`] accepts. Deployed
/// clients have published larger values, so any non-zero `u32` is read from the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(u32);

/// Why a number or text is no device id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceIdError {
    /// Zero names no device.
    #[error("device id 0 is not allowed")]
    Zero,
    /// Not a decimal number of 32 bits.
    #[error("not a decimal number of 32 bits")]
    NotANumber,
}

impl DeviceId {
    /// Largest id that we give to ourselves (XEP-0384 §5.1).
    pub const MAX_GENERATED: u32 = 0x7FFF_FFFF;

    /// Takes an id from the wire.
    ///
    /// # Errors
    /// [`DeviceIdError::Zero`] for 0.
    pub const fn new(id: u32) -> Result<Self, DeviceIdError> {
        if id == 0 {
            Err(DeviceIdError::Zero)
        } else {
            Ok(Self(id))
        }
    }

    /// Maps 32 random bits to an id of our own, within 1 to 2³¹−1. `None` for the one input that
    /// gives 0: draw again.
    #[must_use]
    pub const fn generated(random: u32) -> Option<Self> {
        match random & Self::MAX_GENERATED {
            0 => None,
            id => Some(Self(id)),
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl FromStr for DeviceId {
    type Err = DeviceIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `u32::from_str` takes a leading plus sign, the wire does not.
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DeviceIdError::NotANumber);
        }
        text.parse()
            .map_err(|_| DeviceIdError::NotANumber)
            .and_then(Self::new)
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceId({})", self.0)
    }
}

/// A device together with the account it belongs to. Sessions are keyed by this, never by the id
/// alone: two accounts may use the same number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceAddress {
    /// The account.
    pub jid: BareJid,
    /// The device of that account.
    pub device: DeviceId,
}

impl DeviceAddress {
    /// Joins an account and one of its devices.
    #[must_use]
    pub const fn new(jid: BareJid, device: DeviceId) -> Self {
        Self { jid, device }
    }
}

impl fmt::Display for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.jid, self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_rubbish_are_refused() {
        assert_eq!("0".parse::<DeviceId>(), Err(DeviceIdError::Zero));
        for rubbish in ["", "-1", "+1", " 1", "4294967296", "abc", "1.0", "٣"] {
            assert_eq!(
                rubbish.parse::<DeviceId>(),
                Err(DeviceIdError::NotANumber),
                "{rubbish:?}"
            );
        }
    }

    #[test]
    fn ids_above_the_specified_range_are_read_but_never_generated() {
        assert_eq!(
            "4294967295".parse::<DeviceId>().map(DeviceId::as_u32),
            Ok(u32::MAX)
        );
        let own = DeviceId::generated(u32::MAX).map(DeviceId::as_u32);
        assert_eq!(own, Some(DeviceId::MAX_GENERATED));
        assert_eq!(DeviceId::generated(0x8000_0000), None);
    }
}
