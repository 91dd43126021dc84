//! Somebody between: a certificate that the client trusts, for the right name, with a key of its own, and an honest
//! server behind. That is what stood before jabber.ru in 2023.

use std::io;

use eft_xmpp::driver::BoxedStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};

use super::login::Login;
use super::offer::Offer;
use super::state::{Shared, lock};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Middle {
    /// What the server offers.
    pub(crate) made: Offer,
    /// What the client gets to see.
    pub(crate) shown: Offer,
    /// It speaks TLS 1.2 with the server, and not what it speaks with the client.
    pub(crate) is_old: bool,
}

/// A name, what is made of an offer, and what a careful client does that has been at this server before.
type Way = (&'static str, fn(Offer) -> Offer, &'static str);

const WAYS: [Way; 10] = [
    ("relays", |offer| offer, FAILS),
    (
        "without-plus",
        |offer| {
            offer
                .with_names(&["SCRAM-SHA-256", "SCRAM-SHA-1"])
                .with_bindings(&[])
        },
        REFUSES,
    ),
    (
        "without-plus-names",
        |offer| offer.with_names(&["SCRAM-SHA-256", "SCRAM-SHA-1"]),
        "refuses half of an offer of channel binding, also at its first visit",
    ),
    (
        "without-types",
        |offer| offer.with_bindings(&[]),
        "refuses half of an offer of channel binding, also at its first visit",
    ),
    (
        "other-types",
        |offer| offer.with_bindings(&["tls-unique"]),
        REFUSES,
    ),
    (
        "weaker-type",
        |offer| offer.with_bindings(&["tls-server-end-point"]),
        REFUSES,
    ),
    (
        "weaker-plus",
        |offer| offer.with_names(&["SCRAM-SHA-1-PLUS"]),
        REFUSES,
    ),
    (
        "sha-1",
        |offer| offer.with_names(&["SCRAM-SHA-1"]).with_bindings(&[]),
        REFUSES,
    ),
    (
        "plain",
        |offer| offer.with_names(&["PLAIN"]).with_bindings(&[]),
        "refuses, also if its user permits PLAIN",
    ),
    (
        "without-sasl2",
        |offer| Offer {
            sasl2: &[],
            ..offer
        },
        REFUSES,
    ),
];

const FAILS: &str = "fails: what it binds to is not what the server binds to";
const REFUSES: &str =
    "refuses what is less than the server once had, and sends no proof of its password";

/// Before which servers: the end of the name, the login that shows the server as it is, its offer.
const SERVERS: [(&str, &str, Offer); 2] = [
    ("hashed", "plus-hashed", Offer::HASHED),
    ("bound", "plus", Offer::BOUND),
];

/// Every way before every server, and the name of the login by which a client visits that server without it.
pub(crate) fn logins() -> Vec<(String, Login, &'static str, &'static str)> {
    let ways = WAYS.iter().flat_map(|(name, change, careful)| {
        SERVERS.iter().map(move |(server, honest, made)| {
            let middle = Middle {
                made: *made,
                shown: change(*made),
                is_old: false,
            };
            (format!("middle-{name}-{server}"), middle, *careful, *honest)
        })
    });
    let bound_to_certificate = |is_old| Middle {
        made: Offer::END_POINT,
        shown: Offer::END_POINT,
        is_old,
    };
    let others = [
        ("relays", bound_to_certificate(false), FAILS),
        (
            "tls",
            bound_to_certificate(true),
            "leaves: the server speaks another version of TLS (XEP-0515)",
        ),
    ]
    .map(|(name, middle, careful)| {
        let name = format!("middle-{name}-end-point");
        (name, middle, careful, "plus-end-point")
    });
    ways.chain(others)
        .map(|(name, middle, careful, honest)| (name, Login::Middle(middle), careful, honest))
        .collect()
}

/// Carries everything between a client and the server, and changes the server's first features. Ends when one of
/// them does.
pub(crate) async fn relay(
    client: BoxedStream,
    server: BoxedStream,
    middle: Middle,
    shared: &Shared,
) -> io::Result<()> {
    let (from_client, to_client) = split(client);
    let (from_server, to_server) = split(server);
    tokio::select! {
        done = listen_in(from_client, to_server, shared) => done,
        done = change(from_server, to_client, middle) => done,
    }
}

async fn listen_in(
    mut client: ReadHalf<BoxedStream>,
    mut server: WriteHalf<BoxedStream>,
    shared: &Shared,
) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let count = client.read(&mut buffer).await?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(bytes);
        lock(shared).heard_between.push_str(&text);
        server.write_all(bytes).await?;
        server.flush().await?;
    }
}

async fn change(
    mut server: ReadHalf<BoxedStream>,
    mut client: WriteHalf<BoxedStream>,
    middle: Middle,
) -> io::Result<()> {
    let (made, shown) = (middle.made.features(), middle.shown.features());
    let (mut buffer, mut held, mut is_changed) = ([0; 4096], String::new(), false);
    loop {
        let count = server.read(&mut buffer).await?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        held.push_str(&String::from_utf8_lossy(bytes));
        // An answer to what the client said before it saw any features comes behind them.
        if !is_changed && held.contains("</stream:features>") {
            held = held.replacen(&made, &shown, 1);
            is_changed = true;
        }
        if is_changed {
            client.write_all(held.as_bytes()).await?;
            client.flush().await?;
            held.clear();
        }
    }
}
