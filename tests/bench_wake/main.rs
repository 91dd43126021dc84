//! What a wake-up by a push costs in memory: a process of its own, as a notification extension is, opens the account,
//! connects to a real Prosody, catches up, decrypts, commits, hangs up and closes.
//!
//! `wake.dirty_kib`: how far its private dirty memory grows, at its peak over what it was at the entry of `main`, for the
//! worse of one and a hundred messages. `wake.growth_kib_per_1000`: how much more it is after a thousand wakes in one
//! process than after the first hundred.

#![allow(
    clippy::print_stdout,
    reason = "a program of figures: printing them is its purpose"
)]

mod child;

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};

use eft_bench::figures::Figures;
use eft_bench::memory;
use eft_tests::{Login, Phone, Prosody};

pub(crate) type Fault = Box<dyn Error + Send + Sync>;

/// Wakes in one process.
const WAKES: u32 = 1000;

/// How often each number of messages is tried; the worst counts.
const TRIES: u32 = 3;

fn main() -> Result<(), Fault> {
    let at_entry = memory::dirty_kib()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if child::is_child() {
        return runtime.block_on(child::run(at_entry));
    }
    runtime.block_on(measure())
}

async fn measure() -> Result<(), Fault> {
    let server = Prosody::builder().one_step_login().start().await?;
    let alice = server.add_account("alice").await?;
    let bob = server.add_account("bob").await?;
    server.befriend("alice", "bob").await?;
    let folder = tempfile::tempdir()?;
    let mut phone = Phone::online(&server, &alice, "alice", folder.path()).await?;
    let run =
        |part: &str, count: u32| start(&server, &bob, &folder.path().join("bob"), part, count);
    run(child::INSTALLS, 0)?;
    let mut worst = (0, 0);
    let mut note = String::new();
    for messages in [1_u32, 100] {
        let mut peak = 0;
        for _ in 0..TRIES {
            let mut last = None;
            for number in 0..messages {
                last = Some(phone.send(&bob.jid, &format!("message {number}")).await?);
            }
            if let Some(last) = last {
                phone.wait_until_sent(last).await?;
            }
            peak = peak.max(run(child::WAKES_UP, messages)?);
        }
        note = format!("{note}{messages} message(s): {peak} KiB; ");
        worst = worst.max((peak, messages));
    }
    let growth = run(child::WAKES_OFTEN, WAKES)?;
    let mut figures = Figures::new();
    let as_figure = |kib: u64| u32::try_from(kib).map_or(f64::MAX, f64::from);
    figures.add("wake.dirty_kib", as_figure(worst.0), Some(8192.0), note);
    figures.add(
        "wake.growth_kib_per_1000",
        as_figure(growth),
        Some(1024.0),
        format!("{WAKES} wakes in one process"),
    );
    println!("{}", figures.table());
    println!("{}", figures.write()?.display());
    Ok(())
}

/// Runs this program again for one part; gives the number that it prints.
fn start(
    server: &Prosody,
    bob: &Login,
    folder: &Path,
    part: &str,
    count: u32,
) -> Result<u64, Fault> {
    let output = Command::new(std::env::current_exe()?)
        .env(child::PART, part)
        .env(child::COUNT, count.to_string())
        .env(child::FOLDER, folder)
        .env(child::PORT, server.ports().starttls.to_string())
        .env(child::AUTHORITY, server.authority_path())
        .env(child::JID, bob.jid.as_str())
        .env(child::PASSWORD, &bob.password)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the process that {part} failed").into());
    }
    let said = String::from_utf8(output.stdout)?;
    Ok(said.trim().parse()?)
}
