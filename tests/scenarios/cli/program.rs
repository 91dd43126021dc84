//! The program `eft` as a child process: what a shell sees of it.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use eft_tests::{Deadline, Login, Server};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;

/// How long the program may take for anything that a story waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary, built once: `cargo test` builds the programs of other packages only by chance.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        // What runs us knows best where we are; a checkout may have moved since we were built.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let output = std::process::Command::new(cargo)
            .args(["build", "--quiet", "--package", "eft-cli"])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(package)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "building eft-cli failed");
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| message["target"]["name"] == "eft")
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .expect("cargo names the program that it built")
    })
}

/// A user's folders on one machine, and how to reach the server from there.
pub(crate) struct Desk {
    folder: PathBuf,
    me: String,
    password: String,
    server: String,
    authority: PathBuf,
}

impl Desk {
    pub(crate) fn new(folder: &Path, server: &dyn Server, login: &Login) -> Self {
        Self {
            folder: folder.join(login.jid.to_string()),
            me: login.jid.to_string(),
            password: login.password.clone(),
            server: server.starttls_address().to_string(),
            authority: server.authority_path(),
        }
    }

    /// Another password from the next chat on.
    pub(crate) fn with_password(mut self, password: &str) -> Self {
        password.clone_into(&mut self.password);
        self
    }

    /// Another address of the server from the next chat on.
    pub(crate) fn with_server(mut self, server: &str) -> Self {
        server.clone_into(&mut self.server);
        self
    }

    /// Where the databases lie.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where their keys lie.
    pub(crate) fn secrets(&self) -> PathBuf {
        self.folder.join("secrets")
    }

    /// `eft` with this desk's folders. No terminal, no password, nothing on standard input.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut secrets = OsStr::new("file:").to_owned();
        secrets.push(self.secrets());
        self.command_with(secrets, words)
    }

    /// The same with the database keys elsewhere.
    pub(crate) fn command_with(&self, secrets: impl AsRef<OsStr>, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .arg("--data")
            .arg(self.data())
            .arg("--secrets")
            .arg(secrets)
            .args(words)
            .env_remove("EFT_PASSWORD")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Adds `chat ME PEER` and the way to the server, in this order.
    fn chat_command(&self, form: &[&str], peer: &str, more: &[&str]) -> Command {
        let mut command = self.command(form);
        command
            .args(["chat", &self.me, peer])
            .args(["--server", &self.server])
            .arg("--ca")
            .arg(&self.authority)
            .args(more);
        command
    }

    /// Runs a command that ends by itself and may connect.
    pub(crate) async fn run_online(&self, words: &[&str]) -> Ended {
        let mut command = self.command(words);
        command
            .args(["--server", &self.server])
            .arg("--ca")
            .arg(&self.authority);
        run(command).await
    }

    /// Runs a command that ends by itself.
    pub(crate) async fn run(&self, words: &[&str]) -> Ended {
        run(self.command(words)).await
    }

    /// A chat without any input, which ends by itself.
    pub(crate) async fn silent_chat(&self, form: &[&str], peer: &str) -> Ended {
        let mut command = self.chat_command(form, peer, &[]);
        command.env("EFT_PASSWORD", &self.password);
        run(command).await
    }

    /// Starts a chat that prints JSON, with the password in the environment.
    pub(crate) fn chat(&self, peer: &str, more: &[&str]) -> Chat {
        let mut command = self.chat_command(&["--json"], peer, more);
        command.env("EFT_PASSWORD", &self.password);
        Chat::start(command)
    }

    /// Starts a chat that prints JSON and would have to ask for a password.
    pub(crate) fn chat_without_password(&self, peer: &str) -> Chat {
        Chat::start(self.chat_command(&["--json"], peer, &[]))
    }

    /// Starts a chat that prints text.
    pub(crate) fn text_chat(&self, peer: &str, more: &[&str]) -> Chat {
        let mut command = self.chat_command(&[], peer, more);
        command.env("EFT_PASSWORD", &self.password);
        Chat::start(command)
    }

    /// The stored conversation, oldest message first.
    pub(crate) async fn history(&self, peer: &str) -> Vec<Value> {
        let ended = self
            .run(&["--json", "history", &self.me, peer, "-n", "100000"])
            .await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.objects()
    }
}

