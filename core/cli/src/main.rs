//! `eft`: a terminal chat client in line mode, the first customer of Eft's public API.
//!
//! Not here: anything that the API does not offer to every app.

mod account;
mod args;
mod chat;
mod conversation;
mod inspect;
mod leave;
mod output;
mod password;
mod push;
mod reach;
mod report;
mod secrets;
mod transfer;
mod trust;
mod wake;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use eft::{Config, Eft};

use args::{Cli, Command, SecretsAt};
use output::Output;

/// What stops the program: one sentence for the person at the terminal.
pub(crate) type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    let in_keyring = cli.secrets == SecretsAt::Keyring;
    match run(cli, output).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has enough of it, as `head` does.
        Err(failure) if is_closed_pipe(failure.as_ref()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(failure.as_ref());
            if in_keyring && is_about_keys(failure.as_ref()) {
                output.hint("a machine without a keyring needs --secrets file:DIR");
            }
            ExitCode::FAILURE
        }
    }
}

fn is_about_keys(failure: &(dyn std::error::Error + 'static)) -> bool {
    matches!(
        failure.downcast_ref(),
        Some(eft::Error::KeyUnavailable { .. })
    )
}

fn is_closed_pipe(failure: &(dyn std::error::Error + 'static)) -> bool {
    failure
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

async fn run(cli: Cli, output: Output) -> Result<(), Failure> {
    let secrets = secrets::open(&cli.secrets)?;
    let eft = Eft::open(
        Config {
            data_dir: cli.data.clone(),
        },
        Arc::from(secrets),
    )?;
    match cli.command {
        Command::Chat(chat) => chat::run(&eft, chat, output).await,
        Command::Devices { me, of } => inspect::devices(&eft, &me, of.as_ref(), output).await,
        Command::Fingerprint { me } => inspect::fingerprint(&eft, &me, output).await,
        Command::History(asked) => inspect::history(&eft, &asked, output).await,
        Command::Conversations { me } => inspect::conversations(&eft, &me, output).await,
        Command::Search(asked) => inspect::search(&eft, &asked, output).await,
        Command::Wake(asked) => wake::run(eft, asked, output).await,
        Command::Push(asked) => push::run(&eft, &asked, output).await,
        Command::Report(asked) => report::run(&eft, &asked, output).await,
        Command::Export {
            me,
            file,
            with_identity,
        } => transfer::export(&eft, &me, &file, with_identity, output).await,
        Command::Import { me, file } => transfer::import(&eft, me, &file, output).await,
        Command::Password { me } => account::set_password(&eft, &me, output).await,
        Command::Rebuild { me } => account::rebuild(&eft, me, output).await,
        Command::Leave { me, peer } => leave::run(&eft, &me, peer, output).await,
        Command::Conversation(asked) => conversation::run(&eft, asked, output).await,
        Command::Trust(decide) => trust::run(&eft, decide, output).await,
    }
}
