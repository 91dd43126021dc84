//! What a stanza holds.

use eft_omemo::{EncryptedMessage, Outcome, ReceiveContext, TrustLevel, Version, needs, receive};
use eft_store::{Content, MessageEncryption, Plaintext, SenderTrust, Unreadable, UnreadableCause};
use eft_types::DeviceAddress;
use eft_xmpp::xep::eme::ExplicitEncryption;
use eft_xmpp::xep::{message, sce};
use rand::rngs::StdRng;

use super::found::{Found, Read};
use super::{Inbound, Receiving, Seen, bounds};
use crate::error::Error;
use crate::pump::stanza;
use crate::unit::Unit;

impl Inbound<'_> {
    /// Reads what the stanza holds.
    pub(super) fn read(
        &self,
        unit: &mut Unit<'_>,
        seen: &mut Seen,
        context: Receiving,
        rng: &mut StdRng,
    ) -> Result<Found, Error> {
        let parts = self.parts();
        if parts.is_empty() {
            return Ok(self.read_unencrypted());
        }
        // One stanza may hold both versions; the key for this device may stand in either.
        let mut best = Found::Nothing;
        for part in parts.iter() {
            let found = match &part.message {
                Ok(message) => self.read_encrypted(unit, message, seen, context, rng)?,
                // Whatever cannot be read at all is a message if it has the part that would hold one.
                Err(_) if !part.has_payload => Found::Nothing,
                Err(reason) => Found::Message(Read::unreadable(
                    part.version,
                    None,
                    Unreadable {
                        detail: Some(reason.clone()),
                        ..Unreadable::for_good(UnreadableCause::Malformed)
                    },
                )),
            };
            if found.rank() > best.rank() {
                best = found;
            }
        }
        Ok(best)
    }

    fn read_encrypted(
        &self,
        unit: &mut Unit<'_>,
        message: &EncryptedMessage,
        seen: &mut Seen,
        context: Receiving,
        rng: &mut StdRng,
    ) -> Result<Found, Error> {
        unit.preload(needs(message, self.own))?;
        let at = ReceiveContext {
            catch_up: context == Receiving::CatchUp,
            may_evict: context == Receiving::Live,
            now: unit.now,
        };
        let received = unit.sure_step(|records| receive(records, message, at, rng))?;
        let received = bounds::keep(unit, seen, received)?;
        unit.absorb(received.changes, received.actions, received.events);
        if matches!(
            received.outcome,
            Outcome::Decrypted { .. } | Outcome::Empty { .. }
        ) {
            unit.session_moved(DeviceAddress::new(message.sender.clone(), message.sid));
        }
        let has_payload = message.payload.is_some();
        let version = message.version;
        // Control messages change state only, also those that fail.
        let found = |read| {
            if has_payload {
                Found::Message(read)
            } else {
                Found::Nothing
            }
        };
        let unreadable = |cause, detail: Option<String>| {
            found(Read::unreadable(
                version,
                Some(message.sid),
                Unreadable {
                    detail,
                    ..Unreadable::for_good(cause)
                },
            ))
        };
        Ok(match received.outcome {
            Outcome::Decrypted {
                plaintext,
                fingerprint,
                trust,
                ..
            } => self
                .read_plaintext(unit, version, message, plaintext.as_bytes())
                .map_or(Found::Transient, |read| {
                    Found::Message(Read {
                        key: Some(*fingerprint.as_bytes()),
                        trust: Some(sender_trust(trust)),
                        ..read
                    })
                }),
            Outcome::Empty { .. } => Found::Nothing,
            // Our own message came back and its row is gone: nothing can be made of it.
            Outcome::Duplicate | Outcome::FromThisDevice => Found::Duplicate,
            Outcome::NotForThisDevice if self.is_before_this_device() => {
                unreadable(UnreadableCause::BeforeThisDevice, None)
            }
            Outcome::NotForThisDevice => unreadable(UnreadableCause::NotForThisDevice, None),
            Outcome::NoSession => unreadable(UnreadableCause::NoSession, None),
            Outcome::UnknownPreKey { id } => {
                unreadable(UnreadableCause::UnknownPreKey, Some(format!("prekey {id}")))
            }
            Outcome::UnknownSignedPreKey { id } => unreadable(
                UnreadableCause::UnknownPreKey,
                Some(format!("signed prekey {id}")),
            ),
            Outcome::IdentityChanged { .. } => unreadable(UnreadableCause::IdentityChanged, None),
            Outcome::BadMac => unreadable(UnreadableCause::BadMac, None),
            Outcome::KeyUsed => unreadable(UnreadableCause::KeyUsed, None),
            Outcome::BadPayload => unreadable(UnreadableCause::BadPayload, None),
            Outcome::SkippedTooMany { got, max } => {
                let detail = format!("{got} skipped, at most {max}");
                found(self.pending(unit, message, detail))
            }
            Outcome::WouldEvict { count } => {
                let detail = format!("{count} keys would be lost");
                found(self.pending(unit, message, detail))
            }
            Outcome::Malformed(reason) => {
                unreadable(UnreadableCause::Malformed, Some(reason.to_string()))
            }
        })
    }

    /// What the engine decrypted, checked against the stanza that carried it.
    fn read_plaintext(
        &self,
        unit: &mut Unit<'_>,
        version: Version,
        message: &EncryptedMessage,
        plaintext: &[u8],
    ) -> Option<Read> {
        let device = Some(message.sid);
        let unreadable = |cause, detail: &str| {
            Some(Read::unreadable(
                version,
                device,
                Unreadable {
                    detail: Some(detail.to_owned()),
                    ..Unreadable::for_good(cause)
                },
            ))
        };
        match version {
            Version::Legacy => match core::str::from_utf8(plaintext) {
                Ok(text) => Some(Read::text(version, device, text.to_owned(), None)),
                Err(_) => unreadable(UnreadableCause::Malformed, "not UTF-8"),
            },
            Version::Omemo2 => {
                let envelope = match sce::Envelope::parse(plaintext) {
                    Ok(envelope) => envelope,
                    Err(error) => {
                        return unreadable(UnreadableCause::Malformed, &error.to_string());
                    }
                };
                if let Err(wrong) = self.check_affixes(&envelope) {
                    return unreadable(UnreadableCause::Malformed, wrong);
                }
                let content = stanza::content(&envelope);
                // What another device of ours tells a contact binds nobody here.
                if let Some(opt_out) = content.opt_out
                    && !self.is_outgoing()
                {
                    unit.opt_out(&self.peer(), opt_out.reason);
                }
                if content.is_transient {
                    return None;
                }
                Some(Read::text(version, device, content.text, content.payload))
            }
        }
    }

    /// XEP-0420 §8 and XEP-0384 §5.5.1: the envelope must belong to this stanza.
    fn check_affixes(&self, envelope: &sce::Envelope) -> Result<(), &'static str> {
        if let Some(from) = &envelope.from
            && *from != self.sender()
        {
            return Err("the envelope names another sender");
        }
        if let Some(to) = &envelope.to
            && *to != self.to
        {
            return Err("the envelope names another recipient");
        }
        Ok(())
    }

    /// A stanza without OMEMO.
    fn read_unencrypted(&self) -> Found {
        let body = message::body_of(self.stanza.children());
        match ExplicitEncryption::find_all(self.stanza).next() {
            // Encrypted in a way that we do not speak: the body is only a fallback (law 5).
            Some(foreign) => Found::Message(Read {
                encryption: MessageEncryption::Foreign,
                position: None,
                device: None,
                key: None,
                trust: None,
                content: Content::Unreadable(Unreadable {
                    detail: Some(foreign.namespace),
                    ..Unreadable::for_good(UnreadableCause::ForeignEncryption)
                }),
            }),
            None => body.map_or(Found::Nothing, |text| {
                Found::Message(Read {
                    encryption: MessageEncryption::None,
                    position: None,
                    device: None,
                    key: None,
                    trust: None,
                    content: Content::Readable(Plaintext::text(text)),
                })
            }),
        }
    }
}

/// What is thought of the key that authenticated a message, as the row keeps it.
const fn sender_trust(level: TrustLevel) -> SenderTrust {
    match level {
        TrustLevel::Undecided => SenderTrust::Undecided,
        TrustLevel::BlindlyTrusted => SenderTrust::BlindlyTrusted,
        TrustLevel::Verified { by } if by.authenticates() => SenderTrust::Verified,
        TrustLevel::Verified { .. } => SenderTrust::Consented,
        TrustLevel::Distrusted { .. } => SenderTrust::Distrusted,
    }
}
