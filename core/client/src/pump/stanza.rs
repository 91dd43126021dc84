//! Stanzas that the pump writes and reads beside the encrypted element itself.

use eft_omemo::{EncryptedMessage, Version};
use eft_store::Opaque;
use eft_types::{BareJid, OriginId, Timestamp};
use eft_xmpp::xep::caps::Caps;
use eft_xmpp::xep::disco::{self, DiscoInfo};
use eft_xmpp::xep::eme::ExplicitEncryption;
use eft_xmpp::xep::hints::Hint;
use eft_xmpp::xep::message::{self, MessageKind};
use eft_xmpp::xep::omemo2::OptOut;
use eft_xmpp::xep::{iq, sce, stanza_id};
use eft_xmpp::{Element, ns, xml};
use rand::Rng as _;
use rand::rngs::StdRng;

use crate::error::Error;
use crate::translate::encrypted;

/// Identifies the software in capabilities (XEP-0115 §4): a URI that names it.
const CAPS_NODE: &str = "urn:x-eft:client";

/// What a client without OMEMO shows in place of a legacy message.
const LEGACY_FALLBACK: &str =
    "This message is encrypted with OMEMO, which your app does not support.";

/// Namespaces whose elements are over when they arrive: nothing of them belongs in a timeline.
const TRANSIENT: [&str; 3] = [
    "http://jabber.org/protocol/chatstates",
    ns::RECEIPTS,
    "urn:xmpp:chat-markers:0",
];

/// A new id: 128 random bits in hexadecimal, so that neither guessing nor counting tells anything.
pub(crate) fn new_id(rng: &mut StdRng) -> String {
    format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64())
}

/// What this client can do (XEP-0030), with the device lists it wants to hear of (XEP-0163 §4).
pub(crate) fn disco_info() -> DiscoInfo {
    disco::client_info("Eft", "phone", &[])
}

/// The same as a hash for presence (XEP-0115).
pub(crate) fn caps() -> Caps {
    Caps::of(CAPS_NODE, &disco_info())
}

/// Answers a question about what this client can do; `None` if the stanza asks something else.
pub(crate) fn disco_answer(stanza: &Element) -> Option<Element> {
    let node = disco::asked_info(stanza)?;
    if let Some(node) = node
        && node != caps().disco_node()
    {
        return None;
    }
    let info = DiscoInfo {
        node: node.map(str::to_owned),
        ..disco_info()
    };
    iq::result(stanza, Some(info.to_element()))
}

/// The SCE envelope of a text (XEP-0420), as bytes to be encrypted.
pub(crate) fn envelope(
    text: &str,
    own: &BareJid,
    peer: &BareJid,
    now: Timestamp,
    rng: &mut StdRng,
) -> Result<String, Error> {
    sce::Envelope {
        content: vec![message::body(text)],
        time: Some(now),
        from: Some(own.clone()),
        to: Some(peer.clone()),
    }
    .to_text(rng)
    .map_err(|error| Error::bug(format!("an envelope cannot be written: {error}")))
}

/// A message with content, in one element per version in use.
pub(crate) fn encrypted_message(
    peer: &BareJid,
    id: &OriginId,
    elements: &[EncryptedMessage],
) -> Element {
    with_encrypted(peer, id, elements)
}

/// A message without content. It has to reach the archive like any other: the recipient's ratchet
/// waits for it.
pub(crate) fn empty_message(peer: &BareJid, id: &OriginId, element: EncryptedMessage) -> Element {
    with_encrypted(peer, id, &[element])
}

fn with_encrypted(peer: &BareJid, id: &OriginId, elements: &[EncryptedMessage]) -> Element {
    let mut children: Vec<Element> = elements.iter().map(encrypted::to_element).collect();
    // Legacy clients without OMEMO show the body, and servers archive and push by it. Under SCE
    // there is none (XEP-0420 §5), so the hint has to do.
    if elements
        .iter()
        .any(|element| element.version == Version::Legacy && element.payload.is_some())
    {
        children.push(message::body(LEGACY_FALLBACK));
    }
    children.push(Hint::Store.to_element());
    children.extend(elements.iter().map(|element| {
        match element.version {
            Version::Omemo2 => ExplicitEncryption::omemo2(),
            Version::Legacy => ExplicitEncryption::omemo_legacy(),
        }
        .to_element()
    }));
    children.push(stanza_id::origin_id_element(id));
    message::build(
        &peer.clone().into(),
        MessageKind::Chat,
        id.as_str(),
        children,
    )
}

/// A stanza for the outbox or for a later attempt.
pub(crate) fn to_bytes(element: &Element) -> Result<Opaque, Error> {
    xml::encode_element(element)
        .map(|text| Opaque::new(text.into_bytes()))
        .map_err(|error| Error::bug(format!("a stanza cannot be written: {error}")))
}

/// A stanza out of the outbox.
pub(crate) fn from_bytes(bytes: &Opaque) -> Result<Element, Error> {
    core::str::from_utf8(bytes.as_bytes())
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::bug("a stored stanza cannot be read"))
}

/// What a decrypted envelope holds.
pub(crate) struct Content {
    /// Its text; empty if there is none.
    pub(crate) text: String,
    /// Everything beside the text, as XML; kept so that a later release can show it.
    pub(crate) payload: Option<Opaque>,
    /// Whether nothing of it belongs in a timeline.
    pub(crate) is_transient: bool,
    /// The wish to go on without encryption, which belongs to the conversation.
    pub(crate) opt_out: Option<OptOut>,
}

/// Sorts the content of an envelope.
pub(crate) fn content(envelope: &sce::Envelope) -> Content {
    let text = message::body_of(&envelope.content);
    let others: Vec<&Element> = envelope
        .content
        .iter()
        .filter(|child| !child.is("body", ns::CLIENT))
        .filter(|child| !TRANSIENT.contains(&child.ns().as_str()))
        .filter(|child| !child.is("opt-out", ns::OMEMO_2))
        .collect();
    let payload = (!others.is_empty()).then(|| {
        let mut bytes = Vec::new();
        for other in &others {
            // What came out of a parser can be written again, but for attributes in namespaces of
            // their own: nothing in XMPP means anything by them.
            let mut other = (*other).clone();
            drop_foreign_attributes(&mut other);
            if let Ok(text) = xml::encode_element(&other) {
                bytes.extend_from_slice(text.as_bytes());
            }
        }
        Opaque::new(bytes)
    });
    Content {
        is_transient: text.is_none() && others.is_empty(),
        text: text.unwrap_or_default(),
        payload,
        opt_out: OptOut::find(&envelope.content),
    }
}

fn drop_foreign_attributes(element: &mut Element) {
    element
        .attrs_mut()
        .retain(|namespace, _, _| namespace.is_none() || namespace.as_str() == ns::XML);
    element.children_mut().for_each(drop_foreign_attributes);
}

#[cfg(test)]
mod tests;
