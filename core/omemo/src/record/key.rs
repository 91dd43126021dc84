//! Names of records.

use eft_types::{BareJid, DeviceAddress, DeviceId};

use crate::Version;

/// What sort of record a row holds. The numbers are part of the database format: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RecordKind {
    /// Own identity key and device id.
    Account = 1,
    /// Which prekeys exist, per version.
    PreKeys = 2,
    /// One prekey.
    PreKey = 3,
    /// One signed prekey.
    SignedPreKey = 4,
    /// A device and its identity key.
    Device = 5,
    /// A published device list.
    DeviceList = 6,
    /// Trust in the identity keys of one account.
    Trust = 7,
    /// The current session with a device.
    Session = 8,
    /// Receiving chains that the current session left behind.
    OldChains = 9,
    /// Sessions that the current one replaced.
    ArchivedSessions = 10,
    /// Which skipped keys exist, oldest first.
    SkippedKeys = 11,
    /// The key of one message that has not arrived yet.
    SkippedKey = 12,
    /// Which messages of a device were read last.
    SeenMessages = 13,
}

impl RecordKind {
    /// Every kind, by number.
    pub const ALL: [Self; 13] = [
        Self::Account,
        Self::PreKeys,
        Self::PreKey,
        Self::SignedPreKey,
        Self::Device,
        Self::DeviceList,
        Self::Trust,
        Self::Session,
        Self::OldChains,
        Self::ArchivedSessions,
        Self::SkippedKeys,
        Self::SkippedKey,
        Self::SeenMessages,
    ];

    /// Stable number.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        self as u8
    }

    /// Inverse of [`RecordKind::as_u8`].
    #[must_use]
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_u8() == number)
    }
}

/// Name of one record. Displayed and logged freely: it holds no secret, but it does name peers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKey {
    /// See [`RecordKind::Account`]; there is one.
    Account,
    /// See [`RecordKind::PreKeys`].
    PreKeys {
        /// Whose bundle.
        version: Version,
    },
    /// See [`RecordKind::PreKey`].
    PreKey {
        /// Whose bundle.
        version: Version,
        /// Id in that bundle.
        id: u32,
    },
    /// See [`RecordKind::SignedPreKey`].
    SignedPreKey {
        /// Whose bundle.
        version: Version,
        /// Id in that bundle.
        id: u32,
    },
    /// See [`RecordKind::Device`].
    Device(DeviceAddress),
    /// See [`RecordKind::DeviceList`].
    DeviceList {
        /// Who publishes it.
        jid: BareJid,
        /// Which of the two lists.
        version: Version,
    },
    /// See [`RecordKind::Trust`].
    Trust(BareJid),
    /// See [`RecordKind::Session`].
    Session {
        /// The peer.
        address: DeviceAddress,
        /// The protocol spoken.
        version: Version,
    },
    /// See [`RecordKind::OldChains`].
    OldChains {
        /// The peer.
        address: DeviceAddress,
        /// The protocol spoken.
        version: Version,
    },
    /// See [`RecordKind::ArchivedSessions`].
    ArchivedSessions {
        /// The peer.
        address: DeviceAddress,
        /// The protocol spoken.
        version: Version,
    },
    /// See [`RecordKind::SkippedKeys`].
    SkippedKeys {
        /// The peer.
        address: DeviceAddress,
        /// The protocol spoken.
        version: Version,
    },
    /// See [`RecordKind::SkippedKey`].
    SkippedKey {
        /// The peer.
        address: DeviceAddress,
        /// The protocol spoken.
        version: Version,
        /// The peer's ratchet key, which names the chain.
        dh_pub: [u8; 32],
        /// Place in that chain.
        n: u32,
    },
    /// See [`RecordKind::SeenMessages`].
    SeenMessages {
        /// The peer.
        address: DeviceAddress,
        /// The protocol spoken.
        version: Version,
    },
}

/// Why bytes name no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes name no record of kind {kind:?}")]
pub struct RecordKeyError {
    /// The kind asked for.
    pub kind: RecordKind,
}

