//! The story.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use eft::{Content, Delivery, Encryption, Event};
use eft_tests::{Bot, Login, Phone, Prosody, Version};
use tempfile::TempDir;

use crate::at_rest;
use crate::telling::{Telling, rate};

/// What ends the story.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Messages that Bob misses, half of them from each device of Alice.
const MISSED_COUNT: usize = 1000;
/// Stands in every text of the story, so that any plaintext anywhere is found.
const MARKER: &str = "newt-under-the-stone";
const PATIENCE: Duration = Duration::from_secs(30);

/// Everybody in the story.
struct Cast {
    server: Prosody,
    alice: Login,
    bob: Login,
    phone: Phone,
    laptop: Phone,
    bobs: Phone,
}

pub(crate) async fn tell(telling: &Telling) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut cast = gather(telling, &folder).await?;
    first_words(telling, &mut cast).await?;
    while_bob_is_away(telling, &mut cast).await?;
    a_foreign_client(telling, &mut cast).await?;
    what_the_server_saw(telling, &cast)?;
    what_lies_on_disk(telling, &cast, folder.path()).await?;
    let pid = cast.server.pid();
    drop(cast);
    telling.chapter("Cleaning up");
    check(
        !Path::new(&format!("/proc/{pid}")).exists(),
        "the server is still running",
    )?;
    let path = folder.path().to_owned();
    folder.close()?;
    check(!path.exists(), "the folder is still there")?;
    telling.checked("The server is stopped and every file of the story is removed.");
    Ok(())
}

async fn gather(telling: &Telling, folder: &TempDir) -> Result<Cast, Failure> {
    telling.chapter("A chat server starts on this machine");
    let server = Prosody::start().await?;
    telling.checked(&format!(
        "Prosody serves {} on a loopback port, encrypted connections only.",
        server.host()
    ));
    let alice = server.add_account("alice").await?;
    let bob = server.add_account("bob").await?;
    telling.checked("Alice and Bob have accounts.");

    telling.chapter("Three devices make their keys and publish them");
    let phone = Phone::online(&server, &alice, "alice-phone", folder.path()).await?;
    let laptop = Phone::online(&server, &alice, "alice-laptop", folder.path()).await?;
    let bobs = Phone::online(&server, &bob, "bob-phone", folder.path()).await?;
    for (whose, device) in [
        ("Alice's phone ", &phone),
        ("Alice's laptop", &laptop),
        ("Bob's phone   ", &bobs),
    ] {
        let id = device.account.device_id().as_u32().to_string();
        let of = device.account.jid().node().map(|node| node.as_str().to_owned());
        let published = server.pep_text(&of.unwrap_or_default())?;
        check(
            published.contains(&id),
            "a device is not on its account's list on the server",
        )?;
        let fingerprint = device.account.fingerprint().to_string();
        let shown: Vec<_> = fingerprint.split(' ').take(3).collect();
        telling.checked(&format!("{whose} is device {id:>10}, key {} …", shown.join(" ")));
    }
    Ok(Cast {
        server,
        alice,
        bob,
        phone,
        laptop,
        bobs,
    })
}

async fn first_words(telling: &Telling, cast: &mut Cast) -> Result<(), Failure> {
    telling.chapter("Alice writes to Bob from her phone");
    let text = format!("Tea at four? ({MARKER})");
    let id = cast.phone.send(&cast.bob.jid, &text).await?;
    let delivery = cast.phone.wait_until_sent(id).await?;
    check(delivery == Delivery::Acked, "the server did not take it")?;
    let got = cast.bobs.wait_for_text(&text).await?;
    check(got.encryption == Encryption::Omemo2, "it was not encrypted")?;
    telling.checked("Bob's phone shows it, decrypted with OMEMO 2.");
    let copy = cast.laptop.wait_for_text(&text).await?;
    check(copy.outgoing, "the laptop does not know it as Alice's own")?;
    telling.checked("Alice's laptop shows it too, as her own message.");

    let text = format!("Gladly ☕ ({MARKER})");
    cast.bobs.send(&cast.alice.jid, &text).await?;
    cast.phone.wait_for_text(&text).await?;
    cast.laptop.wait_for_text(&text).await?;
    telling.checked("Bob answers; both devices of Alice show it.");
    Ok(())
}

