//! A real Prosody on loopback: started, filled with accounts, looked into, frozen, restarted, removed.
//!
//! Prosody runs as a child process in a temporary folder, as `nobody` when the tests run as root. Its ports are
//! free loopback ports; TLS is required; its certificate comes from [`Certificates`] of the same folder.
//!
//! | File | Noun |
//! |---|---|
//! | [`builder`] | [`ProsodyBuilder`]: what the scenario wants to differ from the default server |
//! | `config` | the configuration file |
//! | `installed` | which Prosody this machine has |
//! | [`operator`] | what only the one who runs the server can do |
//! | [`disk`] | what lies on the server's disk |

pub mod builder;
mod config;
pub mod disk;
mod error;
mod installed;
pub mod operator;

pub use builder::{ArchivePolicy, Mechanisms, ProsodyBuilder};
pub use error::ProsodyError;
pub use operator::ArchivedStanza;

pub use crate::server::{Login, Ports};

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use eft_types::BareJid;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::certificates::Certificates;
use crate::deadline::Deadline;
use crate::federation::Federation;
use crate::process::{self, Signal};

/// How long Prosody may take until its ports are open. It takes 0.1 to 0.6 s; a busy machine may need more.
const START_PATIENCE: Duration = Duration::from_secs(20);
/// How long Prosody may take to end before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// How much of the log an error carries.
const LOG_TAIL_LINES: usize = 40;

/// Where a server of a federation listens for the others, and how it finds and checks them.
#[derive(Debug)]
pub(crate) struct OtherServers {
    port: u16,
    names: SocketAddr,
    authority: PathBuf,
}

/// A running Prosody. Dropping it ends the process and removes the folder.
///
/// When a test panics, the end of the server's log is printed with it.
#[derive(Debug)]
pub struct Prosody {
    // The child ends before the folder goes: fields are dropped in this order, after `Drop`.
    child: Child,
    certificates: Certificates,
    host: String,
    ports: Ports,
    folder: TempDir,
    _servers: Option<Federation>,
}

impl Prosody {
    /// Starts a server with the defaults of [`ProsodyBuilder`].
    ///
    /// # Errors
    ///
    /// See [`ProsodyBuilder::start`].
    pub async fn start() -> Result<Self, ProsodyError> {
        Self::builder().start().await
    }

    /// A server that differs from the default.
    pub fn builder() -> ProsodyBuilder {
        ProsodyBuilder::default()
    }

    /// The served domain, `eft.test` unless the builder says otherwise.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The ports clients connect to.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// Where STARTTLS clients connect.
    pub fn starttls_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.starttls).into()
    }

    /// Where direct TLS clients connect.
    pub fn direct_tls_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.direct_tls).into()
    }

    /// The certificate (PEM) of the authority that clients have to trust.
    pub fn authority_path(&self) -> PathBuf {
        self.certificates.authority_path()
    }

    /// The authority itself, to make more certificates.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The server's temporary folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Creates `user` at [`Self::host`], with a password of its own.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Register`] when the server's tool refuses, for example because the name is no localpart.
    pub async fn add_account(&self, user: &str) -> Result<Login, ProsodyError> {
        self.add_account_at(user, &self.host).await
    }

    /// Gives an account another password behind its clients' backs. Tokens of a second before end with the old one.
    ///
    /// # Errors
    ///
    /// As for [`Self::add_account`].
    pub async fn change_password(
        &self,
        account: &Login,
        password: &str,
    ) -> Result<(), ProsodyError> {
        let user = account
            .jid
            .node()
            .map(|node| node.to_string())
            .unwrap_or_default();
        self.register(&user, account.jid.domain().as_str(), password)
            .await
    }

    /// Makes an account, or gives the one that there is this password.
    async fn register(&self, user: &str, host: &str, password: &str) -> Result<(), ProsodyError> {
        let output = self.prosodyctl(&["register", user, host, password]).await?;
        if output.succeeded {
            return Ok(());
        }
        Err(ProsodyError::Register {
            user: user.to_owned(),
            output: output.text,
        })
    }

    /// Creates `user` at `host`, which is the server's host or the one of [`ProsodyBuilder::second_host`].
    ///
    /// # Errors
    ///
    /// As for [`Self::add_account`].
    pub async fn add_account_at(&self, user: &str, host: &str) -> Result<Login, ProsodyError> {
        let jid =
            BareJid::new(&format!("{user}@{host}")).map_err(|error| ProsodyError::Register {
                user: user.to_owned(),
                output: error.to_string(),
            })?;
        let password = format!("password of {user}");
        self.register(user, host, &password).await?;
        Ok(Login { jid, password })
    }

    /// Ends the server and starts it again: same ports, same accounts, same archive.
    ///
    /// Sessions that clients hoped to resume are gone, as after any restart of Prosody.
    ///
    /// # Errors
    ///
    /// As for [`ProsodyBuilder::start`].
    pub async fn restart(&mut self) -> Result<(), ProsodyError> {
        process::end_child(&mut self.child, STOP_PATIENCE)
            .map_err(ProsodyError::spawn("prosody"))?;
        self.child = spawn(self.folder.path())?;
        wait_until_listening(&mut self.child, self.ports, self.folder.path()).await
    }

    /// SIGSTOP: the sockets stay open and nothing answers any more.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Spawn`] when the server is already gone.
    pub fn freeze(&self) -> Result<(), ProsodyError> {
        process::send_signal(self.child.id(), Signal::Stop).map_err(ProsodyError::spawn("kill"))
    }

    /// SIGCONT: the end of [`Self::freeze`].
    ///
    /// # Errors
    ///
    /// As for [`Self::freeze`].
    pub fn thaw(&self) -> Result<(), ProsodyError> {
        process::send_signal(self.child.id(), Signal::Continue).map_err(ProsodyError::spawn("kill"))
    }

    /// The last lines of the server's log.
    pub fn log_tail(&self) -> String {
        log_tail(self.folder.path())
    }

    /// The server's log so far.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn log(&self) -> std::io::Result<String> {
        std::fs::read_to_string(log_path(self.folder.path()))
    }

    async fn prosodyctl(&self, arguments: &[&str]) -> Result<ToolOutput, ProsodyError> {
        let folder = self.folder.path();
        let mut command = process::unprivileged(Path::new("prosodyctl"), folder, false);
        command
            .arg("--config")
            .arg(config_path(folder))
            .args(arguments);
        let output = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .output()
            .await
            .map_err(ProsodyError::spawn("prosodyctl"))?;
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(ToolOutput {
            succeeded: output.status.success(),
            text: text.trim().to_owned(),
        })
    }
}

