//! What the engine asks of the network.

use eft_types::{BareJid, DeviceAddress, DeviceId};
use serde::{Deserialize, Serialize};

use crate::{ActionError, Version};

/// Something to be done after the commit that it belongs to. Actions are idempotent: doing one twice
/// does no harm, and one [`Action::key`] need be kept once. The store keeps them as rows until done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Publish [`bundle`](crate::bundle) as it is when the action is carried out.
    PublishBundle {
        /// Whose bundle.
        version: Version,
    },
    /// Publish [`own_device_list`](crate::own_device_list) as it is when the action is carried out.
    PublishDeviceList {
        /// Which list.
        version: Version,
    },
    /// Send [`encrypt_empty`](crate::encrypt_empty). During catch-up: one, at its end.
    SendEmpty {
        /// To whom.
        to: DeviceAddress,
        /// Over which session.
        version: Version,
        /// Why.
        reason: EmptyReason,
    },
    /// A device without a session wrote to us: fetch its bundle, [`initiate`](crate::initiate), and
    /// send an empty message (XEP-0384 §6, SHOULD). A caller adds it where the user asks for a new session, and after
    /// [`retire_sessions`](crate::retire_sessions).
    BuildSession {
        /// With whom.
        to: DeviceAddress,
        /// Which protocol.
        version: Version,
    },
    /// Fetch a device list again: a device wrote that is not on the one we know.
    RefreshDeviceList {
        /// Whose list.
        jid: BareJid,
        /// Which list.
        version: Version,
    },
    /// Fetch a bundle.
    FetchBundle {
        /// Whose bundle.
        address: DeviceAddress,
        /// Which protocol.
        version: Version,
    },
}

/// Why an empty message is sent.
///
/// Source: XEP-0384 §6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EmptyReason {
    /// The peer made a session: our answer ends its repeating of the key exchange and moves both off the
    /// prekey (XEP-0384 §6).
    KeyExchangeAnswer,
    /// The peer's ratchet key is old (XEP-0384 §6, "n ≥ 53").
    Heartbeat,
    /// We made a session for a device that wrote without one.
    NewSession,
}

/// First byte of an encoded action.
const ENCODING: u8 = 1;

/// The stored form. [`BareJid`] and [`DeviceId`] are checked when it is read.
#[derive(Serialize, Deserialize)]
enum Stored {
    PublishBundle(Version),
    PublishDeviceList(Version),
    SendEmpty(String, u32, Version, EmptyReason),
    BuildSession(String, u32, Version),
    RefreshDeviceList(String, Version),
    FetchBundle(String, u32, Version),
}

impl Action {
    /// Unique among actions that are worth doing separately. Stable across releases.
    ///
    /// The reason of an empty message is no part of it: one message serves every reason.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        let (number, version, jid, device) = match self {
            Self::PublishBundle { version } => (1, version, None, None),
            Self::PublishDeviceList { version } => (2, version, None, None),
            Self::SendEmpty { to, version, .. } => (3, version, Some(&to.jid), Some(to.device)),
            Self::BuildSession { to, version } => (4, version, Some(&to.jid), Some(to.device)),
            Self::RefreshDeviceList { jid, version } => (5, version, Some(jid), None),
            Self::FetchBundle { address, version } => {
                (6, version, Some(&address.jid), Some(address.device))
            }
        };
        let mut key = vec![number, version.as_u8()];
        if let Some(device) = device {
            key.extend_from_slice(&device.as_u32().to_be_bytes());
        }
        if let Some(jid) = jid {
            key.extend_from_slice(jid.as_str().as_bytes());
        }
        key
    }

    /// For the store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let stored = match self.clone() {
            Self::PublishBundle { version } => Stored::PublishBundle(version),
            Self::PublishDeviceList { version } => Stored::PublishDeviceList(version),
            Self::SendEmpty {
                to,
                version,
                reason,
            } => Stored::SendEmpty(to.jid.to_string(), to.device.as_u32(), version, reason),
            Self::BuildSession { to, version } => {
                Stored::BuildSession(to.jid.to_string(), to.device.as_u32(), version)
            }
            Self::RefreshDeviceList { jid, version } => {
                Stored::RefreshDeviceList(jid.to_string(), version)
            }
            Self::FetchBundle { address, version } => {
                Stored::FetchBundle(address.jid.to_string(), address.device.as_u32(), version)
            }
        };
        crate::record::to_bytes(ENCODING, &stored).to_vec()
    }

    /// From the store.
    ///
    /// # Errors
    /// [`ActionError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ActionError> {
        let (version, body) = bytes.split_first().ok_or(ActionError::Damaged)?;
        if *version != ENCODING {
            return Err(ActionError::UnknownVersion { found: *version });
        }
        let (stored, rest) =
            postcard::take_from_bytes::<Stored>(body).map_err(|_| ActionError::Damaged)?;
        if !rest.is_empty() {
            return Err(ActionError::Damaged);
        }
        from_stored(stored).ok_or(ActionError::Damaged)
    }
}

