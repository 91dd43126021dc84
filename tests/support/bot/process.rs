//! The child process behind a [`Bot`](super::Bot): commands in, events out.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;

use crate::deadline::Deadline;

use super::BotError;

/// How long a bot may take to carry a command out.
const COMMAND_PATIENCE: Duration = Duration::from_secs(30);
/// How much of what the bot said an error carries.
const TRANSCRIPT_LINES: usize = 30;

#[derive(Debug)]
pub(super) struct BotProcess {
    child: Child,
    commands: ChildStdin,
    events: mpsc::UnboundedReceiver<Value>,
    /// Events that came while another one was waited for.
    unclaimed: VecDeque<Value>,
    transcript: Transcript,
}

impl BotProcess {
    pub(super) fn spawn(mut command: Command) -> Result<Self, BotError> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(BotError::Start)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(commands), Some(output), Some(errors)) = pipes else {
            return Err(BotError::Start(std::io::Error::other(
                "a process without pipes",
            )));
        };
        let transcript = Transcript::default();
        let (sender, events) = mpsc::unbounded_channel();
        tokio::spawn(read_events(output, sender, transcript.clone()));
        tokio::spawn(read_errors(errors, transcript.clone()));
        Ok(Self {
            child,
            commands,
            events,
            unclaimed: VecDeque::new(),
            transcript,
        })
    }

    pub(super) async fn wait(
        &mut self,
        what: &str,
        allowed: Duration,
        predicate: impl Fn(&Value) -> bool,
    ) -> Result<Value, BotError> {
        let waiting = self.unclaimed.iter().position(&predicate);
        if let Some(event) = waiting.and_then(|position| self.unclaimed.remove(position)) {
            return Ok(event);
        }
        let deadline = Deadline::after(allowed);
        loop {
            match tokio::time::timeout(deadline.remaining(), self.events.recv()).await {
                Ok(Some(event)) if predicate(&event) => return Ok(event),
                Ok(Some(event)) => self.unclaimed.push_back(event),
                Ok(None) => return Err(self.ended(what)),
                Err(_) => {
                    return Err(BotError::TimedOut {
                        what: what.to_owned(),
                        allowed,
                        said: self.transcript.tail(),
                    });
                }
            }
        }
    }

    /// Commands run one after the other: the next answer is this command's.
    pub(super) async fn command(&mut self, command: Value) -> Result<Value, BotError> {
        self.write(&command).await?;
        let what = format!("its answer to {}", command["op"]);
        let is_answer = |event: &Value| {
            (event["event"] == "done" || event["event"] == "err") && event["op"] == command["op"]
        };
        let answer = self.wait(&what, COMMAND_PATIENCE, is_answer).await?;
        if answer["event"] == "done" {
            Ok(answer)
        } else {
            Err(BotError::Refused {
                answer: answer.to_string(),
            })
        }
    }

    pub(super) async fn quit(mut self) -> Result<(), BotError> {
        self.write(&serde_json::json!({"op": "quit"})).await?;
        match tokio::time::timeout(COMMAND_PATIENCE, self.child.wait()).await {
            Ok(_) => Ok(()),
            Err(_) => Err(BotError::TimedOut {
                what: "its end".to_owned(),
                allowed: COMMAND_PATIENCE,
                said: self.transcript.tail(),
            }),
        }
    }

    async fn write(&mut self, command: &Value) -> Result<(), BotError> {
        let written = self
            .commands
            .write_all(format!("{command}\n").as_bytes())
            .await;
        written.map_err(|_| self.ended(&format!("a chance to say {}", command["op"])))
    }

    fn ended(&self, what: &str) -> BotError {
        BotError::Ended {
            what: what.to_owned(),
            said: self.transcript.tail(),
        }
    }
}

/// The last lines the bot said, on both streams.
#[derive(Clone, Debug, Default)]
struct Transcript(Arc<Mutex<VecDeque<String>>>);

impl Transcript {
    fn add(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == TRANSCRIPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    fn tail(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

async fn read_events(
    output: tokio::process::ChildStdout,
    events: mpsc::UnboundedSender<Value>,
    transcript: Transcript,
) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        transcript.add(&line);
        if let Ok(event) = serde_json::from_str(&line) {
            // The receiver is gone when the bot's handle is dropped; what it still says is of no use then.
            let _delivered = events.send(event);
        }
    }
}

async fn read_errors(errors: tokio::process::ChildStderr, transcript: Transcript) {
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        transcript.add(&line);
    }
}