impl Drop for Prosody {
    fn drop(&mut self) {
        if std::thread::panicking() {
            print_log(&log_tail(self.folder.path()));
        }
        // Nothing to do about an error here: the kernel ends the child with us (see `process::unprivileged`).
        let _ended = process::end_child(&mut self.child, STOP_PATIENCE);
    }
}

struct ToolOutput {
    succeeded: bool,
    text: String,
}

#[allow(
    clippy::print_stderr,
    reason = "the test harness shows it beside the panic that caused it"
)]
fn print_log(tail: &str) {
    eprintln!("--- end of Prosody's log\n{tail}\n---");
}

fn config_path(folder: &Path) -> PathBuf {
    folder.join("prosody.cfg.lua")
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("prosody.log")
}

fn log_tail(folder: &Path) -> String {
    let log = fs::read_to_string(log_path(folder)).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let start = lines.len().saturating_sub(LOG_TAIL_LINES);
    lines.get(start..).unwrap_or_default().join("\n")
}

fn spawn(folder: &Path) -> Result<Child, ProsodyError> {
    // The log of an earlier run would be taken for ours.
    let _absent = fs::remove_file(log_path(folder));
    let output =
        fs::File::create(folder.join("output.txt")).map_err(ProsodyError::folder(folder))?;
    let errors = output.try_clone().map_err(ProsodyError::folder(folder))?;
    process::unprivileged(Path::new("prosody"), folder, true)
        .arg("-F")
        .arg("--config")
        .arg(config_path(folder))
        .stdout(Stdio::from(output))
        .stderr(Stdio::from(errors))
        .spawn()
        .map_err(ProsodyError::spawn("prosody"))
}

async fn wait_until_listening(
    child: &mut Child,
    ports: Ports,
    folder: &Path,
) -> Result<(), ProsodyError> {
    let deadline = Deadline::after(START_PATIENCE);
    loop {
        if let Some(status) = child.try_wait().map_err(ProsodyError::spawn("prosody"))? {
            let output = fs::read_to_string(folder.join("output.txt")).unwrap_or_default();
            return Err(ProsodyError::Ended {
                status: status.to_string(),
                log: format!("{}\n{output}", log_tail(folder)),
            });
        }
        if log_tail(folder).contains("Failed to open server port") {
            return Err(ProsodyError::PortTaken);
        }
        // The operator's socket is the last to open.
        if is_open(ports.starttls).await
            && is_open(ports.direct_tls).await
            && is_socket_open(&operator_socket(folder))
        {
            return Ok(());
        }
        if deadline.is_over() {
            return Err(ProsodyError::NotListening {
                waited: START_PATIENCE,
                log: log_tail(folder),
            });
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Where mod_admin_socket listens.
fn operator_socket(folder: &Path) -> PathBuf {
    folder.join("data/prosody.sock")
}

/// A file may be left over from before a restart; only a listener answers.
fn is_socket_open(path: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(path).is_ok()
}

async fn is_open(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .is_ok()
}
