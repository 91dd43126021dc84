//! Making a connection, losing it, making it again.

mod failure;

use std::sync::Arc;

use eft_store::Credential;
use eft_xmpp::driver::{
    AddressFuture, ClientTls, ConnectConfig, ConnectError, Connection, Endpoint, ResolveError,
    Resolver, SrvFuture, WriteGate, connect, system_resolver,
};
use eft_xmpp::stream::{LoginConfig, LoginError, LostStream, Transport};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub(super) use self::failure::closed_error;
use self::failure::connect_error;
use super::job::Finding;
use super::link::{Link, Phase};
use super::resuming::Begun;
use super::{Pump, job, stanza};
use crate::clock;
use crate::command::Reply;
use crate::config::ConnectOptions;
use crate::credential::Login;
use crate::error::Error;
use crate::event::ConnectionState;
use crate::network::Network;

/// What an attempt to connect came to.
pub(super) struct Attempt {
    /// The TLS settings, to be kept for the next attempt.
    pub(super) tls: Option<ClientTls>,
    pub(super) result: Result<Connection, Error>,
    /// The server and the disk have other ideas of the stream that was to go on: it cannot.
    pub(super) is_stream_spoilt: bool,
}

/// Who was trusted by a connection, whose tickets are good for others of the same trust.
pub(super) struct Trust {
    extra_roots_pem: Option<String>,
    network: Network,
}

impl Trust {
    fn of(options: &ConnectOptions) -> Self {
        Self {
            extra_roots_pem: options.extra_roots_pem.clone(),
            network: options.network.clone(),
        }
    }

    fn is_of(&self, options: &ConnectOptions) -> bool {
        self.extra_roots_pem == options.extra_roots_pem
            && self.network.trusts_like(&options.network)
    }
}

/// Hexadecimal digits before the number of a request: enough to tell one connection's from another's.
const ID_PREFIX_CHARS: usize = 8;

impl Pump {
    /// The app wants a connection. A caller waits for the first result; a connection that stands
    /// already is one.
    pub(super) fn wish_connection(&mut self, options: ConnectOptions, reply: Reply<()>) {
        self.wanted = Some(options);
        match &self.link {
            Some(link) if link.phase == Phase::Online => {
                let _ = reply.send(Ok(()));
            }
            Some(_) => self.waiting.push(reply),
            None => {
                self.waiting.push(reply);
                self.retry_at = None;
                self.begin_connecting();
            }
        }
    }

    /// Starts an attempt, unless one is under way.
    pub(super) fn begin_connecting(&mut self) {
        let Some(options) = self.options() else {
            return;
        };
        if self.is_connecting || self.link.is_some() || self.is_awaiting_push() {
            return;
        }
        let (login, lost) = match self
            .hold_account()
            .and_then(|()| Ok((self.login_config(&options)?, self.lost_stream()?)))
        {
            Ok(begin) => begin,
            Err(error) => {
                self.attempt_failed(error);
                return;
            }
        };
        let tls = match &self.tls {
            Some((trust, tls)) if trust.is_of(&options) => Some(tls.clone()),
            _ => None,
        };
        let gate = self.holding.gate();
        let rng = StdRng::from_rng(&mut self.rng);
        self.is_connecting = true;
        self.send_event(ConnectionState::Connecting.into());
        self.jobs.spawn(async move {
            Finding::Connected(Box::new(
                attempt(options, login, lost, tls, gate, rng).await,
            ))
        });
    }

    /// What is kept between connections.
    pub(super) fn login(&self) -> Result<Login, Error> {
        let account = self.store.account()?;
        Login::decode(account.credential.as_ref(), clock::random_bytes()?)
    }

