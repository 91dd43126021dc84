//! How the library is linked: its relative relocations packed, which are some 8,000 entries of 24 bytes otherwise.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let packed = match target.as_str() {
        // Read by glibc from 2.36 on; the linker notes that.
        "linux" => "-Wl,-z,pack-relative-relocs",
        // The form that Android 6 and newer read: RELR would want Android 9.
        "android" => "-Wl,--pack-dyn-relocs=android",
        _ => return,
    };
    println!("cargo::rustc-link-arg-cdylib={packed}");
}
