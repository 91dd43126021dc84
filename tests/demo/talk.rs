//! Alice and Bob talk, at once and later.

use std::cell::Cell;

use eft::{Content, Delivery, Encryption, Event};
use eft_tests::{Login, Phone};

use crate::cast::Cast;
use crate::story::{Failure, MARKER, check};
use crate::telling::Telling;

/// Messages that Bob misses, half of them from each device of Alice.
const MISSED_COUNT: usize = 1000;

/// Alice and Bob, one message each.
pub(crate) async fn first_words(telling: &Telling, cast: &mut Cast) -> Result<(), Failure> {
    telling.chapter("Alice writes to Bob from her phone");
    let text = format!("Tea at four? ({MARKER})");
    let id = cast.phone.send(&cast.bob.jid, &text).await?;
    let delivery = cast.phone.wait_until_sent(id).await?;
    check(delivery == Delivery::Acked, "the server did not take it")?;
    let got = cast.bobs.wait_for_text(&text).await?;
    check(
        got.encryption == Encryption::Omemo2,
        "it came in another version",
    )?;
    check(
        got.sender_device == Some(cast.phone.account.device_id()),
        "it is not from Alice's phone",
    )?;
    telling.checked("Bob's phone shows it, decrypted [omemo:2].");
    let copy = cast.laptop.wait_for_text(&text).await?;
    check(copy.outgoing, "the laptop does not know it as Alice's own")?;
    telling.checked("Alice's laptop shows it too, as her own message.");

    let text = format!("Gladly ☕ ({MARKER})");
    cast.bobs.send(&cast.alice.jid, &text).await?;
    for device in [&mut cast.phone, &mut cast.laptop] {
        let got = device.wait_for_text(&text).await?;
        check(
            got.encryption == Encryption::Omemo2,
            "the answer came in another version",
        )?;
    }
    telling.checked("Bob answers; both devices of Alice show it [omemo:2].");
    Ok(())
}

/// A thousand messages from two devices to a phone that is off.
pub(crate) async fn while_bob_is_away(telling: &Telling, cast: &mut Cast) -> Result<(), Failure> {
    telling.chapter(&format!(
        "Bob's phone is off; Alice sends {MISSED_COUNT} messages, from both devices"
    ));
    let before = cast.bobs.history(&cast.alice.jid).await?.len();
    cast.bobs.account.disconnect().await;
    let half = MISSED_COUNT / 2;
    let progress = telling.progress(MISSED_COUNT);
    let acked = Cell::new(0);
    let count = || {
        acked.set(acked.get() + 1);
        progress.at(acked.get());
    };
    tokio::try_join!(
        send_many(&mut cast.phone, "phone", &cast.bob, half, &count),
        send_many(&mut cast.laptop, "laptop", &cast.bob, half, &count),
    )?;
    check(acked.get() == MISSED_COUNT, "not all were acknowledged")?;
    telling.checked(&format!(
        "The server has all {MISSED_COUNT}, {:.0} per second: encrypted for every device, each safe on disk before it was sent.",
        progress.rate(MISSED_COUNT)
    ));

    telling.chapter("Bob's phone starts again");
    cast.bobs.reopen().await?;
    let progress = telling.progress(MISSED_COUNT);
    cast.bobs.connect().await?;
    loop {
        let (received, complete) = cast
            .bobs
            .wait("catch-up", |event| match event {
                Event::CatchUpProgressed(progress) => {
                    Some((progress.received_count, progress.complete))
                }
                _ => None,
            })
            .await?;
        progress.at(usize::try_from(received)?);
        if complete {
            break;
        }
    }
    let (seconds, rate) = (progress.seconds(), progress.rate(MISSED_COUNT));
    let history = cast.bobs.history(&cast.alice.jid).await?;
    let missed = history.get(before..).unwrap_or_default();
    check(
        missed.len() == MISSED_COUNT,
        &format!("{} messages instead of {MISSED_COUNT}", missed.len()),
    )?;
    for name in ["phone", "laptop"] {
        let numbers = numbers_of(missed, name)?;
        check(
            numbers == (0..half).collect::<Vec<_>>(),
            &format!("the messages of Alice's {name} are out of order, or one is missing"),
        )?;
    }
    telling.checked(&format!(
        "All {MISSED_COUNT} are there, in order, none twice, none unreadable: {seconds:.1} s from login, {rate:.0} per second.",
    ));
    Ok(())
}

/// Sends numbered messages and waits until the server has them all.
async fn send_many(
    device: &mut Phone,
    name: &str,
    to: &Login,
    count: usize,
    acked: &impl Fn(),
) -> Result<(), Failure> {
    let conversation = device.account.conversation(to.jid.clone());
    let send = async {
        for number in 0..count {
            conversation
                .send(format!("{name} {number} ({MARKER})"))
                .await?;
        }
        Ok::<_, Failure>(())
    };
    let wait = async {
        for _ in 0..count {
            device
                .wait("the server's acknowledgement", |event| match event {
                    Event::MessageChanged(message) if message.delivery == Some(Delivery::Acked) => {
                        Some(())
                    }
                    _ => None,
                })
                .await?;
            acked();
        }
        Ok::<_, Failure>(())
    };
    tokio::try_join!(send, wait)?;
    Ok(())
}

/// The numbers in the messages of one device, as the timeline shows them.
fn numbers_of(messages: &[eft::Message], name: &str) -> Result<Vec<usize>, Failure> {
    let mut numbers = Vec::new();
    for message in messages {
        match &message.content {
            Content::Text(text) => {
                if let Some(rest) = text.strip_prefix(&format!("{name} ")) {
                    let number = rest.split(' ').next().unwrap_or_default();
                    numbers.push(number.parse()?);
                }
            }
            Content::Unreadable(why) => {
                return Err(format!("a message is unreadable: {why}").into());
            }
        }
    }
    Ok(numbers)
}
