//! What it costs to catch up with 10,000 messages: time of the processor, from the first byte of the archive until all
//! of them are committed in plaintext, beside the least that the same work could take; and memory.
//!
//! Eft is a process of its own and reads from a scripted server, in another, over TLS. The messages were encrypted before,
//! by 50 devices of ten contacts, with 4 keys in each header and 100 bytes of text; the server gives as many in a page as
//! it is asked for.
//!
//! The floor is a process, too. It reads the same bytes over rustls with quick-xml, and writes the same rows with
//! the same SQLCipher, 1,000 in a transaction. What it decrypts are other ciphertexts of the same lengths, of which it has
//! the chain keys: a step of the ratchet, and the payload. It asks for nothing, knows nobody, checks no more than
//! the authentication, and keeps nothing in order.
//!
//! `catchup.10k_vs_floor`, `catchup.10k_omemo2_vs_floor`: how many times as long Eft takes. `catchup.peak_kib`: how far
//! its private dirty memory grows from the entry of `main` on, for 10,000; `catchup.peak_100k_more_kib`: how much further
//! for 100,000.

#![allow(
    clippy::print_stdout,
    reason = "a program of figures: printing them is its purpose"
)]

mod child;
mod floor;
mod pages;
mod process;
mod script;
mod stage;

use eft_bench::figures::Figures;
use eft_bench::rounds::by_turns;
use eft_bench::{Failure, memory};
use eft_tests::Version;

use self::stage::{Stage, What};

/// Messages whose catch-up is timed.
const MESSAGES: usize = 10_000;
/// Messages whose catch-up may take little more memory.
const MANY: usize = 100_000;
/// Each way, and one more to warm up.
const ROUNDS: u32 = 5;

fn main() -> Result<(), Failure> {
    let at_entry = memory::dirty_kib()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match std::env::var(process::PART).as_deref() {
        Ok(process::FLOOR) => floor::run(),
        Ok(_) => runtime.block_on(child::run(at_entry)),
        Err(_) => measure(&runtime),
    }
}

fn measure(runtime: &tokio::runtime::Runtime) -> Result<(), Failure> {
    let mut figures = Figures::new();
    let is_asked = |wanted: &str| std::env::args().any(|word| word == wanted);
    let (is_once, is_quick) = (is_asked("once"), is_asked("quick"));
    for (version, name, wanted) in [
        (Version::Legacy, "catchup.10k_vs_floor", Some(2.5)),
        (Version::Omemo2, "catchup.10k_omemo2_vs_floor", None),
    ] {
        let mut stage = runtime.block_on(Stage::set(version, MESSAGES))?;
        if is_once {
            // For who looks with a profiler.
            let took = runtime.block_on(stage.run(What::Time))?;
            println!("{name}: {} ms", took / 1_000_000);
            continue;
        }
        let stage = std::cell::RefCell::new(&mut stage);
        let pair = by_turns(
            ROUNDS,
            || {
                let took = runtime.block_on(stage.borrow_mut().run(What::Time))?;
                Ok::<_, Failure>(std::time::Duration::from_nanos(took))
            },
            || {
                let took = runtime.block_on(stage.borrow_mut().run_floor())?;
                Ok(std::time::Duration::from_nanos(took))
            },
        )?;
        figures.add(name, pair.ratio(), wanted, pair.note());
        if is_quick {
            println!("{name}: {:.2} ({})", pair.ratio(), pair.note());
            continue;
        }
        if version == Version::Legacy {
            memory_figures(runtime, &mut stage.borrow_mut(), &mut figures)?;
        }
    }
    if is_once || is_quick {
        return Ok(());
    }
    println!("{}", figures.table());
    println!("{}", figures.write()?.display());
    Ok(())
}

/// The worst of three; of 100,000, which takes ten times as long, the only one.
fn memory_figures(
    runtime: &tokio::runtime::Runtime,
    stage: &mut Stage,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let as_figure = |kib: u64| u32::try_from(kib).map_or(f64::MAX, f64::from);
    let mut peak = 0;
    for _ in 0..3 {
        peak = peak.max(runtime.block_on(stage.run(What::Memory))?);
    }
    figures.add(
        "catchup.peak_kib",
        as_figure(peak),
        Some(16384.0),
        format!("{MESSAGES} messages"),
    );
    let mut large = runtime.block_on(Stage::set(Version::Legacy, MANY))?;
    let peak_of_many = runtime.block_on(large.run(What::Memory))?;
    figures.add(
        "catchup.peak_100k_more_kib",
        as_figure(peak_of_many.saturating_sub(peak)),
        Some(2048.0),
        format!("{peak_of_many} KiB for {MANY} messages"),
    );
    Ok(())
}
