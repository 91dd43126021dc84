//! XMPP over WebSocket (RFC 6455, RFC 7395), as the stream of bytes that all else is written for.
//!
//! ```text
//!  <stream:stream> <a/> <b/>  ──► outgoing: one message per element ──► frame: masked ──► TLS
//!  <stream:stream> <a/> <b/>  ◄── incoming: <open/> becomes a header ◄── frame        ◄── TLS
//! ```
//!
//! Content is passed on as it arrives and never held, so that the bounds of the decoder are the bounds here, too.

mod frame;
mod handshake;
mod incoming;
mod outgoing;
mod stream;

pub(super) use handshake::{Nonces, handshake};
pub(super) use stream::WebSocketStream;
