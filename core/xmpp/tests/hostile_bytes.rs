//! What a hostile server or contact can make of bytes, measured: how long until it is refused, and
//! how much memory it costs meanwhile. Linux only, where a process can see its own peak.

#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test: what goes wrong has to stop it, and the figures are for reading"
)]

use std::time::{Duration, Instant};

use eft_xmpp::limits::XmlLimits;
use eft_xmpp::xml::{DecodeError, Decoder, Frame};

const OPEN: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
const MIB: u64 = 1024 * 1024;

/// Bytes as they would come from a socket: a beginning, then one piece again and again, if any.
struct Attack {
    name: &'static str,
    begin: &'static [u8],
    again: &'static [u8],
}

const fn once(name: &'static str, begin: &'static [u8]) -> Attack {
    flood(name, begin, b"")
}

const fn flood(name: &'static str, begin: &'static [u8], again: &'static [u8]) -> Attack {
    Attack { name, begin, again }
}

/// Forbidden outright (RFC 6120 §11.1): one look is enough.
const FORBIDDEN: &[Attack] = &[
    once("document type", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
    once(
        "billion laughs",
        b"<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><l>&b;</l>",
    ),
    once("unknown entity", b"<message>&eacute;</message>"),
    once(
        "external entity",
        b"<!ENTITY x SYSTEM 'file:///etc/passwd'>",
    ),
    once("processing instruction", b"<?php echo 1 ?>"),
    once("comment", b"<!-- hello -->"),
    once("comment within", b"<message><!-- hello --></message>"),
    once("NUL", b"<message><body>\0</body></message>"),
    once("NUL by reference", b"<message><body>&#0;</body></message>"),
    once(
        "surrogate by reference",
        b"<message><body>&#xD800;</body></message>",
    ),
    once("control character", b"<message><body>\x01</body></message>"),
    once("invalid UTF-8", b"<message><body>\xC3\x28</body></message>"),
    once(
        "overlong UTF-8",
        b"<message><body>\xC0\xAF</body></message>",
    ),
    once(
        "surrogate in UTF-8",
        b"<message><body>\xED\xA0\x80</body></message>",
    ),
    once(
        "beyond Unicode",
        b"<message><body>\xF4\x90\x80\x80</body></message>",
    ),
    once("UTF-16", b"\xFF\xFE<\0a\0>\0"),
    once("unbound prefix", b"<x:message/>"),
    once("crossed tags", b"<a><b></a></b>"),
    once("doubled attribute", b"<a b='1' b='2'/>"),
    once(
        "doubled attribute by prefix",
        b"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
    ),
    once("unquoted attribute", b"<a b=1/>"),
    once("markup in attribute", b"<a b='<'/>"),
    once("rebound xml prefix", b"<a xmlns:xml='other'/>"),
];

/// Too much of what is allowed, without end: refused when the limit is reached.
const FLOODS: &[Attack] = &[
    flood("levels", b"", b"<a>"),
    flood("levels with namespaces", b"", b"<a xmlns:p='urn:x'>"),
    flood("attributes", b"<a", b" b='c'"),
    flood("text", b"<message><body>", &[b'x'; 4096]),
    flood("attribute", b"<a b='", &[b'x'; 4096]),
    flood("name", b"<", &[b'x'; 4096]),
    flood("references", b"<message><body>", b"&amp;&amp;&amp;&amp;"),
    flood("elements", b"<message>", b"<a/><a/><a/><a/>"),
    flood(
        "elements with attributes",
        b"<message>",
        b"<a b='' c='' d=''/>",
    ),
    flood("CDATA", b"<message><body><![CDATA[", &[b'x'; 4096]),
];

fn status(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

struct Cost {
    error: Option<DecodeError>,
    time: Duration,
    memory: u64,
    bytes: u64,
}

fn run(attack: &Attack, limits: XmlLimits) -> Cost {
    // What was touched before does not count: the peak begins anew.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS");
    let mut decoder = Decoder::new(limits);
    let mut input = OPEN.as_bytes();
    assert!(matches!(
        decoder.decode(&mut input),
        Ok(Some(Frame::Header(_)))
    ));
    let mut bytes = 0;
    let mut error = None;
    let began = Instant::now();
    // As a socket gives it, in pieces of a TLS record.
    let mut piece: Vec<u8> = attack.begin.to_vec();
    'feeding: loop {
        while !attack.again.is_empty() && piece.len() < 16 * 1024 {
            piece.extend_from_slice(attack.again);
        }
        if piece.is_empty() {
            break;
        }
        bytes += piece.len() as u64;
        let mut input = piece.as_slice();
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(found) => {
                    error = Some(found);
                    break 'feeding;
                }
            }
        }
        piece.clear();
    }
    let time = began.elapsed();
    let memory = status("VmHWM").saturating_sub(before);
    Cost {
        error,
        time,
        memory,
        bytes,
    }
}

#[test]
fn hostile_bytes_are_refused_fast_and_cost_little() {
    for (name, limits) in [("login", XmlLimits::LOGIN), ("session", XmlLimits::SESSION)] {
        // The first use of anything pays for its code and buffers.
        run(&FORBIDDEN[0], limits);
        for attack in FORBIDDEN {
            let cost = run(attack, limits);
            println!(
                "{name}: {}: {:?}, {} KiB, {:?}",
                attack.name,
                cost.time,
                cost.memory / 1024,
                cost.error
            );
            assert!(cost.error.is_some(), "{} was let in", attack.name);
            assert!(
                cost.time < Duration::from_millis(10),
                "{}: {:?}",
                attack.name,
                cost.time
            );
            assert!(cost.memory < MIB, "{}: {} bytes", attack.name, cost.memory);
        }
        for attack in FLOODS {
            let cost = run(attack, limits);
            println!(
                "{name}: {}: {:?} for {} KiB, {} KiB of memory, {:?}",
                attack.name,
                cost.time,
                cost.bytes / 1024,
                cost.memory / 1024,
                cost.error
            );
            assert!(cost.error.is_some(), "{} was let in", attack.name);
            // It ends when the limit does, not when the flood does.
            let most = limits.stanza_bytes_fatal as u64 + 64 * 1024;
            assert!(
                cost.bytes <= most,
                "{}: read {} bytes",
                attack.name,
                cost.bytes
            );
            // What a stanza may cost, its text while it is being read, and the names of open elements.
            let most = limits.stanza_memory_bytes as u64 + limits.stanza_bytes as u64 + 2 * MIB;
            assert!(
                cost.memory <= most,
                "{}: {} bytes of memory",
                attack.name,
                cost.memory
            );
        }
    }
}
