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
        let login = Login::new(
            LoginConfig {
                transport: target.transport,
                ..config.login.clone()
            },
            rng,
        )?;
        match try_target(config, &name, &target, login).await {
            Ok(connection) => return Ok(connection),
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

enum Failure {
    Unreachable(AttemptError),
    NextTarget(ConnectError),
    Final(ConnectError),
}

async fn try_target(
    config: &ConnectConfig,
    name: &ServerName<'static>,
    target: &Target,
    login: Login,
) -> Result<Connection, Failure> {
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
        Ok((tls, session)) => Ok(Connection::spawn(
            tls,
            negotiation.decoder,
            negotiation.unread,
            *session,
            config.ack_policy,
            config.write_gate.clone(),
        )),
        Err(error) if negotiation.has_begun_authentication || error == ConnectError::Fenced => {
            Err(Failure::Final(error))
        }
        Err(error) => Err(Failure::NextTarget(error)),
    }
}

/// STARTTLS runs the first part of the login over TCP; everything else runs over TLS.
async fn negotiate(
    config: &ConnectConfig,
    name: &ServerName<'static>,
    target: &Target,
    mut tcp: TcpStream,
    negotiation: &mut Negotiation,
) -> Result<(TlsStream<TcpStream>, Box<Session>), ConnectError> {
    let at = format!("{}:{}", target.host, target.port);
    if target.transport == Transport::StartTls {
        let first = negotiation.login()?.start();
        if let Step::Ready(_) = negotiation.run(&mut tcp, vec![first]).await? {
            // The machine is never ready without TLS; and if it were, this is where it stops.
            return Err(LoginError::TlsRequired.into());
        }
    }
    let handshake = config.tls.handshake(tcp, name, target.transport, &at);
    let mut tls = timeout(config.connect_timeout, handshake)
        .await
        .unwrap_or(Err(ConnectError::Timeout {
            phase: ConnectPhase::Connecting,
        }))?;
    let outputs = match target.transport {
        Transport::StartTls => negotiation.login()?.tls_established()?,
        Transport::DirectTls => vec![negotiation.login()?.start()],
    };
    match negotiation.run(&mut tls, outputs).await? {
        Step::Ready(session) => Ok((tls, session)),
        Step::StartTls => Err(LoginError::TlsRequired.into()),
    }
}