async fn while_bob_is_away(telling: &Telling, cast: &mut Cast) -> Result<(), Failure> {
    telling.chapter(&format!(
        "Bob's phone is off; Alice sends {MISSED_COUNT} messages, from both devices"
    ));
    let before = cast.bobs.history(&cast.alice.jid).await?.len();
    cast.bobs.account.disconnect().await;
    let since = Instant::now();
    let half = MISSED_COUNT / 2;
    let acked = AtomicUsize::new(0);
    let progress = || {
        let acked = acked.fetch_add(1, Ordering::Relaxed) + 1;
        if acked % 10 == 0 {
            telling.progress(acked, MISSED_COUNT, since);
        }
    };
    tokio::try_join!(
        send_many(&mut cast.phone, "phone", &cast.bob, half, &progress),
        send_many(&mut cast.laptop, "laptop", &cast.bob, half, &progress),
    )?;
    let acked = acked.load(Ordering::Relaxed);
    telling.checked(&format!(
        "The server has all {acked}, {:.0} per second: encrypted for every device, each safe on disk before it was sent.",
        rate(acked, since)
    ));

    telling.chapter("Bob's phone starts again");
    cast.bobs.reopen().await?;
    let since = Instant::now();
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
        let received = usize::try_from(received)?;
        if complete {
            break;
        }
        telling.progress(received.min(MISSED_COUNT), MISSED_COUNT, since);
    }
    let took = since.elapsed();
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
        "All {MISSED_COUNT} are there, in order, none twice, none unreadable: {:.1} s from login, {:.0} per second.",
        took.as_secs_f64(),
        f64::from(u32::try_from(MISSED_COUNT)?) / took.as_secs_f64().max(0.001)
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
            conversation.send(format!("{name} {number} ({MARKER})")).await?;
        }
        Ok::<_, Failure>(())
    };
    let wait = async {
        for _ in 0..count {
            device
                .wait("the server's acknowledgement", |event| match event {
                    Event::MessageChanged(message)
                        if message.delivery == Some(Delivery::Acked) =>
                    {
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
            Content::Unreadable(why) => return Err(format!("a message is unreadable: {why}").into()),
        }
    }
    Ok(numbers)
}

async fn a_foreign_client(telling: &Telling, cast: &mut Cast) -> Result<(), Failure> {
    telling.chapter("Carol uses another app (Python, slixmpp and python-omemo)");
    let carol = cast.server.add_account("carol").await?;
    let mut bot = Bot::start(&cast.server, &carol).await?;
    let text = format!("Bonjour ({MARKER})");
    cast.phone.send(&carol.jid, &text).await?;
    let got = bot.wait_for_message(&text, PATIENCE).await?;
    check(
        got["version"] == Version::Omemo2.word(),
        "Carol's app got it in another version",
    )?;
    telling.checked("Alice writes, Carol's app decrypts it.");
    let text = format!("Salut ({MARKER})");
    bot.send(&cast.alice.jid, &text, Version::Omemo2).await?;
    let got = cast.phone.wait_for_text(&text).await?;
    check(got.encryption == Encryption::Omemo2, "it was not encrypted")?;
    cast.laptop.wait_for_text(&text).await?;
    telling.checked("Carol's app answers, both devices of Alice decrypt it.");
    bot.quit().await?;
    Ok(())
}

fn what_the_server_saw(telling: &Telling, cast: &Cast) -> Result<(), Failure> {
    telling.chapter("What the server saw");
    let archive = cast.server.archive_text("bob")?;
    let count = archive.matches("urn:xmpp:omemo:2").count();
    check(
        count >= MISSED_COUNT,
        "the server's archive does not hold the messages",
    )?;
    check(
        cast.server.files_containing("alice").is_ok_and(|found| !found.is_empty()),
        "the search through the server's files sees nothing at all",
    )?;
    let found = cast.server.files_containing(MARKER)?;
    check(
        found.is_empty(),
        &format!("the server could read messages: {found:?}"),
    )?;
    telling.checked(&format!(
        "Its archive holds Bob's messages ({} KiB), and no word of them can be read.",
        archive.len() / 1024
    ));
    Ok(())
}

async fn what_lies_on_disk(telling: &Telling, cast: &Cast, folder: &Path) -> Result<(), Failure> {
    telling.chapter("What lies on the devices' disks");
    at_rest::prove_the_search(&folder.join("scratch"), &cast.phone, MARKER)?;
    telling.checked("A search finds the words of this story in a clear file and in an unencrypted copy of a database.");
    for device in [&cast.phone, &cast.laptop, &cast.bobs] {
        let (count, bytes) = at_rest::size(device.folder())?;
        check(count > 0, "there are no files to search")?;
        let found = at_rest::files_containing(device.folder(), MARKER)?;
        check(
            found.is_empty(),
            &format!("{} has plaintext in {found:?}", device.name),
        )?;
        telling.remark(&format!(
            "{:<12} {count} files, {:>5} KiB: not found",
            device.name,
            bytes / 1024
        ));
    }
    telling.checked("The same search finds nothing in the databases of the three devices.");
    for device in [&cast.phone, &cast.laptop, &cast.bobs] {
        device.account.shut_down().await;
    }
    Ok(())
}

fn check(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(otherwise.into())
    }
}
