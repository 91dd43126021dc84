//! A real ejabberd on loopback, beside [`Prosody`](crate::Prosody): another program, another language, another reading
//! of the same documents.
//!
//! It runs as a child process in a temporary folder, as `nobody` when the tests run as root, on free loopback ports,
//! with a certificate of this run's authority. No Erlang distribution and no port mapper: commands go over HTTP to
//! loopback.
//!
//! | File | Noun |
//! |---|---|
//! | [`builder`] | [`EjabberdBuilder`]: what the scenario wants to differ from the default server |
//! | `config` | the configuration files |
//! | `installed` | where this machine has it |
//! | `command` | its HTTP interface for operators |

pub mod builder;
mod command;
mod config;
mod error;
mod installed;

pub use builder::EjabberdBuilder;
pub use error::EjabberdError;

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use eft_types::BareJid;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::certificates::Certificates;
use crate::deadline::Deadline;
use crate::disk::files_containing;
use crate::federation::Federation;
use crate::process;
use crate::server::{Login, Ports};

/// How long ejabberd may take until its ports are open. It takes 1 to 3 s; a busy machine needs more.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to write down what it has, when it is to start again.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
const LOG_TAIL_LINES: usize = 40;

/// A running ejabberd. Dropping it ends the process and removes the folder.
///
/// When a test panics, the end of the server's log is printed with it.
#[derive(Debug)]
pub struct Ejabberd {
    // The child ends before the folder goes: fields are dropped in this order, after `Drop`.
    child: Child,
    certificates: Certificates,
    host: String,
    ports: Ports,
    http_port: u16,
    folder: TempDir,
    _servers: Option<Federation>,
}

impl Ejabberd {
    /// Starts a server with the defaults of [`EjabberdBuilder`].
    ///
    /// # Errors
    ///
    /// See [`EjabberdBuilder::start`].
    pub async fn start() -> Result<Self, EjabberdError> {
        Self::builder().start().await
    }

    /// A server that differs from the default.
    pub fn builder() -> EjabberdBuilder {
        EjabberdBuilder::default()
    }

    /// The served domain, `eft.test` unless the builder says otherwise.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The ports clients connect to.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// The certificate (PEM) of the authority that clients have to trust.
    pub fn authority_path(&self) -> PathBuf {
        self.certificates.authority_path()
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The server's temporary folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Creates `user` at [`Self::host`], with a password of its own.
    ///
    /// # Errors
    ///
    /// [`EjabberdError::Refused`] when the server refuses the name.
    pub async fn add_account(&self, user: &str) -> Result<Login, EjabberdError> {
        let jid = BareJid::new(&format!("{user}@{}", self.host)).map_err(|error| {
            EjabberdError::Refused {
                command: "register",
                output: error.to_string(),
            }
        })?;
        let password = format!("password of {user}");
        let account = json!({"user": user, "host": self.host, "password": password});
        command::run(self.http_port, "register", &account).await?;
        Ok(Login { jid, password })
    }

    /// Ends the sessions of `user` as an operator does: the streams are closed, and nothing is left to resume.
    ///
    /// # Errors
    ///
    /// [`EjabberdError::Refused`] when the server refuses.
    pub async fn close_sessions(&self, user: &str) -> Result<(), EjabberdError> {
        let account = json!({"user": user, "host": self.host});
        command::run(self.http_port, "kick_user", &account).await
    }

    /// Ends the server and starts it again: same ports, same accounts, same archive.
    ///
    /// # Errors
    ///
    /// As for [`EjabberdBuilder::start`].
    pub async fn restart(&mut self) -> Result<(), EjabberdError> {
        process::end_child(&mut self.child, STOP_PATIENCE).map_err(EjabberdError::spawn("erl"))?;
        self.child = spawn(self.folder.path())?;
        wait_until_listening(
            &mut self.child,
            self.ports,
            self.http_port,
            self.folder.path(),
        )
        .await
    }

    /// The files of the database whose bytes contain `needle`.
    ///
    /// # Errors
    ///
    /// What the system says when the folder cannot be read.
    pub fn files_containing(&self, needle: &str) -> io::Result<Vec<PathBuf>> {
        files_containing(&database_path(self.folder.path()), needle)
    }

    /// The last lines of the server's log.
    pub fn log_tail(&self) -> String {
        log_tail(self.folder.path())
    }
}

impl Drop for Ejabberd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            print_log(&self.log_tail());
        }
        // The folder goes with it: nothing has to be written down. The kernel ends the child with us in any case.
        let _ended = process::end_child(&mut self.child, Duration::ZERO);
    }
}

