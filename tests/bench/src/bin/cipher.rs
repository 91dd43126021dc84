//! What the cipher provider costs: processor time for reading and writing every page of a large database, with SQLCipher
//! on our provider and, if a Python that has `sqlcipher3` is named, with SQLCipher on OpenSSL over the same file.
//!
//! ```text
//! cargo run --profile mobile -p eft-bench --bin cipher [PYTHON]
//! ```
//!
//! Both run the same statements in the same library, so that only the cryptography differs.

#![allow(clippy::print_stdout, reason = "a table is what it makes")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use eft_bench::people::{self, KEY, SALT};
use eft_bench::{Failure, bare, cpu};
use rusqlite::Connection;

/// Rows of nearly a page: 128 MiB.
const ROWS: u32 = 32_768;
const ROW_BYTES: u32 = 3_900;
/// Times that the whole file is read and written.
const ROUNDS: u32 = 5;

/// Touches every page that holds a row.
const READ: &str = "SELECT sum(length(body)) FROM filling";
/// Writes every one of them.
const WRITE: &str = "UPDATE filling SET body = substr(body, 2) || x'00'";

fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("store.db");
    fill(&path)?;
    let mib = f64::from(ROWS) * f64::from(ROW_BYTES) / f64::from(1024 * 1024);
    println!(
        "{:<28}{:>14}{:>14}",
        "MiB per processor second", "read", "written"
    );
    let (read, written) = ours(&path)?;
    print_row("ours (RustCrypto)", mib, read, written);
    if let Some(python) = std::env::args_os().nth(1) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/cipher_openssl.py");
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let output = Command::new(python)
            .args([script.as_ref(), path.as_os_str()])
            .args([
                hex(&KEY) + &hex(&SALT),
                READ.to_owned(),
                WRITE.to_owned(),
                ROUNDS.to_string(),
            ])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let [read, written, version] = text.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        };
        let seconds = |text: &str| Ok::<_, Failure>(Duration::from_secs_f64(text.parse()?));
        print_row(
            &format!("OpenSSL ({version})"),
            mib,
            seconds(read)?,
            seconds(written)?,
        );
    }
    Ok(())
}

fn print_row(name: &str, mib: f64, read: Duration, written: Duration) {
    let rate = |time: Duration| mib / time.as_secs_f64();
    println!("{name:<28}{:>14.0}{:>14.0}", rate(read), rate(written));
}

fn fill(path: &Path) -> Result<(), Failure> {
    drop(people::create(path)?);
    let connection = bare::open(path)?;
    connection.execute_batch(&format!(
        "PRAGMA synchronous = OFF;
         CREATE TABLE filling (id INTEGER PRIMARY KEY, body BLOB);
         WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {ROWS})
         INSERT INTO filling SELECT n, randomblob({ROW_BYTES}) FROM number;"
    ))?;
    Ok(())
}

/// Processor time for one reading and one writing: the least of all rounds.
fn ours(path: &Path) -> Result<(Duration, Duration), Failure> {
    let connection = bare::open(path)?;
    connection.execute_batch("PRAGMA synchronous = OFF")?;
    let (mut read, mut written) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        read = read.min(timed(|| {
            let _sum: i64 = connection.query_row(READ, [], |row| row.get(0))?;
            Ok(())
        })?);
        written = written.min(timed(|| write(&connection))?);
    }
    Ok((read, written))
}

fn write(connection: &Connection) -> Result<(), Failure> {
    connection.execute(WRITE, [])?;
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<(), Failure>) -> Result<Duration, Failure> {
    let before = cpu::used();
    work()?;
    Ok(cpu::used().saturating_sub(before))
}
