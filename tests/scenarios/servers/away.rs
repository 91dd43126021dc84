//! A long absence: the newest messages first, the rest behind a gap that closes; and what was before a device, on demand.

use std::collections::BTreeSet;

use eft::{BareJid, CatchUpProgress, ConnectOptions, Content, Delivery, Event, Message};
use eft_tests::Phone;

use super::stage::{ServerKind, Stage, texts, told_on_every_server};

told_on_every_server!(
    a_phone_that_was_away_for_long_shows_the_newest_first_and_then_the_rest,
    a_new_device_loads_what_was_before_it_on_demand,
);

/// Messages that a phone misses: more than one page of either server.
const MISSED: usize = 700;

/// Sends `count` texts that begin with `word`, and waits until the server has them.
async fn send(phone: &mut Phone, to: &BareJid, word: &str, count: usize) -> Vec<String> {
    let mut sent = Vec::new();
    for number in 0..count {
        let text = format!("{word} {number}");
        let id = phone.send(to, &text).await.unwrap();
        if number % 100 == 99 || number + 1 == count {
            let delivery = phone.wait_until_sent(id).await.unwrap();
            assert_eq!(delivery, Delivery::Acked, "{text}");
        }
        sent.push(text);
    }
    sent
}

/// Waits for a state of catch-up.
async fn wait_for_progress(
    phone: &mut Phone,
    what: &str,
    is_it: impl Fn(&CatchUpProgress) -> bool,
) -> CatchUpProgress {
    phone
        .wait(what, |event| match event {
            Event::CatchUpProgressed(progress) if is_it(progress) => Some(*progress),
            _ => None,
        })
        .await
        .unwrap()
}

fn text(message: &Message) -> &str {
    match &message.content {
        Content::Text(text) => text,
        Content::Unreadable(why) => panic!("unreadable: {why}"),
    }
}

async fn a_phone_that_was_away_for_long_shows_the_newest_first_and_then_the_rest(stage: Stage) {
    let (mut phone, mut bobs) = stage.one_away().await;
    let (alice, bob) = (stage.alice.jid.clone(), stage.bob.jid.clone());
    let mut expected = vec!["first".to_owned()];
    expected.extend(send(&mut phone, &bob, "missed", MISSED).await);

    bobs.reopen().await.unwrap();
    // So that the gap stays open as long as this looks at it.
    bobs.account.pause_catch_up().await.unwrap();
    bobs.connect().await.unwrap();
    let progress = wait_for_progress(&mut bobs, "the pause", |progress| progress.is_paused).await;
    assert!(progress.gap_is_open && !progress.complete);
    assert!(progress.received_count <= 100, "{progress:?}");
    let conversation = bobs.account.conversation(alice.clone());
    let page = conversation.timeline(None, 200).await.unwrap();
    assert_eq!(text(&page.messages[0]), format!("missed {}", MISSED - 1));
    assert_eq!(page.gaps.len(), 1);
    let gap = page.gaps[0];
    assert!(!gap.is_filling);
    let (newer, older) = page.messages.split_at(gap.index);
    let newest: Vec<_> = expected.iter().rev().take(newer.len()).collect();
    assert_eq!(newer.iter().map(text).collect::<Vec<_>>(), newest);
    let oldest: Vec<_> = expected.iter().take(older.len()).rev().collect();
    assert_eq!(older.iter().map(text).collect::<Vec<_>>(), oldest);
    assert!(newer.len() + older.len() < expected.len());

    // The conversation goes on meanwhile, in both directions.
    expected.extend(send(&mut phone, &bob, "live", 3).await);
    bobs.wait_for_text("live 2").await.unwrap();
    // Before it is acknowledged the connection may end, and it is sent a second time.
    bobs.send(&alice, "I am back").await.unwrap();
    phone.wait_for_text("I am back").await.unwrap();
    expected.push("I am back".to_owned());
    let page = conversation.timeline(None, 200).await.unwrap();
    assert_eq!(text(&page.messages[0]), "I am back");
    assert_eq!(text(&page.messages[1]), "live 2");
    assert_eq!(page.gaps.len(), 1);

    // Away once more, with the gap open: now there are two.
    bobs.account.disconnect().await;
    expected.extend(send(&mut phone, &bob, "again", 150).await);
    bobs.connect().await.unwrap();
    wait_for_progress(&mut bobs, "the pause", |progress| progress.is_paused).await;
    let mut before = None;
    let mut gap_count = 0;
    loop {
        let page = conversation.timeline(before, 25).await.unwrap();
        gap_count += page.gaps.len();
        match page.older {
            Some(older) => before = Some(older),
            None => break,
        }
    }
    assert_eq!(gap_count, 2, "each on one page");

    bobs.account.resume_catch_up().await.unwrap();
    bobs.wait("the end of a gap", |event| {
        matches!(event, Event::GapClosed).then_some(())
    })
    .await
    .unwrap();
    bobs.wait_until_caught_up().await.unwrap();
    assert_eq!(texts(&bobs, &alice).await, expected);
    let page = conversation.timeline(None, 200).await.unwrap();
    assert_eq!(page.gaps, []);
    // Nothing is fetched twice, and nothing is missing after a restart.
    bobs.reopen().await.unwrap();
    bobs.connect().await.unwrap();
    bobs.wait_until_caught_up().await.unwrap();
    assert_eq!(texts(&bobs, &alice).await, expected);
}

