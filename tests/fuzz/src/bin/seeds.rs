//! Writes the seeds of every target into its corpus: `cargo run -p eft-fuzz --bin seeds`.
//!
//! Files that are there stay: they were found by fuzzing, or belong to an earlier format that is still read.

use std::path::Path;
use std::{fs, io};

use eft_fuzz::TARGETS;

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in TARGETS {
        let folder = corpus.join(target.name);
        fs::create_dir_all(&folder)?;
        for (at, seed) in (target.seeds)().into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{at:02}")), seed)?;
        }
    }
    Ok(())
}
