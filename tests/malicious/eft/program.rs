//! The server as a child process, as it would stand before any client.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

pub(crate) struct Program {
    /// It ends when its standard input does; this is for when it does not.
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    hello: Value,
    folder: TempDir,
}

impl Program {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_malicious"))
            .arg("--folder")
            .arg(folder.path().join("server"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut program = Self {
            _child: child,
            input,
            output,
            hello: Value::Null,
            folder,
        };
        program.hello = program.line().await;
        program
    }

    async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(20), self.output.next_line());
        let line = line.await.expect("an answer in time").unwrap();
        serde_json::from_str(&line.expect("the program has ended")).unwrap()
    }

    /// Says a line, which has to be carried out.
    pub(crate) async fn say(&mut self, line: &str) -> Value {
        assert!(!line.contains('\n'));
        self.input.write_all(line.as_bytes()).await.unwrap();
        self.input.write_all(b"\n").await.unwrap();
        let answer = self.line().await;
        assert!(answer.get("error").is_none(), "{line}: {answer}");
        answer
    }

    pub(crate) fn account(&self) -> &str {
        self.hello["account"].as_str().unwrap()
    }

    pub(crate) fn port(&self, name: &str) -> u16 {
        let address = self.hello[name].as_str().unwrap();
        address.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    pub(crate) fn authority(&self) -> String {
        std::fs::read_to_string(self.hello["authority"].as_str().unwrap()).unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}
