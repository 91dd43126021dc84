//! libFuzzer over the targets of `eft-fuzz`. One program for all: each links the same code, and the environment says
//! which is meant. `run.py` builds and runs it.
#![no_main]

use std::sync::OnceLock;

use eft_fuzz::Target;
use libfuzzer_sys::fuzz_target;

/// Names the target.
const TARGET: &str = "EFT_FUZZ_TARGET";

static MEANT: OnceLock<&Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var(TARGET).unwrap_or_default();
        let target = Target::find(&name).unwrap_or_else(|| panic!("{TARGET}: no target named {name:?}"));
        MEANT.get_or_init(|| target);
        // What is made once is made before the first input, whose coverage it would seem to be.
        (target.run)(&[]);
    },
    |data: &[u8]| {
        if let Some(target) = MEANT.get() {
            (target.run)(data);
        }
    }
);
