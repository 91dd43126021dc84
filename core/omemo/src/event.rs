//! What happened to devices and keys, for the device log and the user.

use eft_types::{BareJid, DeviceAddress};

use crate::{Fingerprint, TrustLevel, Version};

/// Something that a user may want to know or that an investigation may need later. Past tense: it is part
/// of the same commit as the changes that come with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A device stands on an account's list for the first time, or again. On the own account this
    /// may be the work of the server.
    DeviceAppeared {
        /// The device.
        address: DeviceAddress,
        /// Which list.
        version: Version,
    },
    /// A device left an account's list.
    DeviceDisappeared {
        /// The device.
        address: DeviceAddress,
        /// Which list.
        version: Version,
    },
    /// A device that was on the omemo:2 list is now on the legacy list only. Nothing is sent to it over
    /// legacy without the user's consent; see [`reach`](crate::reach).
    DeviceDowngraded {
        /// The device.
        address: DeviceAddress,
    },
    /// Our own id was missing from our own list.
    OwnDeviceUnlisted {
        /// Which list.
        version: Version,
    },
    /// An identity key was seen for the first time.
    KeyAppeared {
        /// The device that uses it.
        address: DeviceAddress,
        /// The key.
        fingerprint: Fingerprint,
        /// What is thought of it.
        level: TrustLevel,
    },
    /// A peer made a session with us.
    SessionAccepted {
        /// The peer.
        address: DeviceAddress,
        /// Which protocol.
        version: Version,
    },
    /// We made a session with a peer.
    SessionInitiated {
        /// The peer.
        address: DeviceAddress,
        /// Which protocol.
        version: Version,
    },
    /// A device came under another identity key than the one it is known by. Refused.
    IdentityChangeRefused {
        /// The device.
        address: DeviceAddress,
        /// The key it is known by.
        known: Fingerprint,
        /// The key it came under.
        found: Fingerprint,
    },
    /// Keys of messages that never arrived were thrown away, to make room or because they were old. Those messages, if they still come,
    /// cannot be decrypted.
    SkippedKeysEvicted {
        /// The peer.
        address: DeviceAddress,
        /// Which protocol.
        version: Version,
        /// How many.
        count: u32,
    },
    /// A device has sent two different messages from one place of its chain: its state exists twice (a restored backup, a
    /// cloned store), and some of what it sends cannot be read. Or someone on the way has changed a message that was read
    /// before; this alone proves nothing. Told once for each such message.
    TwoRatchetsSeen {
        /// The device.
        address: DeviceAddress,
        /// Which protocol.
        version: Version,
    },
    /// An account's device list was longer than the limit; the rest was ignored.
    DeviceListTruncated {
        /// Whose list.
        jid: BareJid,
        /// Which list.
        version: Version,
    },
}
