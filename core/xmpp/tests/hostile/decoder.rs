//! The decoder alone.

use std::time::{Duration, Instant};

use eft_xmpp::limits::XmlLimits;
use eft_xmpp::xml::{DecodeError, Decoder, Frame};

use super::attacks::{self, Attack};
use super::cost::{self, Cost, KIB, Peak};

const OPEN: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

/// Feeds an attack. `dropped_at` is when its content began to be thrown away.
fn feed(decoder: &mut Decoder, attack: &Attack) -> (Option<DecodeError>, u64, Option<Duration>) {
    let began = Instant::now();
    let (mut bytes, mut dropped_at) = (0, None);
    for piece in attack.pieces() {
        bytes += piece.len() as u64;
        // Small steps, for the sake of the clock.
        for mut input in piece.chunks(1024) {
            loop {
                match decoder.decode(&mut input) {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(found) => return (Some(found), bytes, dropped_at),
                }
            }
            if decoder.is_dropping() {
                dropped_at.get_or_insert_with(|| began.elapsed());
            }
        }
    }
    (None, bytes, dropped_at)
}

fn measure(limits: XmlLimits) {
    let attack = attacks::named(&cost::attack());
    let open = || {
        let mut decoder = Decoder::new(limits);
        let frame = decoder.decode(&mut OPEN.as_bytes());
        assert!(matches!(frame, Ok(Some(Frame::Header(_)))));
        decoder
    };
    // The first use of anything pays for its code and buffers.
    feed(&mut open(), &attacks::named("doubled attribute"));
    let peak = Peak::begin();
    let mut decoder = open();
    let began = Instant::now();
    let (error, bytes, dropped_at) = feed(&mut decoder, &attack);
    cost::tell(&Cost {
        time: dropped_at.unwrap_or_else(|| began.elapsed()),
        memory: peak.bytes(),
        bytes,
        outcome: format!("{error:?} after {:?}", began.elapsed()),
    });
}

#[test]
#[ignore = "one attack, in the process that another test starts"]
fn measured_at_login() {
    measure(XmlLimits::LOGIN);
}

#[test]
#[ignore = "one attack, in the process that another test starts"]
fn measured_after_login() {
    measure(XmlLimits::SESSION);
}

#[test]
fn what_xmpp_forbids_is_refused_at_once_and_costs_nothing() {
    for when in ["login", "session"] {
        for attack in attacks::forbidden() {
            let cost = run(when, &attack);
            assert!(
                cost.time < Duration::from_millis(200),
                "{}: {:?}",
                attack.name,
                cost.time
            );
            assert!(
                cost.memory < 256 * KIB,
                "{}: {} bytes",
                attack.name,
                cost.memory
            );
        }
    }
}

#[test]
fn too_much_is_dropped_soon_and_never_costs_two_mebibytes() {
    for (when, limits) in [("login", XmlLimits::LOGIN), ("session", XmlLimits::SESSION)] {
        for attack in attacks::floods() {
            let cost = run(when, &attack);
            // It ends when the limit does, not when the flood does.
            let most = limits.stanza_bytes_fatal as u64 + 1024 * KIB;
            assert!(
                cost.bytes <= most,
                "{}: read {} bytes",
                attack.name,
                cost.bytes
            );
            assert!(
                cost.memory < 2048 * KIB,
                "{}: {} bytes of memory",
                attack.name,
                cost.memory
            );
            // Until the content is dropped; unoptimised code is some ten times slower than what ships.
            assert!(
                cost.time < Duration::from_millis(800),
                "{}: {:?}",
                attack.name,
                cost.time
            );
        }
    }
}

fn run(when: &str, attack: &Attack) -> Cost {
    let test = match when {
        "login" => "decoder::measured_at_login",
        _ => "decoder::measured_after_login",
    };
    let cost = cost::in_own_process(test, attack.name);
    cost.print(when, attack.name);
    assert!(
        !cost.outcome.starts_with("None"),
        "{} was let in",
        attack.name
    );
    cost
}
