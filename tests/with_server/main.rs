//! Runs a command beside a real Prosody: `with-server -- COMMAND ARGS…`.
//!
//! The command finds the server in its environment: `EFT_TEST_HOST`, `EFT_TEST_PORT` (STARTTLS), `EFT_TEST_CA` (PEM
//! file), `EFT_TEST_PUSH_SERVICE` (an app server to register for pushes with), `EFT_TEST_PUSHES` (a file that gets a line with
//! the node for each push that comes to it), and for the accounts alice and bob `EFT_TEST_ALICE`, `EFT_TEST_ALICE_PASSWORD` and so on. The server is
//! stopped and its folder removed when the command has ended; the exit code is the command's.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use eft_tests::{AppServer, AppServerPlace, Prosody};
use tokio::process::Command;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(failure) => {
            // The one line that tells why nothing was run.
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("with-server: {failure}\n"),
            );
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, Failure> {
    let mut words = std::env::args_os().skip(1).skip_while(|word| word == "--");
    let program = words.next().ok_or("usage: with-server -- COMMAND ARGS…")?;
    let place = AppServerPlace::beside("eft.test")?;
    let server = Prosody::builder().app_server(&place).start().await?;
    let app_server = AppServer::connect(&place).await?;
    let folder = tempfile::tempdir()?;
    let pushes = folder.path().join("pushes");
    std::fs::write(&pushes, "")?;
    let mut command = Command::new(program);
    command
        .args(words)
        .env("EFT_TEST_HOST", server.starttls_address().ip().to_string())
        .env("EFT_TEST_PORT", server.ports().starttls.to_string())
        .env("EFT_TEST_CA", server.authority_path())
        .env("EFT_TEST_PUSH_SERVICE", &place.name)
        .env("EFT_TEST_PUSHES", &pushes);
    for user in ["alice", "bob"] {
        let login = server.add_account(user).await?;
        let variable = format!("EFT_TEST_{}", user.to_uppercase());
        command
            .env(format!("{variable}_PASSWORD"), &login.password)
            .env(variable, login.jid.to_string());
    }
    let status = tokio::select! {
        status = command.status() => status?,
        failure = note_pushes(&app_server, pushes) => return Err(failure),
    };
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

/// Writes down what comes, until the command has ended.
async fn note_pushes(app_server: &AppServer, file: PathBuf) -> Failure {
    let mut known = 0;
    loop {
        let pushes = app_server.pushes();
        if pushes.len() > known {
            let lines: String = pushes
                .iter()
                .map(|push| format!("{}\n", push.node))
                .collect();
            if let Err(error) = std::fs::write(&file, lines) {
                return error.into();
            }
            known = pushes.len();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
