//! What a running connection reports.

#[cfg(doc)]
use super::{Connection, Sender};
use crate::Element;
use crate::stream::{
    HandledCountTooHigh, LostStream, ResumableState, StanzaSeq, StreamError, StreamResumption,
};
use crate::xml::{DecodeError, InnerLimit};

/// What happened on the connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A stanza came.
    Stanza {
        /// For [`Sender::durable_up_to`] and [`Sender::settle`].
        seq: StanzaSeq,
        /// The stanza.
        element: Element,
    },
    /// A stanza came that broke a limit of [`crate::limits::XmlLimits`]; its content is lost.
    Oversized {
        /// For [`Sender::durable_up_to`] and [`Sender::settle`].
        seq: StanzaSeq,
        /// Name and attributes.
        shell: Element,
        /// Which limit.
        limit: InnerLimit,
    },
    /// The server has these stanzas, named as in [`Sender::send`], in that order.
    Acked {
        /// Tokens; stanzas without token are left out.
        tokens: Vec<u64>,
    },
    /// The end. [`Connection::next_event`] repeats it.
    Closed(Box<Closed>),
}

/// How a connection ended and what is left of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Closed {
    /// Why.
    pub reason: CloseReason,
    /// What a resumption needs; `None` if the server offered none or the stream was ended.
    pub resumption: Option<StreamResumption>,
    /// The same as a value for [`super::ConnectConfig::resume`].
    pub lost: Option<LostStream>,
    /// Counters and unacknowledged stanzas, if XEP-0198 ran.
    pub state: Option<ResumableState>,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// [`Sender::close`].
    #[error("closed by us")]
    Requested,
    /// The server ended the stream.
    #[error("closed by the server")]
    ByServer,
    /// The server ended the stream with an error.
    #[error(transparent)]
    StreamError(StreamError),
    /// TCP or TLS broke, or the server vanished.
    #[error("connection lost: {0}")]
    Lost(String),
    /// The server did not answer in time ([`Sender::probe`]): the network behind the socket is gone.
    #[error("the server does not answer")]
    Silent,
    /// The server sent something that cannot be read on.
    #[error("invalid XML: {0}")]
    Malformed(DecodeError),
    /// The server acknowledged what was never sent.
    #[error(transparent)]
    HandledCountTooHigh(HandledCountTooHigh),
    /// An acknowledgement without a readable count.
    #[error("acknowledgement without a count")]
    BadAck,
    /// A place in the order of stanzas was taken ([`Sender::hold`]) and given up.
    #[error("a stanza that had its number was not sent")]
    Abandoned,
    /// The write gate said no: another process holds the account now.
    #[error("the account belongs to another process now")]
    Fenced,
}
