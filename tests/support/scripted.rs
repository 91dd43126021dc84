//! The server of `tests/malicious/program` as a child process: it says what it is told to say.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long an answer may take. Reading a long archive takes some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// What stops it.
pub type ScriptedError = Box<dyn std::error::Error + Send + Sync>;

/// See the module. `tests/malicious/README.md` lists what can be said to it.
#[derive(Debug)]
pub struct ScriptedServer {
    /// It ends when its standard input does; this is for when it does not.
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    hello: Value,
}

impl ScriptedServer {
    /// Starts `program` on free ports, with its files in `folder`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(
        program: &Path,
        folder: &Path,
        options: &[&str],
    ) -> Result<Self, ScriptedError> {
        let mut child = Command::new(program)
            .arg("--folder")
            .arg(folder)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        let mut server = Self {
            _child: child,
            input,
            output,
            hello: Value::Null,
        };
        server.hello = server.line().await?;
        Ok(server)
    }

    async fn line(&mut self) -> Result<Value, ScriptedError> {
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await??;
        Ok(serde_json::from_str(&line.ok_or("the server has ended")?)?)
    }

    /// Says a line, which has to be carried out.
    ///
    /// # Errors
    /// When it is not.
    pub async fn say(&mut self, line: &str) -> Result<Value, ScriptedError> {
        if line.contains('\n') {
            return Err("more than one line".into());
        }
        self.input.write_all(line.as_bytes()).await?;
        self.input.write_all(b"\n").await?;
        let answer = self.line().await?;
        match answer.get("error") {
            Some(error) => Err(format!("{}: {error}", line.get(..80).unwrap_or(line)).into()),
            None => Ok(answer),
        }
    }

    /// Something that it said of itself when it started: `account`, `authority`.
    ///
    /// # Errors
    /// When it did not.
    pub fn told(&self, name: &str) -> Result<&str, ScriptedError> {
        let value = self.hello.get(name).and_then(Value::as_str);
        Ok(value.ok_or("the server did not say that")?)
    }

    /// Its port for `starttls` or `direct_tls`.
    ///
    /// # Errors
    /// When it has none.
    pub fn port(&self, name: &str) -> Result<u16, ScriptedError> {
        let (_, port) = self.told(name)?.rsplit_once(':').ok_or("no port")?;
        Ok(port.parse()?)
    }

    /// Where the certificate lies that clients have to trust.
    ///
    /// # Errors
    /// When it did not say so.
    pub fn authority_path(&self) -> Result<PathBuf, ScriptedError> {
        Ok(self.told("authority")?.into())
    }
}
