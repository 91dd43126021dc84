//! What a wake costs on the network, up to the moment that the message is committed: what comes after it, the
//! acknowledgement and the end of the connection, keeps nobody waiting.
//!
//! *Warm* is a second wake in one process, which has the TLS ticket of the first if the server gave one: TLS tickets are in
//! a process's memory, so a process that is started for a push is *cold*. Tokens and streams are in the database, and serve
//! both. Prosody gives no TLS tickets by itself (`no_ticket` is among its defaults), so that both cost the same there.

use std::path::Path;
use std::time::Duration;

use eft::{Account, ConnectOptions, Content, Event, WakeReason};
use eft_bench::figures::Figures;
use eft_tests::flights::{self, Cost, Flights};
use eft_tests::{AnyServer, Ejabberd, Home, Login, Phone, Prosody, Server};

use super::chain::{self, Chain};
use super::{Fault, child::WITHIN};

/// The best of so many counts.
const TRIES: u32 = 5;

/// How long a stream may be resumed on a server that forgets it before the next wake.
const FORGETFUL: Duration = Duration::from_secs(1);

/// Someone who writes, and the one who is woken, through a proxy.
struct Pair {
    phone: Phone,
    home: Home,
    options: ConnectOptions,
    log: Flights,
    written: u32,
}

impl Pair {
    async fn new(
        server: &dyn Server,
        [alice, bob]: [&Login; 2],
        authority: &Path,
        folder: &Path,
    ) -> Result<Self, Fault> {
        let mut home = Home::new(server, bob, &folder.join("bob"));
        authority.clone_into(&mut home.authority);
        let mut phone = Phone::new(server, alice, "alice", folder).await?;
        phone.set_options(Home::new(server, alice, folder).options());
        let (port, log) = flights::start(server.ports().direct_tls).await?;
        let mut options = home.options();
        if let Some(server) = &mut options.server {
            (server.port, server.direct_tls) = (port, true);
        }
        let mut direct = phone.options().clone();
        direct.extra_roots_pem.clone_from(&options.extra_roots_pem);
        phone.set_options(direct);
        phone.connect().await?;
        let pair = Self {
            phone,
            home,
            options,
            log,
            written: 0,
        };
        let eft = pair.home.open()?;
        let account = eft.add_account(pair.home.credentials()).await?;
        account.connect(pair.options.clone()).await?;
        account.handle_push(pair.options.clone(), WITHIN).await?;
        account.suspend().await?;
        account.shut_down().await;
        Ok(pair)
    }

    /// As a new process has it.
    async fn account(&self) -> Result<Account, Fault> {
        let eft = self.home.open()?.for_extension();
        let account = eft.account(&self.home.login.jid).await?;
        account.suspend().await?;
        Ok(account)
    }

    /// A message comes while the account sleeps; a push wakes it. What it cost until the message was committed.
    async fn wake(&mut self, account: &Account) -> Result<Cost, Fault> {
        self.written += 1;
        let text = format!("message {}", self.written);
        let sent = self.phone.send(&self.home.login.jid, &text).await?;
        self.phone.wait_until_sent(sent).await?;
        account.resume().await?;
        let mut events = account.events();
        let log = self.log.clone();
        let committed = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                // It is told of once it is committed.
                if matches!(event, Event::MessageReceived(message) if message.content == Content::Text(text.clone()))
                {
                    return Some(log.cost());
                }
            }
            None
        });
        let outcome = account.handle_push(self.options.clone(), WITHIN).await?;
        if !matches!(outcome.reason, WakeReason::CaughtUp) {
            return Err(format!("{outcome:?}").into());
        }
        account.suspend().await?;
        committed.await?.ok_or_else(|| "no message came".into())
    }

    /// Each time as a new process.
    async fn cold(&mut self, pause: Duration) -> Result<Cost, Fault> {
        let mut best: Option<Cost> = None;
        for _ in 0..TRIES {
            tokio::time::sleep(pause).await;
            let account = self.account().await?;
            let cost = self.wake(&account).await?;
            account.shut_down().await;
            best = Some(best.map_or(cost, |best| best.better(cost)));
        }
        best.ok_or_else(|| "no try".into())
    }

    /// The wakes after the first in one process.
    async fn warm(&mut self) -> Result<Cost, Fault> {
        let account = self.account().await?;
        self.wake(&account).await?;
        let mut best = self.wake(&account).await?;
        for _ in 1..TRIES {
            best = best.better(self.wake(&account).await?);
        }
        account.shut_down().await;
        Ok(best)
    }
}

async fn on_prosody(
    chain: &Chain,
    hibernation: Duration,
    folder: &Path,
) -> Result<(Prosody, Pair), Fault> {
    let server = Prosody::builder()
        .one_step_login()
        .hibernation(hibernation)
        .shows(&chain.certificates, &chain.key)
        .start()
        .await?;
    let alice = server.add_account("alice").await?;
    let bob = server.add_account("bob").await?;
    server.befriend("alice", "bob").await?;
    let pair = Pair::new(&server, [&alice, &bob], &chain.root, folder).await?;
    Ok((server, pair))
}

async fn on_ejabberd(folder: &Path) -> Result<(AnyServer, Pair), Fault> {
    let server = AnyServer::Ejabberd(Box::new(Ejabberd::start().await?));
    let alice = server.add_account("alice").await?;
    let bob = server.add_account("bob").await?;
    let authority = server.authority_path();
    let pair = Pair::new(&server, [&alice, &bob], &authority, folder).await?;
    Ok((server, pair))
}

/// Adds `wake.roundtrips`, `wake.roundtrips_bind_mam`, `wake.bytes`, `wake.bytes_cold`.
pub(crate) async fn measure(figures: &mut Figures) -> Result<(), Fault> {
    let folder = tempfile::tempdir()?;
    let below = |name: &str| folder.path().join(name);
    let chain = chain::issue("eft.test", &below("chain"))?;
    let (_server, mut pair) =
        on_prosody(&chain, Duration::from_secs(600), &below("resumed")).await?;
    let cold = pair.cold(Duration::ZERO).await?;
    let warm = pair.warm().await?;
    let (_forgetful, mut pair) = on_prosody(&chain, FORGETFUL, &below("bound")).await?;
    let bound = pair.cold(2 * FORGETFUL).await?;
    let (_ejabberd, mut pair) = on_ejabberd(&below("ejabberd")).await?;
    let other = pair.cold(Duration::ZERO).await?.worse(pair.warm().await?);
    println!("cold {cold:?}\nwarm {warm:?}\nbound anew {bound:?}\nejabberd {other:?}");
    let chain = format!("RSA-2048 leaf and intermediate of {} bytes", chain.bytes);
    let trips = cold.worse(warm).worse(other).round_trips;
    let note =
        "direct TLS, token, stream taken up again; worse of Prosody and ejabberd, cold and warm";
    figures.add("wake.roundtrips", trips as f64, Some(3.0), note.to_owned());
    figures.add(
        "wake.roundtrips_bind_mam",
        bound.round_trips as f64,
        None,
        "the server gave the stream up; Prosody".to_owned(),
    );
    figures.add(
        "wake.bytes",
        warm.bytes as f64,
        Some(12_288.0),
        format!("{chain}, second wake of a process; Prosody gives no TLS tickets"),
    );
    figures.add(
        "wake.bytes_cold",
        cold.bytes as f64,
        None,
        format!("{chain}, a new process"),
    );
    Ok(())
}
