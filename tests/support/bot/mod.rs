//! An OMEMO client that shares no code with Eft, as a child process.
//!
//! `tests/interop/bot.py` drives slixmpp and python-omemo. This file starts it, gives it commands and reads its
//! events, one JSON object a line in each direction; `tests/interop/README.md` lists them all.

mod error;
mod process;

pub use error::BotError;

use std::path::{Path, PathBuf};
use std::time::Duration;

use eft_types::{BareJid, DeviceId};
use process::BotProcess;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::server::{Login, Server};

/// How long a bot may take from its start until its keys are published. It takes 1 to 3 s.
const READY_PATIENCE: Duration = Duration::from_secs(60);

/// Which OMEMO the bot writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// `urn:xmpp:omemo:2`
    Omemo2,
    /// `eu.siacs.conversations.axolotl`
    Legacy,
}

impl Version {
    /// The word for it in commands and events.
    pub fn word(self) -> &'static str {
        match self {
            Self::Omemo2 => "omemo2",
            Self::Legacy => "legacy",
        }
    }
}

/// How a bot differs from the default: a fresh device that trusts blindly and answers nothing.
#[derive(Clone, Debug, Default)]
pub struct BotOptions {
    /// Answers each message with "echo: " and its text, in the version it came in.
    pub echo: bool,
    /// Encrypts to nobody whose key was not trusted by [`Bot::trust`].
    pub manual_trust: bool,
    /// Is a client that knows this version alone: it publishes and reads no other.
    pub only: Option<Version>,
    /// Connects here instead of to the server: a fault proxy, for example.
    pub port: Option<u16>,
    /// Keeps the device's keys here, so that a later bot is the same device. Default: a temporary file.
    pub store_path: Option<PathBuf>,
}

/// A running bot. Dropping it kills the process.
#[derive(Debug)]
pub struct Bot {
    jid: BareJid,
    device: DeviceId,
    identity_key: String,
    process: BotProcess,
    _folder: TempDir,
}

impl Bot {
    /// Logs in as `login` and publishes a new device for both versions.
    ///
    /// # Errors
    ///
    /// [`BotError::NoEnvironment`] says what to run; [`BotError::Ended`] and [`BotError::TimedOut`] carry what the
    /// bot said last.
    pub async fn start(server: &dyn Server, login: &Login) -> Result<Self, BotError> {
        Self::start_with(server, login, BotOptions::default()).await
    }

    /// Logs in with options.
    ///
    /// # Errors
    ///
    /// As for [`Self::start`].
    pub async fn start_with(
        server: &dyn Server,
        login: &Login,
        options: BotOptions,
    ) -> Result<Self, BotError> {
        let interop = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop");
        let python = interop.join("venv/bin/python");
        if !python.is_file() {
            return Err(BotError::NoEnvironment { path: python });
        }
        let folder = tempfile::Builder::new()
            .prefix("eft-bot-")
            .tempdir()
            .map_err(BotError::Start)?;
        let store = options
            .store_path
            .unwrap_or_else(|| folder.path().join("store.json"));

        let mut command = Command::new(python);
        command
            .arg(interop.join("bot.py"))
            .args(["--jid", login.jid.as_str()])
            .args([
                "--port",
                &options.port.unwrap_or(server.ports().starttls).to_string(),
            ])
            .arg("--authority")
            .arg(server.authority_path())
            .arg("--store")
            .arg(store)
            .args(options.echo.then_some("--echo"))
            .args(options.manual_trust.then_some("--manual-trust"))
            .args(
                options
                    .only
                    .into_iter()
                    .flat_map(|version| ["--only", version.word()]),
            )
            // Not on the command line, where every user of the machine reads it.
            .env("EFT_BOT_PASSWORD", &login.password);
        let mut process = BotProcess::spawn(command)?;
        let ready = process
            .wait("its keys to be published", READY_PATIENCE, |event| {
                event["event"] == "ready"
            })
            .await?;
        let id = ready["device"]
            .as_u64()
            .and_then(|id| u32::try_from(id).ok())
            .and_then(|id| DeviceId::new(id).ok());
        let (Some(device), Some(identity_key)) = (id, ready["identity_key"].as_str()) else {
            return Err(BotError::Refused {
                answer: ready.to_string(),
            });
        };
        Ok(Self {
            jid: login.jid.clone(),
            device,
            identity_key: identity_key.to_owned(),
            process,
            _folder: folder,
        })
    }

