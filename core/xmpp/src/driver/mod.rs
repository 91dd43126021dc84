//! The only sockets of the core: DNS, TCP, TLS, and one task per connection.
//!
//! ```text
//!  connect(): Resolver ► targets ► TCP (happy eyeballs) ► TLS ► Login ► Connection
//!
//!  Connection::next_event ◄── bounded ◄── reader ┐
//!                                                ├ one task, one socket
//!  Sender::send ──► bounded, ordered ──► writer  ┘
//!  Sender::hold ──► (number, then the caller's transaction, then go) ─┘
//!  Sender::durable_up_to ─► counters ─► <a/>
//! ```
//!
//! Not here: reconnecting, backoff, what to say after login. The client decides those.

mod config;
mod connect;
mod connection;
mod error;
mod event;
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
mod writer;

pub use config::{ConnectConfig, Endpoint, WriteGate};
pub use connect::{connect, invalidate_token};
pub use connection::{Connection, Leftover};
pub use error::{Attempt, AttemptError, CertificateProblem, ConnectError, ConnectPhase};
pub use event::{CloseReason, Closed, Event};
pub use hickory::SystemResolver;
pub use host_resolver::{HostResolver, ResolveStarter};
pub use reply::Reply;
pub use resolver::{AddressFuture, ResolveError, Resolver, SrvFuture, SrvRecord};
pub use sender::{CloseStyle, Held, SendError, Sender};
pub use tls::{CertificateQuery, CertificateVerifier, ClientTls, KeyPin, TrustError, TrustRoots};

#[cfg(test)]
mod tests;
