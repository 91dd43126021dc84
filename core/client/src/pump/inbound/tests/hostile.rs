//! Whoever can write to us can write anything, and much of it.

use eft_omemo::{Action, Version};
use eft_store::limits::{MAX_FAILURES_PER_DEVICE_AND_DAY, MAX_FAILURES_PER_SENDER_AND_DAY};
use eft_store::{Content, UnreadableCause};
use eft_types::{DeviceAddress, DeviceId};

use super::*;
use crate::pump::inbound::{Inbound, Receiving, Source, bounds::SESSIONS_ASKED_MAX};
use crate::unit::Notice;

#[test]
fn ten_thousand_keys_cost_a_bounded_number_of_tries() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let good = bob.write(&alice, version, "hello");
        let mut crowded = good.clone();
        let mut ours = crowded.keys[0].clone();
        ours.data[20] ^= 1;
        crowded.keys = vec![ours; 10_000];
        let started = std::time::Instant::now();
        let row = alice.take(&crowded.stanza()).row();
        assert!(!row.content.is_readable());
        // 16 are tried. A try is under a millisecond; so many would be seconds.
        assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
        // Keys for others cost nothing but their parsing, and ours is found behind them.
        let mut crowded = good.clone();
        let ours = crowded.keys[0].clone();
        let mut other = ours.clone();
        other.rid = DeviceId::new(77).unwrap();
        crowded.keys = vec![other; 10_000];
        crowded.keys.push(ours);
        assert!(alice.take(&crowded.stanza()).row().content.is_readable());
    }
}

#[test]
fn huge_values_are_refused() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let good = bob.write(&alice, version, "hello");
        let mut huge = good.clone();
        huge.payload = Some(vec![7; 1 << 20]);
        alice.refuse("payload", &huge.stanza(), UnreadableCause::BadPayload);
        let mut huge = good.clone();
        huge.keys[0].data = vec![8; 1 << 20];
        alice.refuse("key", &huge.stanza(), UnreadableCause::Malformed);
        let id = "x".repeat(1 << 12);
        let row = alice
            .take(&good.stanza_with(&format!("id='{id}'"), ""))
            .row();
        assert!(row.content.is_readable());
    }
}

#[test]
fn failures_of_a_device_fold_into_one_row_whatever_they_claim() {
    let mut alice = Alice::install();
    let bob = Peer::bob(&alice, Version::Omemo2);
    let device = bob.address.device;
    let failing = |number: u32, sid: DeviceId| {
        message(
            &format!("from='bob@b.example/x' to='alice@a.example' id='{number}'"),
            &format!(
                "<delay xmlns='urn:xmpp:delay' from='a.example' stamp='{}-01-01T00:00:00Z'/>\
                 <encrypted xmlns='urn:xmpp:omemo:2'><header sid='{sid}'/><payload>AAAA</payload></encrypted>",
                1000 + number
            ),
        )
    };
    for number in 0..MAX_FAILURES_PER_DEVICE_AND_DAY + 20 {
        alice.take(&failing(number, device));
    }
    let count = |alice: &Alice| u32::try_from(alice.timeline(&bob.address.jid).len()).unwrap();
    assert_eq!(count(&alice), MAX_FAILURES_PER_DEVICE_AND_DAY + 1);
    for number in 0..MAX_FAILURES_PER_SENDER_AND_DAY + 20 {
        alice.take(&failing(1000 + number, DeviceId::new(number + 1).unwrap()));
    }
    let bound = MAX_FAILURES_PER_SENDER_AND_DAY + 2;
    assert!(count(&alice) <= bound, "{}", count(&alice));
}

#[test]
fn a_flood_of_identity_changes_does_not_fill_the_device_log() {
    let mut alice = Alice::install();
    let mut bob = Peer::bob(&alice, Version::Omemo2);
    alice.take(&bob.write(&alice, Version::Omemo2, "hello").stanza());
    let mut mallory = Peer::bob_again(&alice, Version::Omemo2);
    let mut forged = mallory.write(&alice, Version::Omemo2, "hello");
    forged.sid = bob.address.device;
    let stanza = forged.stanza();
    let told: usize = (0..20)
        .map(|_| {
            let twice = [(&stanza, Source::Live), (&stanza, Source::Live)];
            alice.take_all(&twice, Receiving::Live)
        })
        .flat_map(|taken| taken.done.notices)
        .filter(|notice| matches!(notice, Notice::IdentityChanged(_)))
        .count();
    assert_eq!(told, 1);
    assert_eq!(alice.device_log().len(), 1);
    // Whoever still does it tomorrow is worth another line.
    alice.now = alice.now.saturating_add_millis(24 * 60 * 60 * 1000);
    alice.take(&stanza);
    assert_eq!(alice.device_log().len(), 2);
}

#[test]
fn pitfall_11_a_flood_of_unknown_devices_asks_for_few_sessions() {
    let mut alice = Alice::install();
    let mut former = Alice::install();
    let mut bob = Peer::bob(&former, Version::Omemo2);
    former.take(&bob.write(&former, Version::Omemo2, "hello").stanza());
    former.answer(&mut bob, Version::Omemo2);
    let mut stranger = bob.write(&former, Version::Omemo2, "and on");
    stranger.keys[0].rid = alice.own.device;
    for sid in 1..=100 {
        stranger.sid = DeviceId::new(sid).unwrap();
        alice.take(&stranger.stanza());
    }
    let asked = alice.actions();
    let sessions = asked
        .iter()
        .filter(|action| matches!(action, Action::BuildSession { .. }));
    assert_eq!(sessions.count(), SESSIONS_ASKED_MAX);
    // Somebody else is none the worse for it.
    stranger.sender = "carol@c.example".parse().unwrap();
    alice.take(&stranger.stanza());
    assert!(alice.actions().contains(&Action::BuildSession {
        to: DeviceAddress::new(stranger.sender.clone(), stranger.sid),
        version: Version::Omemo2,
    }));
}

#[test]
fn addresses_and_types_that_are_none_are_no_message() {
    let alice = Alice::install();
    for attributes in [
        "from='@' to='alice@a.example'",
        "from='bob@b.example' to='@'",
        "from='bob@b.example' type='groupchat'",
        "from='bob@b.example' type='headline'",
    ] {
        let stanza = message(attributes, "<body>hello</body>");
        assert!(
            Inbound::new(&alice.own, &stanza, Source::Live).is_none(),
            "{attributes}"
        );
    }
    let presence: eft_xmpp::Element = "<presence xmlns='jabber:client'/>".parse().unwrap();
    assert!(Inbound::new(&alice.own, &presence, Source::Live).is_none());
}

#[test]
fn a_message_of_nobody_is_of_our_own_account() {
    // RFC 6120 §8.1.2.1.
    let mut alice = Alice::install();
    let row = alice.take(&message("", "<body>hello</body>")).row();
    assert_eq!(row.conversation.peer, alice.own.jid);
    assert!(matches!(row.content, Content::Readable(_)));
}

#[test]
fn a_message_of_this_very_device_that_is_not_here_any_more_is_nothing() {
    let mut alice = Alice::install();
    let device = alice.own.device;
    let stanza = message(
        "from='alice@a.example/eft' to='bob@b.example'",
        &format!(
            "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='{device}'>\
             <keys jid='alice@a.example'><key rid='{device}'>AAAA</key></keys></header>\
             <payload>AAAA</payload></encrypted>"
        ),
    );
    let before = alice.records();
    let taken = alice.take_all(&[(&stanza, received::archived("1"))], Receiving::CatchUp);
    assert_eq!(taken.news, []);
    assert!(alice.records() == before);
}