    fn login_config(&mut self, options: &ConnectOptions) -> Result<LoginConfig, Error> {
        let account = self.store.account()?;
        let kept = Login::decode(account.credential.as_ref(), clock::random_bytes()?)?;
        let credential = kept.encode();
        if account.credential.as_ref() != Some(&credential) {
            // An installation that gets its name now keeps it: tokens will belong to it.
            self.keep_login(credential)?;
        }
        let mut login = kept.config(self.own.jid.clone())?;
        login.resource.clone_from(&options.resource);
        login.allow_plain = options.allow_plain;
        login.carbons = true;
        login.client_state = Some(self.first_client_state(self.store.stream()?.is_some()));
        Ok(login)
    }

    pub(super) fn keep_login(&mut self, credential: Credential) -> Result<(), Error> {
        self.commit(|unit, _| {
            unit.batch.set_credential(Some(credential));
            Ok(())
        })
    }

    /// What the login showed of the server, and the token that it gave, are on disk before anything else is done: a
    /// token that is used without being known is the end of the one that is.
    fn note_session(&mut self, connection: &Connection) -> Result<(), Error> {
        let session = connection.session();
        let kept = self.login()?;
        let login = kept.after(&session.pins, &session.token);
        if login == kept {
            return Ok(());
        }
        self.keep_login(login.encode())
    }

    /// An attempt ended.
    pub(super) fn attempt_ended(&mut self, attempt: Attempt) {
        self.is_connecting = false;
        let Some(options) = self.options() else {
            // Nobody wants it any more; dropping the connection ends it.
            return;
        };
        if let Some(tls) = attempt.tls {
            self.tls = Some((Trust::of(&options), tls));
        }
        if attempt.is_stream_spoilt
            && let Err(error) = self.end_stream()
        {
            return self.attempt_failed(error);
        }
        let result = attempt.result.and_then(|mut connection| {
            self.note_session(&connection)?;
            let begun = self.begin_stream(&mut connection)?;
            self.begin_session(connection, begun)
        });
        if let Err(error) = result {
            self.link = None;
            self.attempt_failed(error);
        }
    }

    /// A stream stands: its first questions are asked, unless it goes on where it was.
    fn begin_session(&mut self, connection: Connection, begun: Begun) -> Result<(), Error> {
        let is_resumed = begun.is_resumed;
        let is_set_up = self.is_set_up(&begun)?;
        let has_carbons = connection.session().carbons;
        let mut id_prefix = stanza::new_id(&mut self.rng);
        id_prefix.truncate(ID_PREFIX_CHARS);
        self.link = Some(Link::new(connection, id_prefix, begun));
        let kept = self.kept.take().filter(|_| is_resumed);
        if is_resumed {
            self.probe_resumed();
        }
        if is_set_up || (is_resumed && self.is_wake_only() && self.is_caught_up()?) {
            return self.go_on(kept);
        }
        // An archive that was never read is one of a new device, whose bundles have to be published.
        if self.is_wake_only() && self.store.archive_cursor(&self.own.jid)?.is_some() {
            return self.begin_bare_session();
        }
        let Some(link) = &self.link else {
            return Ok(());
        };
        let requester = link.requester.clone();
        let own = self.own.clone();
        self.jobs
            .spawn(async move { Finding::SetUp(job::set_up(&requester, &own, has_carbons).await) });
        Ok(())
    }

    /// A job ended without a result.
    pub(super) fn job_panicked(&mut self) {
        let error = Error::bug("a part that the app brought panicked");
        if core::mem::take(&mut self.is_connecting) {
            self.attempt_failed(error);
        } else {
            self.drop_link(error);
        }
    }

    /// A stream that was taken up again is of no use: a new one is begun at once. Nothing is lost by it; what was on its way
    /// is sent again under the same ids, and what came meanwhile is in the archive.
    fn begin_anew(&mut self, error: Error) {
        tracing::warn!(%error, "a stream that was taken up again came to nothing");
        self.jobs = JoinSet::new();
        self.kept = None;
        match self.end_stream() {
            Ok(()) => self.begin_connecting(),
            Err(error) => self.attempt_failed(error),
        }
    }

