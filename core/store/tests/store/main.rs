//! What the store promises, through its public interface.
//!
//! Campaigns are short here. `make soak WHAT=s2`, `s3` or `s4` runs one for a while and keeps what it reached; these
//! variables make others long, too. Each prints one line, which starts with its id:
//!
//! | Variable | What it counts | Line |
//! |---|---|---|
//! | `EFT_STORE_KILLS` | processes killed while they commit (25) | `S1 kills=…` |
//! | `EFT_STORE_POWER_CUTS` | images of a disk after a power cut (40) | `S2 images=…` |
//! | `EFT_STORE_MEMORY_STEP` | distance between two allocations that fail (61; 1 tries all) | `S3 kind=…`, four |
//! | `EFT_STORE_BLOWS` | processes stopped or killed in one fight for the lease (24) | `S4 processes=…` |
//! | `EFT_STORE_MIGRATION_KILLS` | processes killed in a migration (40) | `S7 kills=…` |
//! | `EFT_STORE_GENERATION_KILLS` | processes killed while they take the lease (32) | `S8 kills_while_taking=…` |
//! | `EFT_STORE_REKEY_KILLS` | processes killed while they change the key (30) | `rekey kills=…` |
//! | `EFT_STORE_SEED` | another course of S2 and S4; S4 has 2 to 4 processes by it | |

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, also in its helpers"
)]

mod atomic;
mod conversations;
mod dedupe;
mod exit;
mod export;
mod faults;
mod flood;
mod foreign;
mod hygiene;
mod kill;
mod lease;
mod log;
mod opening;
mod order;
mod outbox;
mod power;
mod processes;
mod ranges;
mod rebuild;
mod rekey;
mod released;
mod rollback;
mod search;
mod soak;
mod support;
mod suspend;
mod updates;
mod vfs;
mod watch;
mod writer_reads;