fn from_stored(stored: Stored) -> Option<Action> {
    let address = |jid: &str, device| {
        Some(DeviceAddress::new(
            BareJid::new(jid).ok()?,
            DeviceId::new(device).ok()?,
        ))
    };
    Some(match stored {
        Stored::PublishBundle(version) => Action::PublishBundle { version },
        Stored::PublishDeviceList(version) => Action::PublishDeviceList { version },
        Stored::SendEmpty(jid, device, version, reason) => Action::SendEmpty {
            to: address(&jid, device)?,
            version,
            reason,
        },
        Stored::BuildSession(jid, device, version) => Action::BuildSession {
            to: address(&jid, device)?,
            version,
        },
        Stored::RefreshDeviceList(jid, version) => Action::RefreshDeviceList {
            jid: BareJid::new(&jid).ok()?,
            version,
        },
        Stored::FetchBundle(jid, device, version) => Action::FetchBundle {
            address: address(&jid, device)?,
            version,
        },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn every_action() -> Vec<Action> {
        let jid = BareJid::new("juliet@capulet.example").unwrap();
        let to = DeviceAddress::new(jid.clone(), DeviceId::new(7).unwrap());
        Version::ALL
            .into_iter()
            .flat_map(|version| {
                let (to, jid) = (to.clone(), jid.clone());
                [
                    Action::PublishBundle { version },
                    Action::PublishDeviceList { version },
                    Action::SendEmpty {
                        to: to.clone(),
                        version,
                        reason: EmptyReason::Heartbeat,
                    },
                    Action::BuildSession {
                        to: to.clone(),
                        version,
                    },
                    Action::RefreshDeviceList { jid, version },
                    Action::FetchBundle {
                        address: to,
                        version,
                    },
                ]
            })
            .collect()
    }

    #[test]
    fn actions_survive_a_round_trip_and_have_keys_of_their_own() {
        let mut keys = std::collections::HashSet::new();
        for action in every_action() {
            let bytes = action.encode();
            assert_eq!(Action::decode(&bytes).as_ref(), Ok(&action));
            assert!(keys.insert(action.key()), "{action:?}");
            for end in 1..bytes.len() {
                assert_eq!(Action::decode(&bytes[..end]), Err(ActionError::Damaged));
            }
            let newer = [&[9], &bytes[1..]].concat();
            assert_eq!(
                Action::decode(&newer),
                Err(ActionError::UnknownVersion { found: 9 })
            );
        }
    }

    #[test]
    fn one_empty_message_serves_every_reason() {
        let jid = BareJid::new("juliet@capulet.example").unwrap();
        let to = DeviceAddress::new(jid, DeviceId::new(7).unwrap());
        let [a, b] = [EmptyReason::Heartbeat, EmptyReason::KeyExchangeAnswer].map(|reason| {
            Action::SendEmpty {
                to: to.clone(),
                version: Version::Omemo2,
                reason,
            }
        });
        assert_eq!(a.key(), b.key());
    }

    #[test]
    fn device_id_0_is_no_stored_action() {
        let stored = Stored::BuildSession("a@b.c".to_owned(), 0, Version::Omemo2);
        let bytes = crate::record::to_bytes(ENCODING, &stored);
        assert_eq!(Action::decode(&bytes), Err(ActionError::Damaged));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic(bytes: Vec<u8>) {
            let _ = Action::decode(&bytes);
            let _ = Action::decode(&[&[ENCODING], bytes.as_slice()].concat());
        }
    }
}
