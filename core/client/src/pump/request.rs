//! Asking the server or a contact something, from a job beside the pump.

use eft_types::Jid;
use eft_xmpp::Element;
use eft_xmpp::xep::stanza_error::{ErrorType, StanzaError};
use tokio::sync::{mpsc, oneshot};

use super::Pump;
use super::link::Phase;
use crate::error::Error;

/// What is asked of whom.
pub(crate) struct Question {
    /// Whom; `None` is the own account.
    pub(crate) to: Option<Jid>,
    /// Whether something is to be changed (`type='set'`).
    pub(crate) is_set: bool,
    /// The one child of the `<iq/>`.
    pub(crate) payload: Element,
}

impl Question {
    /// Asks for something.
    pub(crate) const fn get(to: Option<Jid>, payload: Element) -> Self {
        Self {
            to,
            is_set: false,
            payload,
        }
    }

    /// Asks to change something.
    pub(crate) const fn set(to: Option<Jid>, payload: Element) -> Self {
        Self {
            to,
            is_set: true,
            payload,
        }
    }
}

/// A request on its way to the pump.
pub(crate) struct Request {
    /// The question.
    pub(crate) question: Question,
    /// Where the answer goes.
    pub(crate) reply: oneshot::Sender<Result<Element, RequestError>>,
}

/// Why there is no answer, or a negative one.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// The entity asked refused.
    #[error("refused: {0}")]
    Refused(StanzaError),
    /// No answer in time.
    #[error("no answer")]
    Timeout,
    /// The connection ended first.
    #[error("the connection ended")]
    Ended,
    /// Too many requests wait already.
    #[error("too many requests")]
    TooMany,
    /// The answer is not what the specification says.
    #[error("the answer makes no sense: {0}")]
    Malformed(String),
}

impl RequestError {
    /// Whether asking again later would give the same: the entity asked said no, and did not say
    /// "wait" (RFC 6120 §8.3.2).
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Refused(error) => error.kind != ErrorType::Wait,
            Self::Timeout | Self::Ended | Self::TooMany | Self::Malformed(_) => false,
        }
    }

    /// Whether the thing asked for does not exist.
    pub(crate) fn is_item_not_found(&self) -> bool {
        matches!(self, Self::Refused(error) if error.is_item_not_found())
    }
}

/// Asks through the pump's connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Requester {
    requests: mpsc::UnboundedSender<Request>,
}

impl Pump {
    /// For what a caller wants to know now.
    ///
    /// # Errors
    /// [`Error::Offline`] unless the account is online.
    pub(super) fn online_requester(&self) -> Result<Requester, Error> {
        let link = self.link.as_ref();
        link.filter(|link| link.phase == Phase::Online)
            .map(|link| link.requester.clone())
            .ok_or_else(|| Error::offline("not connected"))
    }
}

impl Requester {
    pub(crate) const fn new(requests: mpsc::UnboundedSender<Request>) -> Self {
        Self { requests }
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(&self, question: Question) -> Result<Element, RequestError> {
        let (reply, answer) = oneshot::channel();
        self.requests
            .send(Request { question, reply })
            .map_err(|_| RequestError::Ended)?;
        answer.await.map_err(|_| RequestError::Ended)?
    }
}