/// Runs a command to its end.
pub(crate) async fn run(mut command: Command) -> Ended {
    let output = tokio::time::timeout(PATIENCE, command.output())
        .await
        .expect("the program ends by itself")
        .unwrap();
    Ended {
        code: output.status.code(),
        lines: text(output.stdout).lines().map(str::to_owned).collect(),
        errors: text(output.stderr),
    }
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; none after a signal.
    pub(crate) code: Option<i32>,
    /// Lines of standard output that no wait has taken.
    pub(crate) lines: Vec<String>,
    /// Standard error.
    pub(crate) errors: String,
}

impl Ended {
    /// The lines as JSON.
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.lines.iter().map(|line| json(line)).collect()
    }
}

/// A running chat.
pub(crate) struct Chat {
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::UnboundedReceiver<String>,
    /// Lines that came while another one was waited for.
    passed_by: Vec<String>,
}

impl Chat {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::unbounded_channel();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = output.next_line().await {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            lines,
            passed_by: Vec::new(),
        }
    }

    /// Writes a line to its standard input.
    pub(crate) async fn say(&mut self, line: impl AsRef<[u8]>) {
        let input = self.input.as_mut().expect("input is open");
        input.write_all(line.as_ref()).await.unwrap();
        input.write_all(b"\n").await.unwrap();
    }

    /// Waits for a line that `pick` makes something of; others stay for later waits.
    pub(crate) async fn wait<T>(&mut self, what: &str, pick: impl Fn(&str) -> Option<T>) -> T {
        let found = self.passed_by.iter().position(|line| pick(line).is_some());
        if let Some(index) = found {
            return pick(&self.passed_by.remove(index)).unwrap();
        }
        let deadline = Deadline::after(PATIENCE);
        loop {
            let line = tokio::time::timeout(deadline.remaining(), self.lines.recv())
                .await
                .ok()
                .flatten();
            let Some(line) = line else {
                panic!("no {what}; printed so far: {:#?}", self.passed_by);
            };
            match pick(&line) {
                Some(picked) => return picked,
                None => self.passed_by.push(line),
            }
        }
    }

    /// Waits for an object with these members.
    pub(crate) async fn wait_for(&mut self, members: &[(&str, &str)]) -> Value {
        self.wait(&format!("{members:?}"), |line| {
            let object = json(line);
            let all = members.iter().all(|(name, value)| object[*name] == *value);
            all.then_some(object)
        })
        .await
    }

    /// Sends a signal by name, as in `kill -s`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Stops reading what it prints.
    pub(crate) fn turn_away(&mut self) {
        self.lines.close();
    }

    /// SIGKILL. What it had printed until then.
    pub(crate) async fn kill(mut self) -> Vec<Value> {
        self.child.start_kill().unwrap();
        let (status, ended) = self.reap().await;
        assert_eq!(status.signal(), Some(9), "{ended:?}");
        ended.objects()
    }

    /// Ends its input and waits for its end.
    pub(crate) async fn end(mut self) -> Ended {
        self.input = None;
        self.reap().await.1
    }

    /// Waits for its end with its input left open, as at a terminal.
    pub(crate) async fn end_with_open_input(self) -> Ended {
        self.reap().await.1
    }

    async fn reap(mut self) -> (ExitStatus, Ended) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("the program ends")
            .unwrap();
        while let Some(line) = self.lines.recv().await {
            self.passed_by.push(line);
        }
        let mut errors = Vec::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_end(&mut errors).await.unwrap();
        let ended = Ended {
            code: status.code(),
            lines: self.passed_by,
            errors: text(errors),
        };
        (status, ended)
    }
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
