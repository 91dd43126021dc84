//! What a wake-up by a push costs: a process of its own, as a notification extension is, opens the account, connects to a
//! real Prosody, catches up, decrypts, commits, hangs up and closes.
//!
//! `wake.dirty_kib`: how far its private dirty memory grows, at its peak over what it was at the entry of `main`, for the
//! worse of one and a hundred messages; `wake.heap_peak_kib`: what of that is allocated at once. `wake.growth_kib_per_1000`:
//! how much more it is after a thousand wakes in one process than after the first hundred. The same process under a limit of
//! 24 MiB, which is what iOS gives to an extension, wakes as well; under one that is too small it does not, or the limit
//! would limit nothing. And what it costs on the network: see [`network`].

#![allow(
    clippy::print_stdout,
    reason = "a program of figures: printing them is its purpose"
)]

mod chain;
mod child;
mod heap;
mod network;

use std::error::Error;
use std::time::Duration;

use eft_bench::figures::Figures;
use eft_bench::memory;
use eft_tests::{Child, Home, Login, Phone, Prosody, child as process};

pub(crate) type Fault = Box<dyn Error + Send + Sync>;

/// How long a process may take that wakes up often.
const PATIENCE: Duration = Duration::from_secs(900);

/// And one under a limit: without memory, it may hang where it wanted to say so.
const PATIENCE_WITH_A_LIMIT: Duration = Duration::from_secs(60);

/// Wakes in one process.
const WAKES: u32 = 1000;

/// How often each number of messages is tried; the worst counts.
const TRIES: u32 = 3;

/// What an extension has on a phone.
const LIMIT: u64 = 24 << 20;

/// Too little.
const NO_LIMIT_TO_LIVE_WITH: u64 = 2 << 20;

fn main() -> Result<(), Fault> {
    let at_entry = memory::dirty_kib()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match process::part() {
        Some(part) => runtime.block_on(child::run(&part, at_entry)),
        None => runtime.block_on(measure()),
    }
}

async fn measure() -> Result<(), Fault> {
    let mut figures = Figures::new();
    network::measure(&mut figures).await?;
    measure_memory(&mut figures).await?;
    println!("{}", figures.table());
    println!("{}", figures.write()?.display());
    Ok(())
}

/// Somebody who writes, and the home of the one who is woken.
struct Pair {
    phone: Phone,
    bob: Login,
    home: Home,
}

impl Pair {
    /// So many messages wait on the server.
    async fn write(&mut self, count: u32) -> Result<(), Fault> {
        for number in 0..count {
            let text = format!("message {number}");
            let sent = self.phone.send(&self.bob.jid, &text).await?;
            if number + 1 == count {
                self.phone.wait_until_sent(sent).await?;
            }
        }
        Ok(())
    }

    /// Runs this program again for one part; gives the numbers that it says.
    async fn run(&self, part: &str, count: u32, limit: Option<u64>) -> Result<[u64; 2], Fault> {
        // A backtrace needs memory, too.
        let more = [
            (child::COUNT, count.to_string()),
            ("RUST_BACKTRACE", "0".to_owned()),
        ];
        let environment = self.home.environment().chain(more);
        let patience = limit.map_or(PATIENCE, |_| PATIENCE_WITH_A_LIMIT);
        let child = Child::of_program(part, environment, limit)?;
        let (is_well, said) = tokio::time::timeout(patience, child.end()).await??;
        if !is_well {
            return Err(format!("the process that {part} failed").into());
        }
        let said = said.last().ok_or("it said nothing")?;
        let (first, second) = said.split_once(' ').ok_or("it said one number")?;
        Ok([first.parse()?, second.parse()?])
    }
}

async fn measure_memory(figures: &mut Figures) -> Result<(), Fault> {
    let server = Prosody::builder().one_step_login().start().await?;
    let alice = server.add_account("alice").await?;
    let bob = server.add_account("bob").await?;
    server.befriend("alice", "bob").await?;
    let folder = tempfile::tempdir()?;
    let mut pair = Pair {
        phone: Phone::online(&server, &alice, "alice", folder.path()).await?,
        home: Home::new(&server, &bob, &folder.path().join("bob")),
        bob,
    };
    pair.run(child::INSTALLS, 0, None).await?;
    let mut worst = [0; 2];
    let mut note = String::new();
    for messages in [1, 100] {
        let mut peak = [0; 2];
        for _ in 0..TRIES {
            pair.write(messages).await?;
            let [dirty, heap] = pair.run(child::WAKES_UP, messages, None).await?;
            peak = [peak[0].max(dirty), peak[1].max(heap)];
        }
        let [dirty, heap] = peak;
        note = format!("{note}{messages} message(s): {dirty} KiB, heap {heap} KiB; ");
        worst = [worst[0].max(dirty), worst[1].max(heap)];
    }
    pair.write(100).await?;
    if pair
        .run(child::WAKES_UP, 100, Some(NO_LIMIT_TO_LIVE_WITH))
        .await
        .is_ok()
    {
        return Err("a limit that is too small limits nothing".into());
    }
    let limited = pair.run(child::WAKES_UP, 100, Some(LIMIT)).await;
    let note = match limited {
        Ok(_) => format!("{note}100 under a limit of 24 MiB: woke"),
        Err(error) => format!("{note}100 under a limit of 24 MiB: {error}"),
    };
    let [growth, _] = pair.run(child::WAKES_OFTEN, WAKES, None).await?;
    let as_figure = |kib: u64| u32::try_from(kib).map_or(f64::MAX, f64::from);
    figures.add("wake.dirty_kib", as_figure(worst[0]), Some(8192.0), note);
    figures.add(
        "wake.heap_peak_kib",
        as_figure(worst[1]),
        None,
        "Rust's and SQLite's peaks together".to_owned(),
    );
    figures.add(
        "wake.growth_kib_per_1000",
        as_figure(growth),
        Some(1024.0),
        format!("{WAKES} wakes in one process"),
    );
    Ok(())
}