    /// The first attempt's failure is answered to the caller and ends the wish; later ones are
    /// tried again, as long as trying can help.
    fn attempt_failed(&mut self, error: Error) {
        if !self.waiting.is_empty() {
            self.wanted = None;
            self.answer_waiting(&Err(error.clone()));
        }
        self.went_offline(error);
    }

    /// The connection is over: whatever was only true while it lasted is gone.
    pub(super) fn drop_link(&mut self, error: Error) {
        let Some(link) = self.link.take() else {
            return;
        };
        self.push_test_lost_link(&error);
        if link.is_doubtful() {
            return self.begin_anew(error);
        }
        self.kept = link.into_kept();
        // Every job asks through the connection, and what one has found out already is about it.
        self.jobs = JoinSet::new();
        if !self.waiting.is_empty() {
            self.wanted = None;
            self.answer_waiting(&Err(error.clone()));
        }
        self.went_offline(error);
    }

    fn went_offline(&mut self, error: Error) {
        self.note_wake_failed(&error);
        self.last_failure = Some((clock::now(), error.clone()));
        let may_retry = self.options().is_some() && can_recover(&error);
        let wait = may_retry.then(|| self.backoff.failed(&mut self.rng));
        self.retry_at = wait.map(|wait| Instant::now() + wait);
        let retry_at = wait.map(|wait| {
            clock::now().saturating_add_millis(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
        });
        self.send_event(ConnectionState::Offline { error, retry_at }.into());
    }
}

/// Whether an account that was connected may be so again without the user's doing.
const fn can_recover(error: &Error) -> bool {
    matches!(
        error,
        Error::Offline { .. } | Error::StoreLocked | Error::StoreDamaged { .. }
    )
}

async fn attempt(
    options: ConnectOptions,
    login: LoginConfig,
    lost: Option<LostStream>,
    tls: Option<ClientTls>,
    gate: WriteGate,
    mut rng: StdRng,
) -> Attempt {
    let tls = match tls {
        Some(tls) => Ok(tls),
        None => load_tls(&options).await,
    };
    let tls = match tls {
        Ok(tls) => tls,
        Err(error) => {
            return Attempt {
                tls: None,
                result: Err(error),
                is_stream_spoilt: false,
            };
        }
    };
    // A system without a DNS configuration can still reach an address given by hand.
    let resolver = options
        .network
        .resolver(|| system_resolver().unwrap_or_else(|error| Arc::new(NoDns(error))));
    let dialer = options.network.dialer(&resolver);
    let mut config = ConnectConfig::new(login, tls.clone(), resolver);
    config.write_gate = Some(gate);
    config.dialer = dialer;
    config.websocket = options.network.websocket;
    config.endpoint = options.server.map(|server| Endpoint {
        host: server.host,
        port: server.port,
        transport: if server.direct_tls {
            Transport::DirectTls
        } else {
            Transport::StartTls
        },
    });
    config.resume = lost;
    let result = connect(&config, &mut rng).await;
    Attempt {
        tls: Some(tls),
        is_stream_spoilt: matches!(
            result,
            Err(ConnectError::Login(LoginError::HandledCountTooHigh(_)))
        ),
        result: result.map_err(connect_error),
    }
}

/// Stands in where the system has no DNS configuration: every question gets the reason.
struct NoDns(ResolveError);

impl Resolver for NoDns {
    fn srv<'a>(&'a self, _name: &'a str) -> SrvFuture<'a> {
        Box::pin(async { Err(self.0.clone()) })
    }

    fn addresses<'a>(&'a self, _host: &'a str) -> AddressFuture<'a> {
        Box::pin(async { Err(self.0.clone()) })
    }
}

/// Reads trust roots from disk: off the account's thread.
async fn load_tls(options: &ConnectOptions) -> Result<ClientTls, Error> {
    let (network, extra_roots_pem) = (options.network.clone(), options.extra_roots_pem.clone());
    tokio::task::spawn_blocking(move || network.tls(extra_roots_pem))
        .await
        .map_err(|_| Error::bug("loading trust roots panicked"))?
}

#[cfg(test)]
mod tests;
