//! `make demo`: the main job of Eft on a real server, told in lines that a newcomer understands.
//!
//! Every line that starts with a tick is a check that was just made, and so is every row of a table; the first
//! one that fails ends the story with a non-zero exit. The server and its folder are removed in either case.
//!
//! | File | Chapters |
//! |---|---|
//! | `story` | the order of it all |
//! | `cast` | who takes part |
//! | `talk` | Alice and Bob, three devices, a thousand missed messages |
//! | `foreign` | other apps, in both OMEMO versions |
//! | `rogue` | compared fingerprints, and the device that the server's operator adds |
//! | `server` | what the server saw |
//! | `at_rest` | what lies on the devices' disks |
//! | `telling` | how it is printed |

mod at_rest;
mod cast;
mod foreign;
mod rogue;
mod server;
mod story;
mod talk;
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
