//! Every way in for bytes from outside, as functions that a fuzzer can call: each takes any bytes
//! and has to return, in time and memory that the limits allow. Nothing else uses them.

use eft_types::{BareJid, Jid};

use crate::driver::WebUrl;
use crate::limits::XmlLimits;
use crate::stream::sasl::{SaslOffer, TlsFacts, server_end_point};
use crate::stream::{
    FastToken, InlineOffer, Login, LoginConfig, LoginOutput, Password, Pins, StreamError,
    StreamFeatures, StreamRecord, Transport, UserAgent,
};
use crate::xep;
use crate::xml::{Decoder, Frame, encode_stanza};
use crate::{Element, ns};

/// One entry point.
pub type Entry = fn(&[u8]);

/// All of them by name, for a fuzzer that takes the name of its target.
pub const ENTRIES: [(&str, Entry); 6] = [
    ("stream", stream),
    ("stanza", stanza),
    ("login", login),
    ("records", records),
    ("envelope", envelope),
    ("web", web),
];

/// Bytes of a stream, header included, in pieces of changing length. What is read can be written
/// and is read again as the same.
pub fn stream(bytes: &[u8]) {
    let mut decoder = Decoder::new(XmlLimits::SESSION);
    for (at, piece) in bytes.chunks(7).enumerate() {
        // Pieces of one byte cross every boundary.
        let size = if at % 2 == 0 { 7 } else { 1 };
        for part in piece.chunks(size) {
            let mut input = part;
            while let Ok(Some(frame)) = decoder.decode(&mut input) {
                if let Frame::Element(element) = frame {
                    let _ = encode_stanza(&element);
                }
            }
        }
    }
}

/// Bytes of a web server: its `host-meta`, its HTTP, and what stands behind the handshake of a WebSocket.
pub fn web(bytes: &[u8]) {
    let links = xep::alt_connections::websockets_in_json(bytes)
        .into_iter()
        .chain(xep::alt_connections::websockets_in_xml(bytes));
    for link in links {
        read_url(&link);
    }
    if let Ok(text) = core::str::from_utf8(bytes) {
        read_url(text);
    }
    crate::driver::fuzz::http(bytes);
    let mut decoder = Decoder::new(XmlLimits::SESSION);
    let stream = crate::driver::fuzz::websocket(bytes);
    let mut input = stream.as_slice();
    while let Ok(Some(_)) = decoder.decode(&mut input) {}
}

/// What is read is written and read again as the same.
fn read_url(text: &str) {
    if let Ok(url) = WebUrl::websocket(text) {
        assert_eq!(WebUrl::websocket(&url.to_string()), Ok(url));
    }
}

/// Bytes of one stanza, through everything that reads stanzas.
pub fn stanza(bytes: &[u8]) {
    let Some(element) = in_stream(bytes) else {
        return;
    };
    let Ok(own) = BareJid::new("me@b.example") else {
        return;
    };
    let everything = core::iter::once(&element)
        .chain(element.children())
        .chain(element.children().flat_map(Element::children));
    for element in everything {
        read(element, &own);
    }
}

fn read(element: &Element, own: &BareJid) {
    let archive = Jid::from(own.clone());
    let _ = StreamError::parse(element);
    let _ = StreamFeatures::parse(element);
    let _ = (SaslOffer::sasl1(element), SaslOffer::sasl2(element));
    let _ = InlineOffer::parse(element);
    let _ = xep::message::MessageHead::parse(element);
    let _ = xep::presence::Presence::parse(element);
    let _ = xep::iq::Request::parse(element);
    let _ = xep::stanza_error::StanzaError::parse(element);
    let _ = xep::roster::parse_push(element, own);
    let _ = xep::roster::parse_answer(element);
    let _ = xep::blocking::parse_push(element, own);
    let _ = xep::blocking::parse_answer(element);
    let _ = xep::carbons::unwrap(element, own);
    let _ = xep::mam::Fin::parse(element);
    let _ = xep::forward::Forwarded::find(element);
    let _ = xep::delay::Delay::parse(element);
    let _ = xep::stanza_id::stanza_id(element, &archive);
    let _ = xep::stanza_id::origin_id(element);
    let _ = xep::disco::DiscoInfo::parse(element);
    let _ = xep::disco::parse_items(element);
    let _ = xep::caps::Caps::find(element);
    let _ = xep::data_forms::DataForm::parse(element);
    let _ = xep::omemo2::Encrypted::parse(element);
    let _ = xep::omemo2::Bundle::parse(element);
    let _ = xep::omemo2::DeviceList::parse(element);
    let _ = xep::omemo_legacy::Encrypted::parse(element);
    let _ = xep::omemo_legacy::Bundle::parse(element);
    let _ = xep::omemo_legacy::DeviceList::parse(element);
    let event = xep::pubsub::PubSubEvent::parse(element);
    if let Some(xep::pubsub::NodeChange::Items { published, .. }) = event.map(|event| event.change)
    {
        for item in &published {
            let _ = xep::displayed_sync::Displayed::parse(item, |_| archive.clone());
        }
    }
}

