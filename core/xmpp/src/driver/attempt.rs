//! One target: connected, encrypted, logged in, or why not.

use rustls_pki_types::ServerName;
use tokio::time::timeout;

use super::config::ConnectConfig;
use super::dial::{BoxedStream, Dialer};
use super::error::{AttemptError, ConnectError, ConnectPhase};
use super::negotiation::{Negotiation, Step};
use super::target::Target;
use super::tls;
use super::websocket::{self, Nonces, WebSocketStream};
use crate::stream::sasl::TlsFacts;
use crate::stream::{Login, LoginError, Session, Transport};

/// A server that did what we came for.
pub(super) struct Reached {
    /// What the session runs over.
    pub(super) stream: BoxedStream,
    pub(super) transport: Transport,
    pub(super) negotiation: Negotiation,
    /// `None` if we came for something else.
    pub(super) session: Option<Box<Session>>,
}

/// What a target is tried with.
pub(super) struct Means<'a> {
    pub(super) config: &'a ConnectConfig,
    pub(super) dialer: &'a dyn Dialer,
    /// Of the account's domain.
    pub(super) name: &'a ServerName<'static>,
}

pub(super) enum Failure {
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

pub(super) async fn try_target(
    means: &Means<'_>,
    target: &Target,
    login: Login,
    nonces: &Nonces,
) -> Result<Reached, Failure> {
    let config = means.config;
    let reached = timeout(
        config.connect_timeout,
        means.dialer.dial(&target.host, target.port),
    );
    let stream = reached
        .await
        .map_err(|_| Failure::Unreachable(AttemptError::Timeout))?
        .map_err(Failure::Unreachable)?;
    let mut negotiation = Negotiation::new(login, config.xml_limits, config.write_gate.clone());
    let negotiated = timeout(
        config.login_timeout,
        negotiate(means, target, stream, nonces, &mut negotiation),
    );
    let result = negotiated.await.unwrap_or(Err(ConnectError::Timeout {
        phase: ConnectPhase::LoggingIn,
    }));
    match result {
        Ok((stream, session)) => Ok(Reached {
            stream,
            transport: target.transport,
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
    means: &Means<'_>,
    target: &Target,
    mut stream: BoxedStream,
    nonces: &Nonces,
    negotiation: &mut Negotiation,
) -> Result<(BoxedStream, Option<Box<Session>>), ConnectError> {
    let at = format!("{}:{}", target.host, target.port);
    if target.transport == Transport::StartTls {
        let first = negotiation.login()?.start(TlsFacts::default());
        match negotiation.run(&mut stream, first).await? {
            Step::StartTls => {}
            // The machine is never ready without TLS; and if it were, this is where it stops.
            Step::Ready(_) | Step::Invalidated => return Err(LoginError::TlsRequired.into()),
        }
    }
    let config = means.config;
    let encrypted = async {
        let name = target.name.as_ref().unwrap_or(means.name);
        let mut tls = config
            .tls
            .handshake(stream, name, target.transport, &at)
            .await?;
        if let Some(web) = &target.web {
            let agreed = websocket::handshake(&mut tls, &web.authority, &web.path, nonces);
            agreed.await.map_err(|error| ConnectError::WebSocket {
                detail: error.to_string(),
                at: at.clone(),
            })?;
        }
        Ok(tls)
    };
    let tls = timeout(config.connect_timeout, encrypted)
        .await
        .unwrap_or(Err(ConnectError::Timeout {
            phase: ConnectPhase::Connecting,
        }))?;
    let facts = tls::facts(&tls);
    let (mut stream, outputs): (BoxedStream, _) = match target.transport {
        Transport::StartTls => (Box::new(tls), negotiation.login()?.tls_established(facts)?),
        Transport::DirectTls => (Box::new(tls), negotiation.login()?.start(facts)),
        Transport::WebSocket => {
            let stream = WebSocketStream::new(tls, nonces);
            (Box::new(stream), negotiation.login()?.start(facts))
        }
    };
    match negotiation.run(&mut stream, outputs).await? {
        Step::Ready(session) => Ok((stream, Some(session))),
        Step::Invalidated => Ok((stream, None)),
        Step::StartTls => Err(LoginError::TlsRequired.into()),
    }
}