#[allow(
    clippy::print_stderr,
    reason = "the test harness shows it beside the panic that caused it"
)]
fn print_log(tail: &str) {
    eprintln!("--- end of ejabberd's log\n{tail}\n---");
}

fn config_path(folder: &Path) -> PathBuf {
    folder.join("ejabberd.yml")
}

fn resolver_path(folder: &Path) -> PathBuf {
    folder.join("inetrc")
}

fn database_path(folder: &Path) -> PathBuf {
    folder.join("database")
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("ejabberd.log")
}

fn output_path(folder: &Path) -> PathBuf {
    folder.join("output.txt")
}

fn log_tail(folder: &Path) -> String {
    let log = fs::read_to_string(log_path(folder)).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let start = lines.len().saturating_sub(LOG_TAIL_LINES);
    lines.get(start..).unwrap_or_default().join("\n")
}

fn spawn(folder: &Path) -> Result<Child, EjabberdError> {
    let code = installed::code_path()?;
    let libraries = installed::libraries_of(&code);
    let output = fs::File::create(output_path(folder)).map_err(EjabberdError::folder(folder))?;
    let errors = output.try_clone().map_err(EjabberdError::folder(folder))?;
    process::unprivileged(Path::new("erl"), folder, true)
        .current_dir(database_path(folder))
        // As many schedulers as a small machine has cores, which sleep when there is nothing to do.
        .args(["+S", "2", "+sbwt", "none", "+sbwtdcpu", "none"])
        .args(["+sbwtdio", "none", "-noinput", "-pa"])
        .arg(code)
        .args(["-mnesia", "dir"])
        .arg(format!("{:?}", database_path(folder)))
        .args(["-s", "ejabberd"])
        .env("EJABBERD_CONFIG_PATH", config_path(folder))
        .env("EJABBERD_LOG_PATH", log_path(folder))
        .env("ERL_INETRC", resolver_path(folder))
        .env("ERL_LIBS", libraries)
        .env("ERL_CRASH_DUMP", folder.join("crash.dump"))
        .stdout(Stdio::from(output))
        .stderr(Stdio::from(errors))
        .spawn()
        .map_err(EjabberdError::spawn("erl"))
}

async fn wait_until_listening(
    child: &mut Child,
    ports: Ports,
    http_port: u16,
    folder: &Path,
) -> Result<(), EjabberdError> {
    let deadline = Deadline::after(START_PATIENCE);
    loop {
        let log = || {
            let output = fs::read_to_string(output_path(folder)).unwrap_or_default();
            format!("{}\n{output}", log_tail(folder))
        };
        if let Some(status) = child.try_wait().map_err(EjabberdError::spawn("erl"))? {
            let log = log();
            return Err(if log.contains("eaddrinuse") {
                EjabberdError::PortTaken
            } else {
                EjabberdError::Ended {
                    status: status.to_string(),
                    log,
                }
            });
        }
        if is_open(ports.starttls).await
            && is_open(ports.direct_tls).await
            && is_open(http_port).await
        {
            return Ok(());
        }
        if log_tail(folder).contains("eaddrinuse") {
            return Err(EjabberdError::PortTaken);
        }
        if deadline.is_over() {
            return Err(EjabberdError::NotListening {
                waited: START_PATIENCE,
                log: log(),
            });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn is_open(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .is_ok()
}
