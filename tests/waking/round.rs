//! One round: two new accounts, pushes, kills, and what has to be true afterwards.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eft::{Account, BareJid, Content, Delivery, Event};
use eft_tests::{Deadline, Home, Phone, Prosody, wait_for};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::watch;

use super::judge::{self, Verdict, Written};
use super::stage::Stage;
use super::{app, screen};

/// Pushes in a round.
const PUSHES: u64 = 100;

/// How long everything may take to settle.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two things that happen to the processes, in milliseconds.
const PAUSE: core::ops::Range<u64> = 5..90;

/// Between two messages, in milliseconds.
const SILENCE: core::ops::Range<u64> = 10..150;

/// Longer than a lease lasts in the hands of a process that is frozen.
const FROZEN: Duration = Duration::from_millis(1300);

/// More than these are not waiting for an answer: the system gives up on an extension that does not answer.
const UNANSWERED_MAX: usize = 3;

type Book = Arc<Mutex<Vec<Written>>>;

pub(crate) async fn run(server: &Prosody, seed: u64) -> Verdict {
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let names = [format!("alice{seed}"), format!("bob{seed}")];
    let alice = server.add_account(&names[0]).await.unwrap();
    let bob = server.add_account(&names[1]).await.unwrap();
    server.befriend(&names[0], &names[1]).await.unwrap();
    let phone = Phone::online(server, &alice, "alice", folder.path())
        .await
        .unwrap();
    let home = Home::new(server, &bob, &folder.path().join("bob"));
    let mut stage = Stage::new(&home, &alice.jid);
    // The device is there before anything is sent to it: what comes before is not for it.
    stage.app.tell(app::OPEN).await;
    let mut faults = wait_until(&stage, "the first login", |stage| {
        stage.app.has_said("online") && stage.app.has_said("whole")
    })
    .await;
    let book = Book::default();
    tokio::spawn(note_acknowledgements(
        phone.account.clone(),
        Arc::clone(&book),
    ));
    let (stop, stopped) = watch::channel(false);
    let writing = tokio::spawn(write(
        phone.account.clone(),
        bob.jid.clone(),
        Arc::clone(&book),
        StdRng::seed_from_u64(!seed),
        stopped,
    ));
    let pushes = live(&mut stage, &mut rng).await;
    stop.send_replace(true);
    writing.await.unwrap();
    let acked = wait_for("the server's acknowledgements", PATIENCE, || async {
        let book = book.lock().unwrap();
        book.iter().all(|written| written.acked_at.is_some())
    });
    if acked.await.is_err() {
        let mut states = BTreeMap::new();
        for message in phone.history(&bob.jid).await.unwrap() {
            *states.entry(format!("{:?}", message.delivery)).or_insert(0) += 1;
        }
        faults.push(format!("not all acknowledged at the peer's: {states:?}"));
    }
    let pushes = settle(&mut stage, &mut rng, pushes, &mut faults).await;
    phone.account.shut_down().await;
    let written = book.lock().unwrap().clone();
    for place in [&mut stage.app, &mut stage.extension] {
        faults.append(&mut place.faults);
    }
    let mut verdict = judge::judge(&written, &[stage.app.lives, stage.extension.lives].concat());
    verdict.pushes = pushes;
    verdict.faults.append(&mut faults);
    verdict
}

/// Things happen to both processes until so many pushes came. Gives their number.
async fn live(stage: &mut Stage, rng: &mut StdRng) -> u64 {
    let mut pushes = 0;
    while pushes < PUSHES {
        match rng.random_range(0..100) {
            0..52 if stage.extension.unanswered() < UNANSWERED_MAX => {
                pushes += 1;
                stage.extension.push(pushes).await;
            }
            0..62 if stage.app.unanswered() < UNANSWERED_MAX => {
                pushes += 1;
                stage.app.push(pushes).await;
            }
            62..70 => stage.app.tell(app::OPEN).await,
            70..77 => stage.app.tell(app::LEAVE).await,
            77..88 => stage.app.tell(app::SLEEP).await,
            88..93 => stage.app.kill().await,
            93..99 => stage.extension.kill().await,
            99 => stage.app.freeze(FROZEN).await,
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(PAUSE))).await;
    }
    pushes
}

/// Nobody is killed any more, and pushes come until one is answered with "nothing more came": an app that still goes to
/// sleep has the account for a while. Then everything is shown, except for what the app alone can show; it is opened, and
/// says what there is. Gives the number of the last push.
async fn settle(stage: &mut Stage, rng: &mut StdRng, pushes: u64, faults: &mut Vec<String>) -> u64 {
    match rng.random() {
        true => stage.app.kill().await,
        false => stage.app.tell(app::SLEEP).await,
    }
    stage.extension.kill().await;
    let deadline = Deadline::after(PATIENCE);
    let mut push = pushes;
    loop {
        push += 1;
        stage.extension.push(push).await;
        let answered = wait_for("an answer to a push", PATIENCE, || async {
            stage.extension.unanswered() == 0 || stage.extension.has_ended()
        });
        if answered.await.is_ok() && stage.extension.has_said(&format!("push {push} caught-up")) {
            break;
        }
        if deadline.is_over() {
            let said = stage.extension.said();
            faults.push(format!("the last pushes brought nothing: {said:?}"));
            break;
        }
    }
    stage.extension.end().await;
    stage.app.end().await;
    stage.app.tell(app::OPEN).await;
    faults.extend(
        wait_until(stage, "the last opening", |stage| {
            stage.app.has_said("whole")
        })
        .await,
    );
    stage.app.tell(app::ROWS).await;
    stage.app.end().await;
    push
}

async fn wait_until(stage: &Stage, what: &str, is_so: impl Fn(&Stage) -> bool) -> Vec<String> {
    match wait_for(what, PATIENCE, || async { is_so(stage) }).await {
        Ok(()) => Vec::new(),
        Err(error) => vec![error.to_string()],
    }
}

/// The peer, who writes all the time.
async fn write(
    account: Account,
    to: BareJid,
    book: Book,
    mut rng: StdRng,
    stopped: watch::Receiver<bool>,
) {
    let conversation = account.conversation(to);
    let mut number = 0;
    while !*stopped.borrow() {
        book.lock().unwrap().push(Written {
            at: screen::now(),
            acked_at: None,
        });
        conversation.send(judge::text(number)).await.unwrap();
        number += 1;
        tokio::time::sleep(Duration::from_millis(rng.random_range(SILENCE))).await;
    }
}

async fn note_acknowledgements(account: Account, book: Book) {
    let mut events = account.events();
    while let Some(event) = events.next().await {
        if let Event::MessageChanged(message) = event
            && message.delivery == Some(Delivery::Acked)
            && let Content::Text(text) = &message.content
            && let Some(number) = judge::number(text)
            && let Some(written) = book.lock().unwrap().get_mut(number)
        {
            written.acked_at.get_or_insert_with(screen::now);
        }
    }
}
