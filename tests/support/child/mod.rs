//! A process of our own that can be killed: a test or a program that starts itself again with a part in its environment.

mod home;

use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, Command};
use tokio::task::JoinHandle;

use crate::process::{Signal, send_signal};

pub use home::Home;

/// What a child is to do; its presence makes the child.
const PART: &str = "EFT_CHILD_PART";

/// Before a line that is meant for the parent: the harness of a test writes, too, perhaps on the same line.
const MARK: &str = "=> ";

/// The part of this process, if it is a child.
#[must_use]
pub fn part() -> Option<String> {
    std::env::var(PART).ok()
}

/// Tells the parent. Once this is back, the parent hears of it, whatever happens to this process.
#[allow(clippy::print_stdout, reason = "a child speaks by its standard output")]
pub fn tell_parent(line: &str) {
    println!("{MARK}{line}");
}

/// A child, killed when dropped.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    input: Option<ChildStdin>,
    said: Arc<Mutex<Vec<String>>>,
    reading: JoinHandle<()>,
}

impl Child {
    /// Starts this test binary again, for the test of this name only.
    ///
    /// # Errors
    /// What the system says.
    pub fn of_test(
        test: &str,
        part: &str,
        environment: impl IntoIterator<Item = (&'static str, String)>,
    ) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["--exact", "--nocapture", "--test-threads=1", test])
            .envs(environment);
        Self::start(command, part)
    }

    /// Starts this program again. With a limit, it gets no more memory for data than so many bytes (`RLIMIT_DATA`: heap,
    /// stacks, and whatever else it maps for itself to write to, whether it does or not).
    ///
    /// # Errors
    /// What the system says.
    pub fn of_program(
        part: &str,
        environment: impl IntoIterator<Item = (&'static str, String)>,
        data_limit: Option<u64>,
    ) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let mut command = match data_limit {
            Some(bytes) => {
                let mut command = Command::new("prlimit");
                command.arg(format!("--data={bytes}")).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.envs(environment);
        Self::start(command, part)
    }

    /// Starts it for a part.
    fn start(mut command: Command, part: &str) -> io::Result<Self> {
        let mut process = command
            .env(PART, part)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let no_pipe = || io::Error::from(io::ErrorKind::BrokenPipe);
        let output = process.stdout.take().ok_or_else(no_pipe)?;
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let reading = tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((_, line)) = line.split_once(MARK) {
                    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    heard.push(line.to_owned());
                }
            }
        });
        Ok(Self {
            input: process.stdin.take(),
            process,
            said,
            reading,
        })
    }

    /// Gives it a line. One that is dead hears nothing, which is no error.
    pub async fn tell(&mut self, line: &str) {
        if let Some(input) = &mut self.input {
            let _ = input.write_all(format!("{line}\n").as_bytes()).await;
        }
    }

    /// What it said so far.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        let said = self.said.lock();
        said.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops it where it is (`SIGSTOP`).
    ///
    /// # Errors
    /// What the system says.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal(Signal::Stop)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// What the system says.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal(Signal::Continue)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        match self.process.id() {
            Some(id) => send_signal(id, signal),
            None => Ok(()),
        }
    }

    /// Tells it nothing any more.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// Whether it is silent for ever.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.reading.is_finished()
    }

    /// Kills it (`SIGKILL`), and gives everything that it had said.
    ///
    /// # Errors
    /// What the system says.
    pub async fn kill(mut self) -> io::Result<Vec<String>> {
        self.process.start_kill()?;
        Ok(self.end().await?.1)
    }

    /// Tells it nothing any more, and waits for its end. Whether it ended well, and everything that it said.
    ///
    /// # Errors
    /// What the system says.
    pub async fn end(mut self) -> io::Result<(bool, Vec<String>)> {
        self.close();
        // It only reads.
        let _ = (&mut self.reading).await;
        let status = self.process.wait().await?;
        Ok((status.success(), self.said()))
    }
}
