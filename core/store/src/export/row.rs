//! The rows of the file, as JSON sees them. What they mean stands in the documentation of the module.

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::words::{
    CauseWord, ConversationEncryptionWord, DeviceEventWord, DirectionWord, EncryptionWord,
    KindWord, SendFailureWord, SenderTrustWord, base64_bytes,
};

/// What the first line says at every version.
#[derive(Deserialize)]
pub(super) struct Kind {
    pub(super) format: String,
    pub(super) version: u32,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u32,
    pub(super) account: String,
    pub(super) exported: i64,
    pub(super) messages: u64,
}

/// Every other line.
#[derive(Serialize, Deserialize)]
#[serde(tag = "row", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Row {
    Identity(IdentityRow),
    Archive(ArchiveRow),
    Conversation(ConversationRow),
    Trust(TrustRow),
    Device(DeviceRow),
    Message(Box<MessageRow>),
    DeviceEvent(DeviceEventRow),
    End(EndRow),
}

/// The private half of the identity key. Wiped when dropped.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityRow {
    #[serde(with = "base64_bytes")]
    pub(super) private: Vec<u8>,
}

impl Drop for IdentityRow {
    fn drop(&mut self) {
        self.private.zeroize();
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ArchiveRow {
    pub(super) jid: String,
    pub(super) newest_place: i64,
    pub(super) oldest_place: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_stanza_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_time: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConversationRow {
    pub(super) peer: String,
    pub(super) kind: KindWord,
    pub(super) encryption: ConversationEncryptionWord,
    pub(super) created: i64,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) separate_versions: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) opt_out_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) opt_out_reason: Option<String>,
}

/// All that is thought of the keys of one account.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustRow {
    pub(super) jid: String,
    pub(super) asks_about_new_keys: bool,
    pub(super) keys: Vec<KeyRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRow {
    pub(super) key: KeyBytes,
    pub(super) level: LevelWord,
    pub(super) since: i64,
}

/// A device and the key that it is bound to.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceRow {
    pub(super) jid: String,
    pub(super) device: u32,
    pub(super) key: KeyBytes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ed25519: Option<KeyBytes>,
    pub(super) first_seen: i64,
}

/// What is thought of a key, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LevelWord {
    Undecided,
    BlindlyTrusted,
    VerifiedByConsent,
    VerifiedByFingerprint,
    VerifiedByCode,
    VerifiedByTrustMessage,
    Own,
    DistrustedByUser,
    DistrustedByTrustMessage,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageRow {
    pub(super) peer: String,
    pub(super) place: i64,
    pub(super) direction: DirectionWord,
    pub(super) sender: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sender_device: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sender_key: Option<KeyBytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sender_trust: Option<SenderTrustWord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) origin_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) archive: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stanza_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) server_time: Option<i64>,
    pub(super) received: i64,
    pub(super) encryption: EncryptionWord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<Bytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<CauseWord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) folded_count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) delivery: Option<DeliveryWord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) send_failure: Option<SendFailureWord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) send_failure_detail: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) unread: bool,
}

/// How far a message of ours had come. What waited to be sent is `unsent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeliveryWord {
    Unsent,
    Acked,
    Delivered,
    Displayed,
    Failed,
}

/// A public key.
#[derive(Serialize, Deserialize)]
pub(super) struct KeyBytes(#[serde(with = "base64_bytes")] pub(super) [u8; 32]);

/// Bytes of a message.
#[derive(Serialize, Deserialize)]
pub(super) struct Bytes(#[serde(with = "base64_bytes")] pub(super) Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceEventRow {
    pub(super) at: i64,
    pub(super) jid: String,
    pub(super) device: u32,
    pub(super) kind: DeviceEventWord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
}

/// The last line: how many rows stand before it, the header not counted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndRow {
    pub(super) rows: u64,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(value: &u32) -> bool {
    *value == 0
}
