//! Keys of devices and what is thought of them, between the engine's records and rows.

use eft_types::{BareJid, DeviceAddress, DeviceId, Timestamp};

use super::row::{DeviceRow, KeyBytes, KeyRow, LevelWord, Row, TrustRow};
use crate::error::StoreError;
use crate::omemo::{
    DistrustedBy, Fingerprint, IdentityKey, KnownDevice, KnownKey, Record, RecordKey, Records,
    StepError, TrustDecisions, TrustLevel, VerifiedBy, known_device, trust_decisions,
};

/// The row of one account; `None` for the record of something else.
pub(super) fn trust_row(key: RecordKey, record: Record) -> Result<Option<Row>, StoreError> {
    let RecordKey::Trust(jid) = &key else {
        return Ok(None);
    };
    let jid = jid.clone();
    let decisions = trust_decisions(&view(key, record), &jid).map_err(|error| broken(&error))?;
    let keys = decisions.keys.iter().map(|known| KeyRow {
        key: KeyBytes(*known.fingerprint.as_bytes()),
        level: LevelWord::of(known.level),
        since: known.since.as_millis(),
    });
    Ok(Some(Row::Trust(TrustRow {
        jid: jid.to_string(),
        asks_about_new_keys: decisions.asks_about_new_keys,
        keys: keys.collect(),
    })))
}

/// The row of one device; `None` for the record of something else.
pub(super) fn device_row(key: RecordKey, record: Record) -> Result<Option<Row>, StoreError> {
    let RecordKey::Device(address) = &key else {
        return Ok(None);
    };
    let address = address.clone();
    let known = known_device(&view(key, record), &address).map_err(|error| broken(&error))?;
    Ok(known.map(|known| {
        Row::Device(DeviceRow {
            jid: address.jid.to_string(),
            device: address.device.as_u32(),
            key: KeyBytes(*known.identity.fingerprint().as_bytes()),
            ed25519: known.identity.ed25519().copied().map(KeyBytes),
            first_seen: known.first_seen.as_millis(),
        })
    }))
}

fn view(key: RecordKey, record: Record) -> Records {
    let mut records = Records::new();
    records.insert_loaded(key, Some(record));
    records
}

fn broken(error: &StepError) -> StoreError {
    StoreError::Damaged {
        detail: format!("records of keys: {error}"),
    }
}

impl TrustRow {
    /// What it says; `None` if its address is none.
    pub(super) fn read(&self) -> Option<(BareJid, TrustDecisions)> {
        let keys = self.keys.iter().map(|row| KnownKey {
            fingerprint: Fingerprint::from_bytes(row.key.0),
            level: row.level.level(),
            since: Timestamp::from_millis(row.since),
        });
        let decisions = TrustDecisions {
            asks_about_new_keys: self.asks_about_new_keys,
            keys: keys.collect(),
        };
        Some((BareJid::new(&self.jid).ok()?, decisions))
    }
}

impl DeviceRow {
    /// What it says; `None` if address, id or key is none, or the two forms of the key are two keys.
    pub(super) fn read(&self) -> Option<KnownDevice> {
        let curve25519 = IdentityKey::from_curve25519(&self.key.0).ok()?;
        let identity = match &self.ed25519 {
            Some(ed25519) => IdentityKey::from_ed25519(&ed25519.0)
                .ok()
                .filter(|key| key.fingerprint() == curve25519.fingerprint())?,
            None => curve25519,
        };
        Some(KnownDevice {
            address: DeviceAddress::new(
                BareJid::new(&self.jid).ok()?,
                DeviceId::new(self.device).ok()?,
            ),
            identity,
            first_seen: Timestamp::from_millis(self.first_seen),
        })
    }
}

impl LevelWord {
    const fn of(level: TrustLevel) -> Self {
        match level {
            TrustLevel::Undecided => Self::Undecided,
            TrustLevel::BlindlyTrusted => Self::BlindlyTrusted,
            TrustLevel::Verified { by } => match by {
                VerifiedBy::Consent => Self::VerifiedByConsent,
                VerifiedBy::Fingerprint => Self::VerifiedByFingerprint,
                VerifiedBy::Code => Self::VerifiedByCode,
                VerifiedBy::TrustMessage => Self::VerifiedByTrustMessage,
                VerifiedBy::Ourselves => Self::Own,
            },
            TrustLevel::Distrusted { by } => match by {
                DistrustedBy::User => Self::DistrustedByUser,
                DistrustedBy::TrustMessage => Self::DistrustedByTrustMessage,
            },
        }
    }

    const fn level(self) -> TrustLevel {
        const fn verified(by: VerifiedBy) -> TrustLevel {
            TrustLevel::Verified { by }
        }
        match self {
            Self::Undecided => TrustLevel::Undecided,
            Self::BlindlyTrusted => TrustLevel::BlindlyTrusted,
            Self::VerifiedByConsent => verified(VerifiedBy::Consent),
            Self::VerifiedByFingerprint => verified(VerifiedBy::Fingerprint),
            Self::VerifiedByCode => verified(VerifiedBy::Code),
            Self::VerifiedByTrustMessage => verified(VerifiedBy::TrustMessage),
            Self::Own => verified(VerifiedBy::Ourselves),
            Self::DistrustedByUser => TrustLevel::Distrusted {
                by: DistrustedBy::User,
            },
            Self::DistrustedByTrustMessage => TrustLevel::Distrusted {
                by: DistrustedBy::TrustMessage,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_survives_its_word() {
        for word in [
            LevelWord::Undecided,
            LevelWord::BlindlyTrusted,
            LevelWord::VerifiedByConsent,
            LevelWord::VerifiedByFingerprint,
            LevelWord::VerifiedByCode,
            LevelWord::VerifiedByTrustMessage,
            LevelWord::Own,
            LevelWord::DistrustedByUser,
            LevelWord::DistrustedByTrustMessage,
        ] {
            assert_eq!(LevelWord::of(word.level()), word);
        }
    }
}
