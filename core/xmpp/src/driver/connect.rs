//! From a configuration to a running connection.

use std::collections::VecDeque;
use std::sync::Arc;

use rand_core::CryptoRng;
use tokio::time::timeout;

use super::attempt::{Failure, Means, Reached, try_target};
use super::config::{ConnectConfig, WebSocketUse};
use super::connection::Connection;
use super::dial::{Dialer, DirectDialer};
use super::error::{Attempt, ConnectError, ConnectPhase};
use super::target::{self, Target, Targets};
use super::websocket::Nonces;
use super::{tls, web};
use crate::stream::{Login, LoginConfig, LoginError};

/// Resolves, connects, encrypts, logs in. Targets are tried in order until one answers; once the
/// account was named to a server, its answer is final. Cancelling drops the socket.
///
/// # Errors
/// See [`ConnectError`].
pub async fn connect(
    config: &ConnectConfig,
    rng: &mut (impl CryptoRng + Send),
) -> Result<Connection, ConnectError> {
    let reached = try_targets(config, rng, Purpose::Session).await?;
    reached.into_connection(config)
}

/// Asks the server to forget the token in `config.login` (XEP-0484 §3.6), as the user logs out: a
/// copy of it on a stolen device is worth nothing then. A token that the server knows no more is a
/// success.
///
/// # Errors
/// See [`ConnectError`]; [`LoginError::NoCredentials`] if there is no token.
pub async fn invalidate_token(
    config: &ConnectConfig,
    rng: &mut (impl CryptoRng + Send),
) -> Result<(), ConnectError> {
    match try_targets(config, rng, Purpose::InvalidateToken).await {
        Ok(_) => Ok(()),
        Err(ConnectError::Login(error @ LoginError::AuthRejected { .. }))
            if !error.is_temporary() =>
        {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Session,
    InvalidateToken,
}

impl Reached {
    fn into_connection(self, config: &ConnectConfig) -> Result<Connection, ConnectError> {
        let session = self.session.ok_or_else(|| ConnectError::Lost {
            detail: "no session".to_owned(),
        })?;
        let (decoder, unread) = (self.negotiation.decoder, self.negotiation.unread);
        Connection::spawn(
            self.stream,
            self.transport,
            decoder,
            unread,
            *session,
            config,
        )
    }
}

/// What is to be tried, as far as it is known.
struct Plan {
    targets: VecDeque<Target>,
    /// The domain may still be asked for WebSockets.
    asks_host_meta: bool,
    /// What to say if nothing at all can be tried.
    otherwise: Option<ConnectError>,
}

impl Plan {
    async fn begin(
        config: &ConnectConfig,
        domain: &str,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<Self, ConnectError> {
        let mut plan = Self {
            targets: VecDeque::new(),
            asks_host_meta: false,
            otherwise: None,
        };
        match (&config.endpoint, &config.websocket) {
            (_, WebSocketUse::At(url)) => plan.targets.push_back(Target::websocket(url)?),
            (Some(endpoint), _) => plan.targets.push_back(Target::fixed(endpoint, domain)),
            (None, WebSocketUse::Only) => plan.asks_host_meta = true,
            (None, when) => {
                plan.asks_host_meta = *when == WebSocketUse::WhenBlocked;
                let found = timeout(
                    config.connect_timeout,
                    target::find(&*config.resolver, domain, rng),
                );
                match found.await {
                    Ok(Targets::Try(targets)) => plan.targets = targets.into(),
                    Ok(Targets::NotOffered) => plan.otherwise = Some(ConnectError::NotOffered),
                    Err(_) => {
                        plan.otherwise = Some(ConnectError::Timeout {
                            phase: ConnectPhase::Resolving,
                        });
                    }
                }
            }
        }
        Ok(plan)
    }

    async fn next(
        &mut self,
        config: &ConnectConfig,
        dialer: &dyn Dialer,
        domain: &str,
    ) -> Option<Target> {
        if self.targets.is_empty() && core::mem::take(&mut self.asks_host_meta) {
            let found = web::find_websockets(config, dialer, domain).await;
            self.targets
                .extend(found.iter().filter_map(|url| Target::websocket(url).ok()));
        }
        self.targets.pop_front()
    }
}

async fn try_targets(
    config: &ConnectConfig,
    rng: &mut (impl CryptoRng + Send),
    purpose: Purpose,
) -> Result<Reached, ConnectError> {
    let domain = config.login.jid.domain().as_str().to_owned();
    let name = tls::server_name(&domain)?;
    // DNS wants the same form as TLS.
    let domain = name.to_str().into_owned();
    let direct = DirectDialer::new(Arc::clone(&config.resolver));
    let dialer = config.dialer.as_deref().unwrap_or(&direct);
    let means = Means {
        config,
        dialer,
        name: &name,
    };
    let mut plan = Plan::begin(config, &domain, rng).await?;
    let mut tried = Vec::new();
    let mut worst = plan.otherwise.take();
    while let Some(target) = plan.next(config, dialer, &domain).await {
        let mut login_config = LoginConfig {
            transport: target.transport,
            resume: config.resume.as_ref().map(|lost| lost.record.request()),
            ..config.login.clone()
        };
        let mut login = prepare(login_config.clone(), purpose, rng)?;
        let mut result = try_target(&means, &target, login, &Nonces::draw(rng)).await;
        if let Err(Failure::PipeliningMayBreak { is_sure, error }) = result {
            tracing::debug!(%error, "trying again without pipelining");
            let before = login_config.pins.breaks_pipelining;
            login_config.pins.breaks_pipelining = true;
            login = prepare(login_config, purpose, rng)?;
            result = match try_target(&means, &target, login, &Nonces::draw(rng)).await {
                // What it said the first time says more.
                Err(Failure::Unreachable(_)) => Err(Failure::NextTarget(error)),
                result => result,
            };
            if let Ok(Reached {
                session: Some(session),
                ..
            }) = &mut result
                && !is_sure
            {
                // The connection may have been lost for any reason: nothing is learnt from that.
                session.pins.breaks_pipelining = before;
            }
        }
        match result {
            Ok(reached) => return Ok(reached),
            Err(Failure::PipeliningMayBreak { error, .. }) => return Err(error),
            Err(Failure::Unreachable(error)) => tried.push(Attempt {
                host: target.host,
                port: target.port,
                transport: target.transport,
                error,
            }),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::NextTarget(error)) => {
                tracing::debug!(host = target.host, port = target.port, %error, "target failed");
                if worst
                    .as_ref()
                    .is_none_or(|worst| error.weight() > worst.weight())
                {
                    worst = Some(error);
                }
            }
        }
    }
    Err(worst.unwrap_or(ConnectError::Unreachable { tried }))
}

fn prepare(
    config: LoginConfig,
    purpose: Purpose,
    rng: &mut impl CryptoRng,
) -> Result<Login, LoginError> {
    match purpose {
        Purpose::Session => Login::new(config, rng),
        Purpose::InvalidateToken => Login::to_invalidate_token(config, rng),
    }
}
