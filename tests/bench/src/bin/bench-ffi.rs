//! What it costs to be a library of another language: `bench-ffi LIBRARY SYMBOLS CALL_NS METHOD_NS`, started by
//! tests/bench/ffi.sh. The library is stripped, as it ships; the symbols are `nm`'s of the same library before that; the times are
//! what Kotlin measured.

#![allow(
    clippy::print_stdout,
    reason = "the program's whole purpose is what it prints"
)]

use std::fs;

use eft_bench::Failure;
use eft_bench::figures::Figures;
use eft_bench::size::Sizes;

/// 4 MiB.
const SIZE_MAX_BYTES: f64 = 4_194_304.0;
const ROWS: usize = 24;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [library, symbols, call, method] = words.as_slice() else {
        return Err("usage: bench-ffi LIBRARY SYMBOLS CALL_NS METHOD_NS".into());
    };
    let bytes = fs::metadata(library)?.len();
    let sizes = Sizes::of(&fs::read_to_string(symbols)?);
    if sizes.total() == 0 || sizes.total() > bytes {
        return Err(format!("symbols of {} bytes in a file of {bytes}", sizes.total()).into());
    }
    println!("{bytes:>10}  {library}");
    for (name, size) in sizes.largest(ROWS) {
        println!("{size:>10}  {name}");
    }
    println!(
        "{:>10}  strings, unwinding tables, relocations",
        bytes - sizes.total()
    );

    let mut figures = Figures::new();
    let size = bytes as f64;
    let note = "stripped library for this machine, with SQLCipher, TLS and UniFFI".to_owned();
    figures.add("size.so_bytes", size, Some(SIZE_MAX_BYTES), note);
    let (call, method): (f64, f64) = (call.parse()?, method.parse()?);
    let note =
        format!("Kotlin on a JVM, a function without arguments, median; a method {method:.0} ns");
    figures.add("ffi.call_ns", call, None, note);
    print!("{}", figures.table());
    println!("{}", figures.write()?.display());
    Ok(())
}
