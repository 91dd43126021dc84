//! A row becomes a stanza.

use eft_omemo::{EncryptError, EncryptedMessage, TrustedDevice, Version, encrypt, encrypt_needs};
use eft_store::Opaque;
use eft_types::BareJid;
use rand::rngs::StdRng;

use super::audience::Devices;
use super::stanza;
use crate::error::Error;
use crate::unit::Unit;

/// A message as bytes.
pub(super) struct Encrypted {
    pub(super) stanza: Opaque,
    /// The older version, where the peer wants it in a stanza of its own.
    pub(super) second: Option<Opaque>,
}

/// Encrypts one message, once per version in use; its ratchet steps join the unit. One stanza
/// carries all, or two stanzas under one id: the legacy element holds the text alone, and a receiver
/// of both takes the first that it can read.
pub(super) fn encrypt_row(
    unit: &mut Unit<'_>,
    rng: &mut StdRng,
    own: &BareJid,
    row: &eft_store::Message,
    devices: &Devices,
    separate: bool,
) -> Result<Encrypted, Error> {
    let eft_store::Content::Readable(plaintext) = &row.content else {
        return Err(Error::bug("an unreadable message in the outbox"));
    };
    let origin_id = row
        .origin_id
        .as_ref()
        .ok_or_else(|| Error::bug("an outgoing message without an id"))?;
    let peer = &row.conversation.peer;
    let mut elements = Vec::new();
    for (version, devices) in devices.by_version() {
        let content = match version {
            Version::Omemo2 => stanza::envelope(&plaintext.text, own, peer, unit.now, rng)?,
            Version::Legacy => plaintext.text.clone(),
        };
        unit.preload(encrypt_needs(
            version,
            devices.iter().map(TrustedDevice::address),
        ))?;
        let encrypted = unit
            .step(|records| encrypt(records, version, content.as_bytes(), devices, rng))?
            .map_err(|error: EncryptError| Error::bug(error.to_string()))?;
        unit.apply(encrypted.changes);
        elements.push(encrypted.message);
    }
    let bytes = |elements: &[EncryptedMessage]| {
        stanza::to_bytes(&stanza::encrypted_message(peer, origin_id, elements))
    };
    match elements.split_first() {
        Some((first, others)) if separate && !others.is_empty() => Ok(Encrypted {
            stanza: bytes(core::slice::from_ref(first))?,
            second: Some(bytes(others)?),
        }),
        _ => Ok(Encrypted {
            stanza: bytes(&elements)?,
            second: None,
        }),
    }
}
