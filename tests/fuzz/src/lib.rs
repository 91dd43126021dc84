//! Fuzz targets of the engine and the session: each is a function from any bytes that panics when a property is
//! broken.
//!
//! Not here: a fuzzer. `cargo test` replays the corpus with cheap mutations of it (`tests/replay.rs`), libFuzzer runs
//! the same functions for hours (`libfuzzer/`). Nor parsers that no other crate can call: the padding inside a
//! message is reached only behind a MAC, and has tests beside it.
//!
//! | Target | Bytes | Property |
//! |---|---|---|
//! | `message` | `<key/>`, `<iv/>`, `<payload/>` of both versions | refused without a trace, or read as it was written |
//! | `bundle` | a bundle's fields | refused, or there is a session that encrypts |
//! | `device_list` | entries of lists | bounded, each device once, stored as received |
//! | `record` | a row of each kind | decoding is stable; an unknown version is named |
//! | `store` | a damaged database | every step answers |
//! | `name` | names of records, actions, fingerprints, addresses | written as read |
//! | `file` | keys, places in files, files in pieces | authentic and as it was, or not released |
//! | `conversation` | what happens to three devices | everything that arrives is read |
//! | `stream` | a stream | the same in any pieces, within its limits |
//! | `login` | what a server says | nobody is let in who proves nothing |
//! | `stanza` | stanzas | nobody speaks for somebody else |
//! | `element` | OMEMO's elements | written as read |
//! | `envelope` | SCE envelopes | nothing inside that only servers write |
//! | `management` | counts and acknowledgements | `h` names what is durable, and no more |
//! | `kept` | what a session keeps: token, pins, stream | written as read |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target tells what it found by panicking"
)]

mod conversation;
mod device;
mod fixture;
mod input;
mod omemo;
mod xmpp;

pub use input::Seed;

/// A function to be fuzzed, with what it is best fed at first.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Names its corpus and its campaign.
    pub name: &'static str,
    /// Takes any bytes. Panics if a property is broken.
    pub run: fn(&[u8]),
    /// Inputs made from real messages. Not the same in every release: the engine may draw its randomness
    /// differently.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! targets {
    ($($name:ident: $module:path),* $(,)?) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[$({
            use $module as target;
            Target {
                name: stringify!($name),
                run: target::run,
                seeds: target::seeds,
            }
        }),*];
    };
}

targets! {
    message: omemo::message,
    bundle: omemo::bundle,
    device_list: omemo::device_list,
    record: omemo::record,
    store: omemo::store,
    name: omemo::name,
    file: omemo::file,
    conversation: conversation,
    stream: xmpp::stream,
    login: xmpp::login,
    stanza: xmpp::stanza,
    element: xmpp::element,
    envelope: xmpp::envelope,
    management: xmpp::management,
    kept: xmpp::kept,
}

impl Target {
    /// The target of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}
