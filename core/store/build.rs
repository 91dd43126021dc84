//! Two things that the linker needs before SQLCipher can take its cryptography from this crate.

use std::env;
use std::path::Path;
use std::process::ExitCode;

const PROVIDER_FLAG: &str = "-DSQLCIPHER_CRYPTO_CUSTOM=eft_sqlcipher_provider_setup";

#[allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is how a build script speaks"
)]
fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBSQLITE3_FLAGS");
    let flags = env::var("LIBSQLITE3_FLAGS").unwrap_or_default();
    if !flags.split_whitespace().any(|flag| flag == PROVIDER_FLAG) {
        eprintln!(
            "eft-store needs {PROVIDER_FLAG} in the environment variable LIBSQLITE3_FLAGS, so that \
             SQLCipher uses the cipher provider of this crate. Copy LIBSQLITE3_FLAGS from \
             .cargo/config.toml of the Eft workspace into your own."
        );
        return ExitCode::FAILURE;
    }
    // libsqlite3-sys asks for -lcrypto on every target it does not know to be without OpenSSL. Nothing
    // of OpenSSL is referenced any more, so an archive without members satisfies it; being in a -L
    // folder it is found before a system's libcrypto.so.
    let Some(out_dir) = env::var_os("OUT_DIR") else {
        eprintln!("OUT_DIR is not set: run this through cargo");
        return ExitCode::FAILURE;
    };
    let archive = Path::new(&out_dir).join("libcrypto.a");
    if let Err(error) = std::fs::write(&archive, b"!<arch>\n") {
        eprintln!("cannot write {}: {error}", archive.display());
        return ExitCode::FAILURE;
    }
    println!(
        "cargo:rustc-link-search=native={}",
        Path::new(&out_dir).display()
    );
    ExitCode::SUCCESS
}