impl RecordKey {
    /// The kind of record it names.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::Account => RecordKind::Account,
            Self::PreKeys { .. } => RecordKind::PreKeys,
            Self::PreKey { .. } => RecordKind::PreKey,
            Self::SignedPreKey { .. } => RecordKind::SignedPreKey,
            Self::Device(_) => RecordKind::Device,
            Self::DeviceList { .. } => RecordKind::DeviceList,
            Self::Trust(_) => RecordKind::Trust,
            Self::Session { .. } => RecordKind::Session,
            Self::OldChains { .. } => RecordKind::OldChains,
            Self::ArchivedSessions { .. } => RecordKind::ArchivedSessions,
            Self::SkippedKeys { .. } => RecordKind::SkippedKeys,
            Self::SkippedKey { .. } => RecordKind::SkippedKey,
            Self::SeenMessages { .. } => RecordKind::SeenMessages,
        }
    }

    /// The name as bytes, unique within its kind. Kinds that belong to a peer start with
    /// [`RecordKey::jid_prefix`], so that a prefix scan lists one account's records. Numbers are big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Account => Vec::new(),
            Self::PreKeys { version } => vec![version.as_u8()],
            Self::PreKey { version, id } | Self::SignedPreKey { version, id } => {
                let mut bytes = vec![version.as_u8()];
                bytes.extend_from_slice(&id.to_be_bytes());
                bytes
            }
            Self::Device(address) => address_bytes(address),
            Self::DeviceList { jid, version } => {
                let mut bytes = Self::jid_prefix(jid);
                bytes.push(version.as_u8());
                bytes
            }
            Self::Trust(jid) => Self::jid_prefix(jid),
            Self::Session { address, version }
            | Self::OldChains { address, version }
            | Self::ArchivedSessions { address, version }
            | Self::SkippedKeys { address, version }
            | Self::SeenMessages { address, version } => {
                let mut bytes = address_bytes(address);
                bytes.push(version.as_u8());
                bytes
            }
            Self::SkippedKey {
                address,
                version,
                dh_pub,
                n,
            } => {
                let mut bytes = address_bytes(address);
                bytes.push(version.as_u8());
                bytes.extend_from_slice(dh_pub);
                bytes.extend_from_slice(&n.to_be_bytes());
                bytes
            }
        }
    }

    /// What the names of one account's records start with: the JID and a zero byte, which no JID holds.
    #[must_use]
    pub fn jid_prefix(jid: &BareJid) -> Vec<u8> {
        let mut bytes = jid.as_str().as_bytes().to_vec();
        bytes.push(0);
        bytes
    }

    /// Reads a name back.
    ///
    /// # Errors
    /// [`RecordKeyError`] if the bytes were not written by [`RecordKey::to_bytes`] for this kind.
    pub fn from_bytes(kind: RecordKind, bytes: &[u8]) -> Result<Self, RecordKeyError> {
        parse(kind, bytes)
            // A JID has many spellings and one normal form, which is the one that is written.
            .filter(|key| key.to_bytes() == bytes)
            .ok_or(RecordKeyError { kind })
    }
}

fn address_bytes(address: &DeviceAddress) -> Vec<u8> {
    let mut bytes = RecordKey::jid_prefix(&address.jid);
    bytes.extend_from_slice(&address.device.as_u32().to_be_bytes());
    bytes
}

fn parse(kind: RecordKind, bytes: &[u8]) -> Option<RecordKey> {
    match kind {
        RecordKind::Account => bytes.is_empty().then_some(RecordKey::Account),
        RecordKind::PreKeys => {
            let (version, rest) = split_version(bytes)?;
            rest.is_empty().then_some(RecordKey::PreKeys { version })
        }
        RecordKind::PreKey | RecordKind::SignedPreKey => {
            let (version, rest) = split_version(bytes)?;
            let id = u32::from_be_bytes(rest.try_into().ok()?);
            Some(match kind {
                RecordKind::PreKey => RecordKey::PreKey { version, id },
                _ => RecordKey::SignedPreKey { version, id },
            })
        }
        RecordKind::Trust => {
            let (jid, rest) = split_jid(bytes)?;
            rest.is_empty().then_some(RecordKey::Trust(jid))
        }
        RecordKind::DeviceList => {
            let (jid, rest) = split_jid(bytes)?;
            let (version, rest) = split_version(rest)?;
            rest.is_empty()
                .then_some(RecordKey::DeviceList { jid, version })
        }
        RecordKind::Device => {
            let (address, rest) = split_address(bytes)?;
            rest.is_empty().then_some(RecordKey::Device(address))
        }
        RecordKind::Session
        | RecordKind::OldChains
        | RecordKind::ArchivedSessions
        | RecordKind::SkippedKeys
        | RecordKind::SeenMessages => {
            let (address, rest) = split_address(bytes)?;
            let (version, rest) = split_version(rest)?;
            rest.is_empty().then_some(match kind {
                RecordKind::Session => RecordKey::Session { address, version },
                RecordKind::OldChains => RecordKey::OldChains { address, version },
                RecordKind::ArchivedSessions => RecordKey::ArchivedSessions { address, version },
                RecordKind::SeenMessages => RecordKey::SeenMessages { address, version },
                _ => RecordKey::SkippedKeys { address, version },
            })
        }
        RecordKind::SkippedKey => {
            let (address, rest) = split_address(bytes)?;
            let (version, rest) = split_version(rest)?;
            let (dh_pub, rest) = rest.split_first_chunk::<32>()?;
            Some(RecordKey::SkippedKey {
                address,
                version,
                dh_pub: *dh_pub,
                n: u32::from_be_bytes(rest.try_into().ok()?),
            })
        }
    }
}

fn split_version(bytes: &[u8]) -> Option<(Version, &[u8])> {
    let (number, rest) = bytes.split_first()?;
    Some((Version::from_u8(*number)?, rest))
}

fn split_jid(bytes: &[u8]) -> Option<(BareJid, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let (jid, rest) = bytes.split_at_checked(end)?;
    let jid = BareJid::new(core::str::from_utf8(jid).ok()?).ok()?;
    Some((jid, rest.get(1..)?))
}

fn split_address(bytes: &[u8]) -> Option<(DeviceAddress, &[u8])> {
    let (jid, rest) = split_jid(bytes)?;
    let (device, rest) = rest.split_first_chunk::<4>()?;
    let device = DeviceId::new(u32::from_be_bytes(*device)).ok()?;
    Some((DeviceAddress::new(jid, device), rest))
}
