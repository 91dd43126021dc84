//! What the store costs, beside SQLCipher used directly.
//!
//! "Bare" is rusqlite with the same SQLCipher, schema, indexes, pragmas, prepared statements and bytes, in the same run
//! and by turns. What it leaves out is what the store is for: finding what is known already, the order of a
//! conversation, who may write.

#![allow(clippy::print_stdout, reason = "a table is what it makes")]

mod batch;
mod large;
mod opening;
mod transactions;
mod wake;

use eft_bench::Failure;
use eft_bench::figures::Figures;

fn main() -> Result<(), Failure> {
    let mut figures = Figures::new();
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    opening::measure(folder, &mut figures)?;
    wake::measure(folder, &mut figures)?;
    batch::measure(folder, &mut figures)?;
    batch::measure_fan_out(folder, &mut figures)?;
    transactions::measure(folder, &mut figures)?;
    large::measure(folder, &mut figures)?;
    print!("{}", figures.table());
    println!("{}", figures.write()?.display());
    Ok(())
}
