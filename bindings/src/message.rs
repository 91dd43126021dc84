//! Records of messages.

/// A message in a timeline.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Message {
    /// Row id on this device.
    pub id: i64,
    /// The other side of the conversation.
    pub conversation: String,
    /// Who wrote it.
    pub sender: String,
    /// Which device of the sender, where known.
    pub sender_device: Option<u32>,
    /// Whether this account wrote it.
    pub outgoing: bool,
    /// When it was sent, milliseconds since the epoch.
    pub sent_at_ms: i64,
    /// What is in it.
    pub content: Content,
    /// How it travelled.
    pub encryption: Encryption,
    /// How far an outgoing message of this device is.
    pub delivery: Option<Delivery>,
}

/// What a message holds.
#[derive(Clone, uniffi::Enum)]
pub enum Content {
    /// Text.
    Text {
        /// As the sender wrote it.
        text: String,
    },
    /// It could not be read.
    Unreadable {
        /// Stable code of the reason.
        code: String,
        /// The reason for a person.
        reason: String,
    },
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text { text } => write!(f, "Text({} bytes)", text.len()),
            Self::Unreadable { code, .. } => write!(f, "Unreadable({code})"),
        }
    }
}

/// How a message travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Encryption {
    /// In the clear.
    None,
    /// `urn:xmpp:omemo:2`.
    Omemo2,
    /// `eu.siacs.conversations.axolotl`.
    OmemoLegacy,
}

/// How far an outgoing message is.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Delivery {
    /// On disk, not yet encrypted.
    Queued,
    /// Encrypted; the bytes are fixed.
    Encrypted,
    /// Handed to the connection.
    Sent,
    /// The server has it.
    Acked,
    /// A device of the peer has it.
    Delivered,
    /// The peer has seen it.
    Displayed,
    /// It will not be sent without the user's doing.
    Failed {
        /// Stable code of the reason.
        reason: String,
    },
}

impl From<::eft::Message> for Message {
    fn from(message: ::eft::Message) -> Self {
        Self {
            id: message.id.as_row(),
            conversation: message.conversation.to_string(),
            sender: message.sender.to_string(),
            sender_device: message.sender_device.map(::eft::DeviceId::as_u32),
            outgoing: message.outgoing,
            sent_at_ms: message.sent_at.as_millis(),
            content: message.content.into(),
            encryption: message.encryption.into(),
            delivery: message.delivery.map(Into::into),
        }
    }
}

impl From<::eft::Content> for Content {
    fn from(content: ::eft::Content) -> Self {
        match content {
            ::eft::Content::Text(text) => Self::Text { text },
            ::eft::Content::Unreadable(why) => Self::Unreadable {
                code: why.code().to_owned(),
                reason: why.to_string(),
            },
        }
    }
}

impl From<::eft::Encryption> for Encryption {
    fn from(encryption: ::eft::Encryption) -> Self {
        match encryption {
            ::eft::Encryption::None => Self::None,
            ::eft::Encryption::Omemo2 => Self::Omemo2,
            ::eft::Encryption::OmemoLegacy => Self::OmemoLegacy,
        }
    }
}

impl From<::eft::Delivery> for Delivery {
    fn from(delivery: ::eft::Delivery) -> Self {
        match delivery {
            ::eft::Delivery::Queued => Self::Queued,
            ::eft::Delivery::Encrypted => Self::Encrypted,
            ::eft::Delivery::Sent => Self::Sent,
            ::eft::Delivery::Acked => Self::Acked,
            ::eft::Delivery::Delivered => Self::Delivered,
            ::eft::Delivery::Displayed => Self::Displayed,
            ::eft::Delivery::Failed { reason } => Self::Failed { reason },
        }
    }
}
