//! The only sockets of the core: DNS, TCP, TLS, and one task per connection.
//!
//! ```text
//!  connect(): Resolver ► targets ► Dialer ► TLS ► Login ► Connection
//!                        (if all are blocked: host-meta ► WebSockets)
//!
//!  Connection::next_event ◄── bounded ◄── reader ┐
//!                                                ├ one task, one socket
//!  Sender::send ──► bounded, ordered ──► writer  ┘
//!  Sender::hold ──► (number, then the caller's transaction, then go) ─┘
//!  Sender::durable_up_to ─► counters ─► <a/>
//! ```
//!
//! A host brings its own [`Resolver`] (names), [`Dialer`] (connections: a proxy, a VPN) and
//! [`CertificateVerifier`] (trust); the ones that are here serve where it has none.
//!
//! Not here: reconnecting, backoff, what to say after login. The client decides those.

mod attempt;
mod config;
mod connect;
mod connection;
mod dial;
mod error;
mod event;
pub(crate) mod fuzz;
#[cfg(feature = "hickory")]
mod hickory;
mod host_resolver;
mod negotiation;
mod probes;
mod queue;
mod reader;
mod reply;
mod resolver;
mod sender;
mod shared;
mod target;
mod tcp;
mod tls;
mod web;
mod websocket;
mod writer;

pub use config::{ConnectConfig, Endpoint, WebSocketUse, WriteGate};
pub use connect::{connect, invalidate_token};
pub use connection::{Connection, Leftover};
pub use dial::{
    BoxedStream, ByteStream, DialFuture, Dialer, DirectDialer, HttpConnectDialer, ProxyAddress,
    ProxyLogin, Socks5Dialer,
};
pub use error::{Attempt, AttemptError, CertificateProblem, ConnectError, ConnectPhase};
pub use event::{CloseReason, Closed, Event};
#[cfg(feature = "hickory")]
pub use hickory::SystemResolver;
pub use host_resolver::{HostResolver, ResolveStarter};
pub use reply::Reply;
pub use resolver::{AddressFuture, ResolveError, Resolver, SrvFuture, SrvRecord, system_resolver};
pub use sender::{CloseStyle, Held, SendError, Sender};
pub use tls::{CertificateQuery, CertificateVerifier, ClientTls, KeyPin, TrustError, TrustRoots};
pub use web::{WebUrl, WebUrlError};

#[cfg(test)]
mod tests;
