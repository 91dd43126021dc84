//! What a human compares.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// An identity key in the form that people and trust records use: the 32 bytes of its Curve25519
/// (Montgomery) form. It is the same for both OMEMO versions, so trust carries over.
///
/// Displayed as 8 groups of 8 lowercase hexadecimal digits (XEP-0384 §8); parsed from 64 digits, spaces
/// allowed anywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint([u8; 32]);

/// Why a text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not 64 hexadecimal digits")]
pub struct FingerprintError;

impl Fingerprint {
    /// From the Curve25519 form.
    #[must_use]
    pub const fn from_bytes(curve25519: [u8; 32]) -> Self {
        Self(curve25519)
    }

    /// The Curve25519 form.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lowercase hexadecimal digits without spaces, as in `xmpp:` verification URIs.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The 8 groups of 8 digits that a screen shows, each of which may get its own colour (XEP-0392).
    #[must_use]
    pub fn groups(&self) -> [String; 8] {
        core::array::from_fn(|group| {
            self.0
                .iter()
                .skip(group * 4)
                .take(4)
                .map(|byte| format!("{byte:02x}"))
                .collect()
        })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.groups().join(" "))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({}…)", self.groups()[0])
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        let mut count = 0;
        for digit in text.chars().filter(|c| !c.is_whitespace()) {
            let value = digit.to_digit(16).ok_or(FingerprintError)?;
            let byte = bytes.get_mut(count / 2).ok_or(FingerprintError)?;
            // A hexadecimal digit fits in four bits.
            *byte = (*byte << 4) | u8::try_from(value).map_err(|_| FingerprintError)?;
            count += 1;
        }
        if count == 64 {
            Ok(Self(bytes))
        } else {
            Err(FingerprintError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_back_from_both_of_its_texts() {
        let fingerprint =
            Fingerprint::from_bytes(core::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!(fingerprint.to_hex().parse(), Ok(fingerprint));
        assert_eq!(fingerprint.to_hex().to_uppercase().parse(), Ok(fingerprint));
        assert_eq!(fingerprint.to_string().len(), 64 + 7);
    }

    #[test]
    fn other_texts_are_refused() {
        let hex = Fingerprint::from_bytes([0xAB; 32]).to_hex();
        for text in [
            "",
            "xy",
            &hex[1..],
            &format!("{hex}0"),
            &hex.replace('a', "é"),
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(FingerprintError), "{text}");
        }
    }
}
