//! What a new process needs to resume a stream (XEP-0198).

use super::Opaque;

/// The stream that can be resumed.
///
/// `handled_inbound` may lag behind what was handled, never lead (law 2: what is acked is durable).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// The server's id for resumption (`<enabled id=''/>`). Whoever has it and the credential can
    /// take the stream over: treat it as a secret.
    pub resume_id: Opaque,
    /// Stanzas received and durable: `h` of our next `<a/>` or `<resume/>`. Wraps at 2³².
    pub handled_inbound: u32,
    /// Stanzas that the server acked: the outbox entry with the next sequence number is the first
    /// to be sent again. Wraps at 2³².
    pub acked_outbound: u32,
    /// Location, limits, features: encoded by the caller.
    pub details: Opaque,
}
