//! The client under test.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use eft::{
    Account, BareJid, Config, ConnectOptions, ConnectionState, Content, Credentials, Eft, Error,
    Event, MemorySecretStore, ServerAddress,
};
use serde_json::Value;
use tokio::sync::watch;

use super::program::Program;

/// On the contact list that the server gives.
pub(crate) const CONTACT: &str = "friend@c.example";

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    pub(crate) account: Account,
    texts: Arc<Mutex<HashSet<String>>>,
    /// Catch-ups that came to their end.
    caught_up: watch::Receiver<u64>,
    /// How many messages of the archive had been stored, and when that was heard.
    pub(crate) progress: Arc<Mutex<Vec<(u64, SystemTime)>>>,
}

impl Client {
    /// A new device, not connected.
    pub(crate) async fn new(program: &Program, name: &str) -> Self {
        let config = Config {
            data_dir: program.folder().join(name),
        };
        let eft = Eft::open(config, Arc::new(MemorySecretStore::new())).unwrap();
        let account = eft
            .add_account(Credentials {
                jid: program.account().parse().unwrap(),
                password: "pencil".to_owned().into(),
            })
            .await
            .unwrap();
        let texts = Arc::<Mutex<HashSet<String>>>::default();
        let (ended, caught_up) = watch::channel(0);
        let (mut events, seen) = (account.events(), Arc::clone(&texts));
        let progress = Arc::<Mutex<Vec<_>>>::default();
        let pages = Arc::clone(&progress);
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                match event {
                    Event::MessageReceived(message) | Event::MessageChanged(message) => {
                        if let Content::Text(text) = message.content {
                            seen.lock().unwrap().insert(text);
                        }
                    }
                    Event::CatchUpProgressed(progress) if progress.complete => {
                        ended.send_modify(|count| *count += 1);
                    }
                    Event::CatchUpProgressed(progress) => {
                        let page = (progress.received_count, SystemTime::now());
                        pages.lock().unwrap().push(page);
                    }
                    Event::ConnectionChanged(ConnectionState::Offline { error, .. }) => {
                        println!("offline: {error}");
                    }
                    Event::Reset => panic!("too many events for this test"),
                    _ => {}
                }
            }
        });
        Self {
            account,
            texts,
            caught_up,
            progress,
        }
    }

    pub(crate) fn options(program: &Program, direct_tls: bool) -> ConnectOptions {
        let port = program.port(if direct_tls { "direct_tls" } else { "starttls" });
        ConnectOptions {
            server: Some(ServerAddress {
                host: "127.0.0.1".to_owned(),
                port,
                direct_tls,
            }),
            extra_roots_pem: Some(program.authority()),
            ..ConnectOptions::default()
        }
    }

    pub(crate) async fn try_connect(
        &self,
        program: &Program,
        direct_tls: bool,
    ) -> Result<(), Error> {
        self.try_connect_by(Self::options(program, direct_tls))
            .await
    }

    pub(crate) async fn try_connect_by(&self, options: ConnectOptions) -> Result<(), Error> {
        let connecting = self.account.connect(options);
        tokio::time::timeout(PATIENCE, connecting)
            .await
            .expect("neither connected nor refused in time")
    }

    /// Connects, and waits for the end of catch-up.
    pub(crate) async fn online(&mut self, program: &Program) {
        self.caught_up.mark_unchanged();
        self.try_connect(program, true).await.unwrap();
        let catching_up = tokio::time::timeout(PATIENCE, self.caught_up.changed());
        catching_up.await.expect("caught up in time").unwrap();
    }

    pub(crate) fn has_text(&self, text: &str) -> bool {
        self.texts.lock().unwrap().contains(text)
    }

    /// Whether what a case would show is seen; `None`: Eft shows no such thing to anybody.
    pub(crate) async fn shows(&self, shows: &Value) -> Option<bool> {
        let text = |name: &str| shows.get(name).and_then(Value::as_str);
        if let Some(text) = text("text") {
            return Some(self.has_text(text));
        }
        if let Some(text) = text("hides") {
            return Some(!self.has_text(text));
        }
        if let Some(jid) = text("contact") {
            let contacts = self.account.contacts().await.unwrap();
            return Some(contacts.iter().any(|contact| contact.jid.as_str() == jid));
        }
        let device = shows.get("device")?.as_u64()?;
        let jid: BareJid = text("of")?.parse().unwrap();
        let devices = self.account.devices(&jid).await.unwrap();
        let is_there = devices
            .iter()
            .any(|known| u64::from(known.address.device.as_u32()) == device);
        Some(is_there)
    }

    /// Waits until a text is seen.
    pub(crate) async fn wait_for_text(&self, text: &str) {
        wait_until(text, async || self.has_text(text)).await;
    }
}

/// Asks until the answer is yes.
pub(crate) async fn wait_until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "not in time: {what}");
}