    /// The account the bot is logged in as.
    pub fn jid(&self) -> &BareJid {
        &self.jid
    }

    /// The bot's device, the same in both versions.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// The bot's public identity key: 64 hex digits, in the Ed25519 form of `urn:xmpp:omemo:2`.
    pub fn identity_key(&self) -> &str {
        &self.identity_key
    }

    /// Sends `body` to `to`, encrypted for all of its devices. Returns the stanza's id once it is written.
    ///
    /// # Errors
    ///
    /// [`BotError::Refused`] when the bot could not, for example for want of a device or of trust.
    pub async fn send(
        &mut self,
        to: &BareJid,
        body: &str,
        version: Version,
    ) -> Result<String, BotError> {
        let answer = self
            .process
            .command(
                json!({"op": "send", "to": to.as_str(), "body": body, "version": version.word()}),
            )
            .await?;
        Ok(answer["id"].as_str().unwrap_or_default().to_owned())
    }

    /// What the bot knows of `jid`'s devices after asking the server again: an array of objects with `id`,
    /// `versions`, `trust`, `identity_key`.
    ///
    /// # Errors
    ///
    /// [`BotError::Refused`] when the lists cannot be fetched.
    pub async fn devices(&mut self, jid: &BareJid) -> Result<Vec<Value>, BotError> {
        let answer = self
            .process
            .command(json!({"op": "devices", "jid": jid.as_str()}))
            .await?;
        Ok(answer["devices"].as_array().cloned().unwrap_or_default())
    }

    /// Decides about one device of `jid`, or about all the bot knows.
    ///
    /// # Errors
    ///
    /// [`BotError::Refused`] when the bot knows no such device.
    pub async fn trust(
        &mut self,
        jid: &BareJid,
        device: Option<DeviceId>,
        trusted: bool,
    ) -> Result<(), BotError> {
        let device = device.map(DeviceId::as_u32);
        self.process
            .command(
                json!({"op": "trust", "jid": jid.as_str(), "device": device, "trusted": trusted}),
            )
            .await
            .map(drop)
    }

    /// Writes `stanza` to the bot's stream as it is.
    ///
    /// # Errors
    ///
    /// [`BotError::Ended`] when the bot is gone.
    pub async fn send_raw(&mut self, stanza: &str) -> Result<(), BotError> {
        self.process
            .command(json!({"op": "raw", "xml": stanza}))
            .await
            .map(drop)
    }

    /// The first event, of those not claimed yet, that `predicate` accepts. Others stay for later waits.
    ///
    /// # Errors
    ///
    /// [`BotError::TimedOut`] with `what` in its text, [`BotError::Ended`] when the bot ended first.
    pub async fn wait(
        &mut self,
        what: &str,
        allowed: Duration,
        predicate: impl Fn(&Value) -> bool,
    ) -> Result<Value, BotError> {
        self.process.wait(what, allowed, predicate).await
    }

    /// The message with this text, decrypted: an object with `body`, `version`, `sender`, `device`, `trust`, `id`.
    ///
    /// # Errors
    ///
    /// As for [`Self::wait`].
    pub async fn wait_for_message(
        &mut self,
        body: &str,
        allowed: Duration,
    ) -> Result<Value, BotError> {
        self.wait(&format!("the message {body:?}"), allowed, |event| {
            event["event"] == "msg" && event["body"] == body
        })
        .await
    }

    /// Closes the stream in an orderly way and waits for the process to end.
    ///
    /// # Errors
    ///
    /// [`BotError::TimedOut`] when it does not end.
    pub async fn quit(self) -> Result<(), BotError> {
        self.process.quit().await
    }
}