async fn a_new_device_loads_what_was_before_it_on_demand(stage: Stage) {
    const COUNT: usize = 45;
    let mut phone = stage.phone(&stage.alice, "phone").await;
    let (alice, bob) = (stage.alice.jid.clone(), stage.bob.jid.clone());
    {
        let mut first = stage.phone(&stage.bob, "first").await;
        send(&mut phone, &bob, "before", COUNT).await;
        first.wait_for_text("before 44").await.unwrap();
        first.account.disconnect().await;
    }
    let mut bobs = Phone::new(&stage.server, &stage.bob, "bobs", stage.folder.path())
        .await
        .unwrap();
    bobs.set_options(ConnectOptions {
        first_history_count: Some(7),
        ..bobs.options().clone()
    });
    bobs.connect().await.unwrap();
    bobs.wait_until_caught_up().await.unwrap();
    assert_eq!(bobs.history(&alice).await.unwrap().len(), 7);
    let conversation = bobs.account.conversation(alice.clone());
    let loaded = conversation.load_older(10).await.unwrap();
    assert_eq!((loaded.count, loaded.at_beginning), (10, false));
    let mut total = 17;
    loop {
        let loaded = conversation.load_older(25).await.unwrap();
        total += loaded.count;
        if loaded.at_beginning {
            break;
        }
        assert!(loaded.count > 0);
    }
    let history = bobs.history(&alice).await.unwrap();
    assert_eq!(history.len(), usize::try_from(total).unwrap());
    assert_eq!(history.len(), COUNT);
    assert!(history.is_sorted_by_key(|message| message.sent_at));
    let ids: BTreeSet<_> = history.iter().map(|message| &message.origin_id).collect();
    assert_eq!(ids.len(), COUNT, "each once");
    for message in &history {
        assert!(matches!(message.content, Content::Unreadable(_)));
    }
    let unread: u32 = bobs
        .account
        .conversations()
        .await
        .unwrap()
        .iter()
        .map(|summary| summary.unread_count)
        .sum();
    assert_eq!(unread, 0);
    // At the beginning, nobody is asked any more, and without a connection neither.
    let again = conversation.load_older(10).await.unwrap();
    assert_eq!((again.count, again.at_beginning), (0, true));
    bobs.account.disconnect().await;
    conversation.load_older(10).await.unwrap_err();
}
