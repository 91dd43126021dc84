//! What a session keeps between connections: a token, pins, the record of a stream.

use eft_types::FullJid;
use eft_xmpp::ns;
use eft_xmpp::stream::sasl::{ChannelBinding, FastMechanism, Mechanism};
use eft_xmpp::stream::{
    BindOffer, FastToken, InlineOffer, Pins, RecordError, StreamRecord, StreamResumption,
};

use super::stanzas;
use crate::input::Seed;

const MECHANISMS: [&str; 3] = ["HT-SHA-256-NONE", "HT-SHA-256-ENDP", "HT-SHA-512-EXPR"];

/// What is read is written as the same again; what a server gives is kept and read back.
pub(crate) fn run(data: &[u8]) {
    let Some((number, bytes)) = data.split_first() else {
        return;
    };
    match number % 4 {
        0 => stable(bytes, FastToken::from_bytes, |token| {
            token.to_bytes().to_vec()
        }),
        1 => stable(bytes, Pins::from_bytes, Pins::to_bytes),
        2 => record(bytes),
        _ => token(bytes),
    }
}

fn stable<T>(
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<T, RecordError>,
    write: impl Fn(&T) -> Vec<u8>,
) {
    if let Ok(value) = read(bytes) {
        assert_eq!(write(&value), bytes, "two records of one value");
        // Nothing may be left over.
        assert!(read(&[bytes, &[0]].concat()).is_err());
    }
}

/// Its address is read in normal form, so that only what was read is stable.
fn record(bytes: &[u8]) {
    if let Ok(record) = StreamRecord::from_bytes(bytes) {
        let written = record.to_bytes();
        stable(&written, StreamRecord::from_bytes, StreamRecord::to_bytes);
        assert_eq!(StreamRecord::from_bytes(&written), Ok(record.clone()));
        assert_eq!(record.request().full_jid, record.full_jid);
    }
}

/// An answer with a token in it.
fn token(text: &[u8]) {
    for element in stanzas(text) {
        for mechanism in MECHANISMS {
            let mechanism = FastMechanism::from_name(mechanism).unwrap();
            let Some(token) = FastToken::parse(&element, mechanism) else {
                continue;
            };
            assert!(element.is("token", ns::FAST));
            assert!(token.mechanism == mechanism);
            let again = FastToken::from_bytes(&token.to_bytes()).unwrap();
            assert!(again == token, "a token changes by being kept");
        }
    }
}

/// One of each, as the session writes it.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let answer = |attributes: &str| format!("<token xmlns='{}' {attributes}/>", ns::FAST);
    let with_expiry = answer("token='secret-1' expiry='2030-01-02T03:04:05Z'");
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for text in [
        with_expiry.clone(),
        answer("token='s' expiry='never'"),
        answer("token=''"),
        answer("expiry='2030-01-02T03:04:05Z'"),
    ] {
        seeds.push(Seed::new().byte(3).rest(text.as_bytes()).into_bytes());
    }
    for (element, name) in stanzas(with_expiry.as_bytes()).iter().zip(MECHANISMS) {
        let mechanism = FastMechanism::from_name(name).unwrap();
        let token = FastToken::parse(element, mechanism).unwrap();
        seeds.push(Seed::new().byte(0).rest(&token.to_bytes()).into_bytes());
    }
    seeds.push(
        Seed::new()
            .byte(1)
            .rest(&Pins::default().to_bytes())
            .into_bytes(),
    );
    seeds.push(
        Seed::new()
            .byte(1)
            .rest(&everything_pinned().to_bytes())
            .into_bytes(),
    );
    seeds.push(Seed::new().byte(2).rest(&stream().to_bytes()).into_bytes());
    seeds
}

fn everything_pinned() -> Pins {
    let binding = Some(ChannelBinding::TlsExporter);
    Pins {
        mechanism: Some(Mechanism::ScramSha256Plus),
        channel_binding: binding,
        scram_seen: true,
        sasl2: Some(InlineOffer {
            bind: Some(BindOffer {
                carbons: true,
                client_state: true,
                stream_management: true,
            }),
            resume: true,
            fast: MECHANISMS
                .iter()
                .filter_map(|name| FastMechanism::from_name(name))
                .collect(),
        }),
        plan: Some((Mechanism::ScramSha512Plus, binding)),
        breaks_pipelining: true,
    }
}

fn stream() -> StreamRecord {
    let resumption = StreamResumption {
        id: Some("some id".to_owned()),
        max_seconds: Some(600),
        location: Some("[::1]:5222".to_owned()),
    };
    let address = FullJid::new("user@b.example/phone").unwrap();
    StreamRecord::begin(&resumption, address).unwrap()
}
