//! The process that is killed: this test again, with its part in the environment.

use std::collections::BTreeMap;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const TEST: &str = "a_process_that_is_killed_at_any_instant_loses_nothing_and_tells_nothing_twice";

/// A child, killed when dropped.
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(environment: &BTreeMap<&str, String>) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "--test-threads=1", TEST])
            .envs(environment)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Kills it, and gives everything that it had said.
    pub(crate) async fn kill(mut self) -> Vec<String> {
        self.child.start_kill().unwrap();
        self.rest().await.1
    }

    /// Waits for its end. Whether it ended well, and everything that it said.
    pub(crate) async fn end(self) -> (bool, Vec<String>) {
        self.rest().await
    }

    async fn rest(mut self) -> (bool, Vec<String>) {
        let mut said = Vec::new();
        while let Ok(Some(line)) = self.lines.next_line().await {
            // The test harness may have written before it on the same line.
            if let Some((_, word)) = line.split_once("=> ") {
                said.push(word.to_owned());
            }
        }
        (self.child.wait().await.unwrap().success(), said)
    }
}
