//! `make demo`: the main job of Eft on a real server, told in lines that a newcomer understands.
//!
//! Every line that starts with a tick is a check that was just made; the first one that fails ends
//! the story with a non-zero exit. The server and its folder are removed in either case.

mod at_rest;
mod story;
mod telling;

use std::process::ExitCode;

use telling::Telling;

#[tokio::main]
async fn main() -> ExitCode {
    let telling = Telling::new();
    match story::tell(&telling).await {
        Ok(()) => {
            telling.end();
            ExitCode::SUCCESS
        }
        Err(failure) => {
            telling.failed(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}