/// Bytes that a server says under TLS, to a client that knows nothing of it and to one that has
/// been there before.
///
/// # Panics
/// If a session comes of it: whoever says these bytes knows neither password nor token.
pub fn login(bytes: &[u8]) {
    for pins in [Pins::default(), known_server()] {
        let Some(mut login) = client(pins) else {
            return;
        };
        let _ = login.start(TlsFacts {
            server_end_point: Some(vec![1; 32]),
            ..TlsFacts::default()
        });
        let mut decoder = Decoder::new(XmlLimits::LOGIN);
        let mut input = bytes;
        while let Ok(Some(frame)) = decoder.decode(&mut input) {
            let Ok(outputs) = login.handle_frame(frame, input.len()) else {
                break;
            };
            for output in outputs {
                assert!(
                    !matches!(output, LoginOutput::Ready(_)),
                    "a session without proof"
                );
            }
        }
    }
}

fn known_server() -> Pins {
    Pins {
        sasl2: Some(InlineOffer::default()),
        ..Pins::default()
    }
}

/// The source of randomness of a fuzzer is its input.
struct Fixed;

impl rand_core::TryRng for Fixed {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(7)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(7)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(7);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Fixed {}

fn client(pins: Pins) -> Option<Login> {
    let jid = BareJid::new("user@b.example").ok()?;
    let config = LoginConfig {
        transport: Transport::DirectTls,
        user_agent: UserAgent::new("d4565fa7-4d72-4749-b3d3-740edbf87770").ok(),
        request_token: true,
        pins,
        ..LoginConfig::new(jid, Password::new("pencil".to_owned()))
    };
    Login::new(config, &mut Fixed).ok()
}

/// Bytes of whatever a store gives back, and of a certificate.
pub fn records(bytes: &[u8]) {
    // What is read is written as the same bytes: there is one way to write each value.
    if let Ok(pins) = Pins::from_bytes(bytes) {
        debug_assert_eq!(pins.to_bytes(), bytes);
    }
    if let Ok(record) = StreamRecord::from_bytes(bytes) {
        let _ = record.to_bytes();
    }
    if let Ok(token) = FastToken::from_bytes(bytes) {
        let _ = token.to_bytes();
    }
    let _ = server_end_point(bytes);
    let _ = crate::driver::KeyPin::of_certificate(bytes);
}

/// Bytes that somebody encrypted for us (XEP-0420).
pub fn envelope(bytes: &[u8]) {
    let _ = xep::sce::Envelope::parse(bytes);
}

fn in_stream(bytes: &[u8]) -> Option<Element> {
    let open = format!(
        "<stream:stream xmlns='{}' xmlns:stream='{}'>",
        ns::CLIENT,
        ns::STREAM
    );
    let mut decoder = Decoder::new(XmlLimits::SESSION);
    decoder.decode(&mut open.as_bytes()).ok()?;
    let mut input = bytes;
    match decoder.decode(&mut input) {
        Ok(Some(Frame::Element(element))) => Some(element),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Real texts, of which a run takes pieces.
    const SEEDS: [&str; 11] = [
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
        "<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism><inline>",
        "<bind xmlns='urn:xmpp:bind:0'/></inline></authentication></stream:features>",
        "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>user@b.example/x</authorization-identifier>",
        "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='1' resume='1'/></bound></success>",
        "<challenge xmlns='urn:xmpp:sasl:2'>cj1hLHM9YixpPTQwOTY=</challenge>",
        "<message from='me@b.example'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='a'/></items></event></message>",
        "<iq type='set' id='1'><block xmlns='urn:xmpp:blocking'><item jid='a@b'/></block></iq>",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "{\"links\": [{\"rel\": \"urn:xmpp:alt-connections:websocket\", \"href\": \"wss://b.example:7/ws?a\"}]}",
        "wss://[::1]/",
    ];

    fn mixture() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => (0..SEEDS.len()).prop_map(|at| SEEDS[at].as_bytes().to_vec()),
            1 => proptest::collection::vec(any::<u8>(), 0..20),
            1 => "[<>/'=& a-z]{0,12}".prop_map(String::into_bytes),
            // A message of a WebSocket, or a ping.
            1 => ("<(open|close|a)[<>/'= a-z]{0,20}", any::<bool>()).prop_map(|(text, is_message)| {
                let kind = if is_message { 0x81 } else { 0x89 };
                [&[kind, text.len() as u8], text.as_bytes()].concat()
            }),
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn every_entry_returns_whatever_it_is_given(bytes in mixture()) {
            for (_, entry) in ENTRIES {
                entry(&bytes);
            }
        }
    }

    /// Each place of a stanza where somebody else writes an address.
    #[test]
    fn no_parser_lets_an_address_in_that_cannot_be_written_down() {
        let read = |text: &str| -> Element {
            let text = text.replace("JID", "me@ß--a.example");
            in_stream(text.as_bytes()).unwrap()
        };
        let own = BareJid::new("me@b.example").unwrap();
        for name in ["from", "to"] {
            let message = read(&format!("<message {name}='JID'/>"));
            assert_eq!(xep::message::MessageHead::parse(&message), None, "{name}");
        }
        let presence = read("<presence from='JID'/>");
        assert_eq!(xep::presence::Presence::parse(&presence), None);
        let roster = "<iq type='result' id='1'><query xmlns='jabber:iq:roster'>\
                      <item jid='JID'/><item jid='friend@c.example'/></query></iq>";
        let roster = xep::roster::parse_answer(&read(roster));
        assert!(
            matches!(&roster, xep::roster::RosterAnswer::Full { items, .. } if items.len() == 1),
            "the other contacts stay: {roster:?}"
        );
        let list = "<iq type='result' id='1'><blocklist xmlns='urn:xmpp:blocking'><item jid='JID'/></blocklist></iq>";
        assert_eq!(xep::blocking::parse_answer(&read(list)), None);
        let event = "<message from='JID'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'/></event></message>";
        assert_eq!(xep::pubsub::PubSubEvent::parse(&read(event)), None);
        let stamped =
            read("<message><stanza-id xmlns='urn:xmpp:sid:0' by='JID' id='1'/></message>");
        assert_eq!(
            xep::stanza_id::stanza_id(&stamped, &own.clone().into()),
            None
        );
        let items = "<iq type='result'><query xmlns='http://jabber.org/protocol/disco#items'><item jid='JID'/></query></iq>";
        assert!(xep::disco::parse_items(&read(items)).is_none_or(|items| items.is_empty()));
        let message = "<message><encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'><keys jid='JID'><key rid='2'>aGVsbG8=</key></keys></header></encrypted></message>";
        let message = read(message);
        let encrypted = message.children().next().unwrap();
        let encrypted = xep::omemo2::Encrypted::parse(encrypted).unwrap();
        assert!(encrypted.value.recipients.is_empty());
        assert_eq!(encrypted.rubbish_count, 1);
        let envelope =
            "<envelope xmlns='urn:xmpp:sce:1'><content/><rpad/><from jid='JID'/></envelope>";
        let envelope = envelope.replace("JID", "me@ß--a.example");
        let envelope = xep::sce::Envelope::parse(envelope.as_bytes());
        assert_eq!(envelope, Err(xep::sce::EnvelopeError::Affix("from")));
    }

    #[test]
    fn the_seeds_get_as_far_as_the_parsers() {
        assert!(in_stream(SEEDS[6].as_bytes()).is_some());
        assert!(in_stream(SEEDS[7].as_bytes()).is_some());
        for seed in SEEDS {
            ENTRIES.iter().for_each(|(_, entry)| entry(seed.as_bytes()));
        }
    }
}
