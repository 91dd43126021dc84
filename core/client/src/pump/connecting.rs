//! Making a connection, losing it, making it again.

use std::sync::Arc;

use eft_store::Credential;
use eft_xmpp::driver::{
    AddressFuture, CertificateProblem, ClientTls, CloseReason, ConnectConfig, ConnectError,
    Connection, Endpoint, ResolveError, Resolver, SrvFuture, SystemResolver, TrustRoots, WriteGate,
    connect,
};
use eft_xmpp::stream::{LoginConfig, LoginError, Transport};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::job::Finding;
use super::link::{Link, Phase};
use super::{Pump, job};
use crate::clock;
use crate::command::Reply;
use crate::config::ConnectOptions;
use crate::credential::Login;
use crate::error::Error;
use crate::event::{ConnectionState, Event};

/// What an attempt to connect came to.
pub(super) struct Attempt {
    /// The TLS settings, to be kept for the next attempt.
    pub(super) tls: Option<ClientTls>,
    pub(super) result: Result<Connection, Error>,
}

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
        let Some(options) = self.wanted.clone() else {
            return;
        };
        if self.is_connecting || self.link.is_some() {
            return;
        }
        let login = match self
            .hold_account()
            .and_then(|()| self.login_config(&options))
        {
            Ok(login) => login,
            Err(error) => {
                self.attempt_failed(error);
                return;
            }
        };
        let tls = match &self.tls {
            Some((pem, tls)) if *pem == options.extra_roots_pem => Some(tls.clone()),
            _ => None,
        };
        let gate = self.holding.gate();
        let rng = StdRng::from_rng(&mut self.rng);
        self.is_connecting = true;
        self.send_event(Event::ConnectionChanged(ConnectionState::Connecting));
        self.jobs.spawn(async move {
            Finding::Connected(Box::new(attempt(options, login, tls, gate, rng).await))
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
        let Some(options) = &self.wanted else {
            // Nobody wants it any more; dropping the connection ends it.
            return;
        };
        if let Some(tls) = attempt.tls {
            self.tls = Some((options.extra_roots_pem.clone(), tls));
        }
        let result = attempt.result.and_then(|connection| {
            self.note_session(&connection)?;
            Ok(connection)
        });
        match result {
            Ok(connection) => {
                let link = Link::new(connection);
                let requester = link.requester.clone();
                let own = self.own.clone();
                self.jobs
                    .spawn(async move { Finding::SetUp(job::set_up(&requester, &own).await) });
                self.link = Some(link);
            }
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
        if self.link.take().is_none() {
            return;
        }
        // Every job asks through the connection, and what one has found out already is about it.
        self.jobs = JoinSet::new();
        if !self.waiting.is_empty() {
            self.wanted = None;
            self.answer_waiting(&Err(error.clone()));
        }
        self.went_offline(error);
    }

    fn went_offline(&mut self, error: Error) {
        let may_retry = self.wanted.is_some() && can_recover(&error);
        let wait = may_retry.then(|| self.backoff.failed(&mut self.rng));
        self.retry_at = wait.map(|wait| Instant::now() + wait);
        let retry_at = wait.map(|wait| {
            clock::now().saturating_add_millis(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
        });
        self.send_event(Event::ConnectionChanged(ConnectionState::Offline {
            error,
            retry_at,
        }));
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
    tls: Option<ClientTls>,
    gate: WriteGate,
    mut rng: StdRng,
) -> Attempt {
    let tls = match tls {
        Some(tls) => Ok(tls),
        None => load_tls(options.extra_roots_pem.clone()).await,
    };
    let tls = match tls {
        Ok(tls) => tls,
        Err(error) => {
            return Attempt {
                tls: None,
                result: Err(error),
            };
        }
    };
    // A system without a DNS configuration can still reach an address given by hand.
    let resolver: Arc<dyn Resolver> = match SystemResolver::new() {
        Ok(resolver) => Arc::new(resolver),
        Err(error) => Arc::new(NoDns(error)),
    };
    let mut config = ConnectConfig::new(login, tls.clone(), resolver);
    config.write_gate = Some(gate);
    config.endpoint = options.server.map(|server| Endpoint {
        host: server.host,
        port: server.port,
        transport: if server.direct_tls {
            Transport::DirectTls
        } else {
            Transport::StartTls
        },
    });
    Attempt {
        tls: Some(tls),
        result: connect(&config, &mut rng).await.map_err(connect_error),
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
async fn load_tls(extra_roots_pem: Option<String>) -> Result<ClientTls, Error> {
    let roots = TrustRoots {
        extra_pem: extra_roots_pem.into_iter().collect(),
        ..TrustRoots::default()
    };
    tokio::task::spawn_blocking(move || ClientTls::new(&roots))
        .await
        .map_err(|_| Error::bug("loading trust roots panicked"))?
        .map_err(|error| Error::invalid(error.to_string()))
}

/// Why there is no connection, in the app's words.
fn connect_error(error: ConnectError) -> Error {
    let reason = error.to_string();
    match error {
        ConnectError::Certificate {
            reason: problem, ..
        } => Error::CertificateRejected {
            reason: match problem {
                CertificateProblem::Expired => format!("{problem}; is the device's clock right?"),
                other => other.to_string(),
            },
        },
        ConnectError::Login(error) => login_error(error),
        ConnectError::InvalidDomain => Error::InvalidInput { reason },
        other => Error::Offline {
            reason: unreachable_reason(&other, reason),
            cause: Some(Arc::new(other)),
        },
    }
}

/// "Unreachable" with what was tried, so that a person can see which address was wrong.
fn unreachable_reason(error: &ConnectError, reason: String) -> String {
    let ConnectError::Unreachable { tried } = error else {
        return reason;
    };
    let tried: Vec<String> = tried
        .iter()
        .map(|attempt| format!("{}:{} ({})", attempt.host, attempt.port, attempt.error))
        .collect();
    if tried.is_empty() {
        reason
    } else {
        format!("no server answered: {}", tried.join(", "))
    }
}

fn login_error(error: LoginError) -> Error {
    let reason = error.to_string();
    let is_temporary = error.is_temporary();
    match error {
        LoginError::TlsRequired | LoginError::UnsupportedVersion => {
            Error::ServerTooOld { feature: reason }
        }
        LoginError::AuthRejected { condition, text } if !is_temporary => Error::AuthRejected {
            reason: text.unwrap_or(condition),
        },
        LoginError::NoAcceptableMechanism { .. }
        | LoginError::Scram(_)
        | LoginError::Downgraded(_)
        | LoginError::UnprovenToken
        | LoginError::FurtherSteps { .. }
        | LoginError::NoCredentials
        | LoginError::UnpreparableCredentials
        | LoginError::NoLocalPart => Error::AuthRejected { reason },
        LoginError::BindRejected { .. } | LoginError::Stream(_) if !is_temporary => {
            Error::NotAllowed { reason }
        }
        other => Error::Offline {
            reason,
            cause: Some(Arc::new(other)),
        },
    }
}

/// Why a connection ended, in the app's words.
pub(super) fn closed_error(reason: &CloseReason) -> Error {
    match reason {
        // Another client of ours took the resource, or the account is gone: trying again would
        // start a fight, or be useless.
        CloseReason::StreamError(error)
            if matches!(
                error.condition.as_str(),
                "conflict" | "not-authorized" | "host-gone" | "host-unknown"
            ) =>
        {
            Error::NotAllowed {
                reason: error.to_string(),
            }
        }
        other => Error::Offline {
            reason: other.to_string(),
            cause: Some(Arc::new(other.clone())),
        },
    }
}

#[cfg(test)]
mod tests;
