//! From a configuration to a running connection.

use rand_core::CryptoRng;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::config::ConnectConfig;
use super::connection::Connection;
use super::error::{Attempt, AttemptError, ConnectError, ConnectPhase};
use super::negotiation::{Negotiation, Step};
use super::target::{self, Target, Targets};
use super::{tcp, tls};
use crate::stream::sasl::TlsFacts;
use crate::stream::{Login, LoginConfig, LoginError, Session, Transport};

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

/// A server that did what we came for.
struct Reached {
    tls: TlsStream<TcpStream>,
    negotiation: Negotiation,
    /// `None` if we came for something else.
    session: Option<Box<Session>>,
}

impl Reached {
    fn into_connection(self, config: &ConnectConfig) -> Result<Connection, ConnectError> {
        let session = self.session.ok_or_else(|| ConnectError::Lost {
            detail: "no session".to_owned(),
        })?;
        let (decoder, unread) = (self.negotiation.decoder, self.negotiation.unread);
        Connection::spawn(self.tls, decoder, unread, *session, config)
    }
}

async fn try_targets(
    config: &ConnectConfig,
    rng: &mut (impl CryptoRng + Send),
    purpose: Purpose,
) -> Result<Reached, ConnectError> {
    let domain = config.login.jid.domain().as_str().to_owned();
    let name = tls::server_name(&domain)?;
    let targets = match &config.endpoint {
        Some(endpoint) => vec![Target {
            host: endpoint.host.clone(),
            port: endpoint.port,
            transport: endpoint.transport,
        }],
        None => {
            // DNS wants the same form as TLS.
            let ascii = name.to_str().into_owned();
            let found = timeout(
                config.connect_timeout,
                target::find(&*config.resolver, &ascii, rng),
            );
            match found.await {
                Ok(Targets::Try(targets)) => targets,
                Ok(Targets::NotOffered) => return Err(ConnectError::NotOffered),
                Err(_) => {
                    return Err(ConnectError::Timeout {
                        phase: ConnectPhase::Resolving,
                    });
                }
            }
        }
    };
    let mut tried = Vec::new();
    let mut worst: Option<ConnectError> = None;
    for target in targets {
        let mut login_config = LoginConfig {
            transport: target.transport,
            resume: config.resume.as_ref().map(|lost| lost.record.request()),
            ..config.login.clone()
        };
        let mut login = prepare(login_config.clone(), purpose, rng)?;
        let mut result = try_target(config, &name, &target, login).await;
        if let Err(Failure::PipeliningMayBreak { is_sure, error }) = result {
            tracing::debug!(%error, "trying again without pipelining");
            let before = login_config.pins.breaks_pipelining;
            login_config.pins.breaks_pipelining = true;
            login = prepare(login_config, purpose, rng)?;
            result = match try_target(config, &name, &target, login).await {
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

enum Failure {
    Unreachable(AttemptError),
    NextTarget(ConnectError),
    /// Something had gone out before the server spoke, and then the stream ended. `is_sure` if the
    /// server said so in words that fit.
    PipeliningMayBreak {
        is_sure: bool,
        error: ConnectError,
    },
    Final(ConnectError),
}

async fn try_target(
    config: &ConnectConfig,
    name: &ServerName<'static>,
    target: &Target,
    login: Login,
) -> Result<Reached, Failure> {
    let reached = timeout(
        config.connect_timeout,
        tcp::connect(&*config.resolver, &target.host, target.port),
    );
    let tcp = reached
        .await
        .map_err(|_| Failure::Unreachable(AttemptError::Timeout))?
        .map_err(Failure::Unreachable)?;
    let mut negotiation = Negotiation::new(login, config.xml_limits, config.write_gate.clone());
    let negotiated = timeout(
        config.login_timeout,
        negotiate(config, name, target, tcp, &mut negotiation),
    );
    let result = negotiated.await.unwrap_or(Err(ConnectError::Timeout {
        phase: ConnectPhase::LoggingIn,
    }));
    match result {
        Ok((tls, session)) => Ok(Reached {
            tls,
            negotiation,
            session,
        }),
        Err(error) if negotiation.has_pipelined && ended_the_stream(&error).is_some() => {
            Err(Failure::PipeliningMayBreak {
                is_sure: ended_the_stream(&error) == Some(true),
                error,
            })
        }
        // A server that says nothing at all has not refused anybody: the next one may speak.
        Err(error @ ConnectError::Timeout { .. }) if negotiation.has_pipelined => {
            Err(Failure::NextTarget(error))
        }
        Err(error) if negotiation.has_begun_authentication || error == ConnectError::Fenced => {
            Err(Failure::Final(error))
        }
        Err(error) => Err(Failure::NextTarget(error)),
    }
}

/// The server did not let the login come to an answer. `true` if its words are those of a server
/// that did not expect what it got.
fn ended_the_stream(error: &ConnectError) -> Option<bool> {
    match error {
        ConnectError::Lost { .. } | ConnectError::Login(LoginError::Closed) => Some(false),
        ConnectError::Login(LoginError::Stream(error)) => matches!(
            error.condition.as_str(),
            "bad-format"
                | "invalid-namespace"
                | "invalid-xml"
                | "not-authorized"
                | "not-well-formed"
                | "policy-violation"
                | "undefined-condition"
                | "unsupported-stanza-type"
        )
        .then_some(true),
        _ => None,
    }
}

/// STARTTLS runs the first part of the login over TCP; everything else runs over TLS.
async fn negotiate(
    config: &ConnectConfig,
    name: &ServerName<'static>,
    target: &Target,
    mut tcp: TcpStream,
    negotiation: &mut Negotiation,
) -> Result<(TlsStream<TcpStream>, Option<Box<Session>>), ConnectError> {
    let at = format!("{}:{}", target.host, target.port);
    if target.transport == Transport::StartTls {
        let first = negotiation.login()?.start(TlsFacts::default());
        match negotiation.run(&mut tcp, first).await? {
            Step::StartTls => {}
            // The machine is never ready without TLS; and if it were, this is where it stops.
            Step::Ready(_) | Step::Invalidated => return Err(LoginError::TlsRequired.into()),
        }
    }
    let handshake = config.tls.handshake(tcp, name, target.transport, &at);
    let mut tls = timeout(config.connect_timeout, handshake)
        .await
        .unwrap_or(Err(ConnectError::Timeout {
            phase: ConnectPhase::Connecting,
        }))?;
    let facts = tls::facts(&tls);
    let outputs = match target.transport {
        Transport::StartTls => negotiation.login()?.tls_established(facts)?,
        Transport::DirectTls => negotiation.login()?.start(facts),
    };
    match negotiation.run(&mut tls, outputs).await? {
        Step::Ready(session) => Ok((tls, Some(session))),
        Step::Invalidated => Ok((tls, None)),
        Step::StartTls => Err(LoginError::TlsRequired.into()),
    }
}
