//! The bytes of the archive, read with quick-xml.

use std::io::BufRead;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use eft_bench::Failure;
use eft_types::DeviceId;
use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

/// What is of use in a result.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) archive_id: String,
    pub(crate) from: String,
    pub(crate) origin_id: String,
    pub(crate) sender_device: u32,
    /// For this device: the message of the ratchet.
    key: Vec<u8>,
    iv: Vec<u8>,
    payload: Vec<u8>,
}

/// The text that is being read.
#[derive(Clone, Copy)]
enum Text {
    Key,
    Iv,
    Payload,
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, Failure> {
    for attribute in start.attributes() {
        let attribute = attribute?;
        if attribute.key.as_ref() == name {
            return Ok(Some(attribute.value.into_owned()));
        }
    }
    Ok(None)
}

/// Reads the stream to its end.
pub(crate) fn read(
    stream: impl BufRead,
    device: DeviceId,
    mut each: impl FnMut(Message) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let device = device.to_string();
    let mut reader = NsReader::from_reader(stream);
    let mut buffer = Vec::new();
    let mut message = Message::default();
    let mut text = None;
    let mut depth = 0_u32;
    loop {
        let (namespace, event) = reader.read_resolved_event_into(&mut buffer)?;
        match event {
            Event::Start(start) => {
                depth += 1;
                text = take_start(&mut message, &namespace, &start, &device)?;
            }
            Event::Empty(start) => {
                take_start(&mut message, &namespace, &start, &device)?;
            }
            Event::Text(bytes) => {
                let of = |bytes: &str| BASE64.decode(bytes);
                match text {
                    Some(Text::Key) => message.key = of(&bytes)?,
                    Some(Text::Iv) => message.iv = of(&bytes)?,
                    Some(Text::Payload) => message.payload = of(&bytes)?,
                    None => {}
                }
            }
            Event::End(_) => {
                text = None;
                depth = depth.saturating_sub(1);
                // A stanza, of which some are no results.
                if depth == 1 && !message.archive_id.is_empty() {
                    if message.key.is_empty() || message.payload.is_empty() {
                        return Err("a message without key or payload".into());
                    }
                    each(std::mem::take(&mut message))?;
                }
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
        buffer.clear();
    }
}

fn take_start(
    message: &mut Message,
    namespace: &ResolveResult<'_>,
    start: &BytesStart<'_>,
    device: &str,
) -> Result<Option<Text>, Failure> {
    let ResolveResult::Bound(namespace) = namespace else {
        return Ok(None);
    };
    match (namespace.as_ref(), start.local_name().as_ref()) {
        ("urn:xmpp:mam:2", "result") => {
            message.archive_id = attribute(start, "id")?.ok_or("no id")?;
        }
        ("jabber:client", "message") => {
            // The outer one comes first, and is overwritten.
            message.from = attribute(start, "from")?.ok_or("no sender")?;
        }
        ("urn:xmpp:sid:0", "origin-id") => {
            message.origin_id = attribute(start, "id")?.ok_or("no id")?;
        }
        ("eu.siacs.conversations.axolotl" | "urn:xmpp:omemo:2", name) => match name {
            "header" => {
                let sid = attribute(start, "sid")?.ok_or("no sid")?;
                message.sender_device = sid.parse()?;
            }
            "key" if attribute(start, "rid")?.as_deref() == Some(device) => {
                return Ok(Some(Text::Key));
            }
            "iv" => return Ok(Some(Text::Iv)),
            "payload" => return Ok(Some(Text::Payload)),
            _ => {}
        },
        _ => {}
    }
    Ok(None)
}

/// The body in an envelope (XEP-0420).
pub(crate) fn body(envelope: &[u8]) -> Result<String, Failure> {
    let mut reader = NsReader::from_str(std::str::from_utf8(envelope)?);
    let mut is_body = false;
    let mut text = String::new();
    loop {
        let (namespace, event) = reader.read_resolved_event()?;
        match event {
            Event::Start(start) => {
                is_body = matches!(namespace, ResolveResult::Bound(ns) if ns.as_ref() == "jabber:client")
                    && start.local_name().as_ref() == "body";
            }
            Event::Text(bytes) if is_body => text.push_str(&bytes),
            Event::End(_) => is_body = false,
            Event::Eof => return Ok(text),
            _ => {}
        }
    }
}
