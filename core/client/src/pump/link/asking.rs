//! Requests on a connection, and who waits for their answers.

use std::time::Duration;

use eft_types::{Jid, Timestamp};
use eft_xmpp::Element;
use eft_xmpp::stream::TrackError;
use eft_xmpp::xep::iq;
use tokio::sync::oneshot;

use super::Link;
use crate::pump::request::{Question, RequestError};

/// How long an answer to a request may take. Long enough for a phone's slow cell, short enough that
/// a lost answer does not stop the outbox for minutes.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Who waits for the answer to a request.
pub(crate) enum Asker {
    /// A job.
    Job(oneshot::Sender<Result<Element, RequestError>>),
    /// Catch-up: a page of this archive query has ended.
    ArchivePage {
        /// Of the query.
        query_id: String,
    },
    /// A conversation's older history.
    OlderPage,
    /// Whoever waits for everything that the server has kept for us: it stands before the answer.
    Flush,
}

/// An answer that the pump itself waits for.
pub(crate) enum Answer {
    /// The end of an archive page.
    ArchivePage {
        /// Of the query.
        query_id: String,
        /// With `<fin/>`.
        result: Result<Element, RequestError>,
    },
    /// The end of a page of older history.
    OlderPage(Result<Element, RequestError>),
    /// What the server has kept is here.
    Flushed(Result<Element, RequestError>),
}

impl Link {
    /// Sends a question; `asker` gets the answer.
    pub(crate) fn ask(&mut self, question: Question, asker: Asker, now: Timestamp) {
        let Question {
            to,
            is_set,
            payload,
        } = question;
        self.ask_with(to.clone(), asker, now, |id| {
            if is_set {
                iq::set(id, to.as_ref(), payload)
            } else {
                iq::get(id, to.as_ref(), payload)
            }
        });
    }

    /// Sends a request that is built with a fresh id; `asker` gets the answer.
    pub(crate) fn ask_with(
        &mut self,
        to: Option<Jid>,
        asker: Asker,
        now: Timestamp,
        build: impl FnOnce(&str) -> Element,
    ) {
        self.next_id += 1;
        let id = format!("{}-{}", self.id_prefix, self.next_id);
        let iq = build(&id);
        let millis = i64::try_from(REQUEST_TIMEOUT.as_millis()).unwrap_or(i64::MAX);
        match self
            .iqs
            .track(&id, to, now.saturating_add_millis(millis), asker)
        {
            Ok(()) => self.send(iq, None),
            Err(TrackError::Full(asker) | TrackError::DuplicateId(asker)) => {
                // A job is told; catch-up asks for two pages at a time and cannot get here.
                if let Asker::Job(reply) = asker {
                    let _ = reply.send(Err(RequestError::TooMany));
                }
            }
        }
    }

    /// Takes a stanza that may answer a request. `None` if it does not.
    pub(crate) fn take_answer(&mut self, stanza: &Element) -> Option<Option<Answer>> {
        let answer = self.iqs.handle(stanza)?;
        self.is_proven = true;
        let result = answer.result.map_err(RequestError::Refused);
        Some(deliver(answer.token, result))
    }

    /// Gives up requests that were not answered in time.
    pub(crate) fn expire_requests(&mut self, now: Timestamp) -> Vec<Answer> {
        self.iqs
            .expire(now)
            .into_iter()
            .filter_map(|asker| deliver(asker, Err(RequestError::Timeout)))
            .collect()
    }

    /// When [`Link::expire_requests`] has something to do.
    pub(crate) fn request_deadline(&self) -> Option<Timestamp> {
        self.iqs.next_deadline()
    }
}

fn deliver(asker: Asker, result: Result<Element, RequestError>) -> Option<Answer> {
    match asker {
        Asker::Job(reply) => {
            let _ = reply.send(result);
            None
        }
        Asker::ArchivePage { query_id } => Some(Answer::ArchivePage { query_id, result }),
        Asker::OlderPage => Some(Answer::OlderPage(result)),
        Asker::Flush => Some(Answer::Flushed(result)),
    }
}
