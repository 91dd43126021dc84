//! This program again, for one part of the work.

use std::path::Path;
use std::process::Stdio;

use eft_bench::Failure;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// What a child is to do; its presence makes the child.
pub(crate) const PART: &str = "EFT_CATCHUP_PART";
pub(crate) const FOLDER: &str = "EFT_CATCHUP_FOLDER";
pub(crate) const PORT: &str = "EFT_CATCHUP_PORT";
pub(crate) const AUTHORITY: &str = "EFT_CATCHUP_AUTHORITY";
pub(crate) const COUNT: &str = "EFT_CATCHUP_COUNT";
pub(crate) const VERSION: &str = "EFT_CATCHUP_VERSION";
pub(crate) const DEVICE: &str = "EFT_CATCHUP_DEVICE";
pub(crate) const WATCH: &str = "EFT_CATCHUP_WATCH";

/// Makes the account, and stays until it is told to go.
pub(crate) const INSTALLS: &str = "installs";
/// Catches up.
pub(crate) const READS: &str = "reads";
/// Is the floor.
pub(crate) const FLOOR: &str = "floor";

/// A child. What it says and is told are lines.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(
        part: &str,
        folder: &Path,
        environment: &[(&str, String)],
    ) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(PART, part)
            .env(FOLDER, folder)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        Ok(Self {
            child,
            input,
            output,
        })
    }

    pub(crate) async fn hear(&mut self) -> Result<String, Failure> {
        let line = self.output.next_line().await?;
        Ok(line.ok_or("a process ended before its time")?)
    }

    pub(crate) async fn tell(&mut self) -> Result<(), Failure> {
        Ok(self.input.write_all(b"go\n").await?)
    }

    pub(crate) async fn end(mut self) -> Result<(), Failure> {
        match self.child.wait().await?.success() {
            true => Ok(()),
            false => Err("a process ended badly".into()),
        }
    }
}
