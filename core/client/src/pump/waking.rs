//! A push came: connect, catch up, say what the user is to be told, and hang up, all before a deadline.

use std::time::Duration;

use eft_xmpp::stream::ClientState;
use eft_xmpp::xep::presence;
use tokio::time::Instant;

use super::link::Phase;
use super::{Pump, stanza};
use crate::command::Reply;
use crate::config::ConnectOptions;
use crate::error::Error;
use crate::translate::read;
use crate::wake::{NOTIFICATIONS_MAX, WakeOutcome, WakeReason};

/// What is kept of the time for the last commit, the acknowledgement and the answer.
const RESERVE: Duration = Duration::from_millis(500);

/// A wake in progress.
pub(super) struct Waking {
    options: ConnectOptions,
    /// Everybody who waits for it: a second push in the meantime is the same wake.
    replies: Vec<Reply<WakeOutcome>>,
    deadline: Instant,
    /// Whether everything that the server had for us is on disk.
    is_caught_up: bool,
    /// Why the last attempt to connect failed.
    last_error: Option<Error>,
}

impl Waking {
    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }
}

impl Pump {
    /// A push came.
    pub(super) fn begin_wake(
        &mut self,
        options: ConnectOptions,
        within: Duration,
        reply: Reply<WakeOutcome>,
    ) {
        let deadline = Instant::now() + within.saturating_sub(RESERVE);
        if let Some(waking) = self.waking.as_mut() {
            waking.deadline = waking.deadline.min(deadline);
            waking.replies.push(reply);
            return;
        }
        match self.hold_account() {
            Ok(()) => {
                if let Err(error) = self.note_push() {
                    let _ = reply.send(Err(error));
                    return;
                }
            }
            // Whoever has the account shows what comes.
            Err(Error::StoreLocked) => {
                let _ = reply.send(Ok(WakeOutcome::aside()));
                return;
            }
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        }
        self.waking = Some(Waking {
            options,
            replies: vec![reply],
            deadline,
            is_caught_up: false,
            last_error: None,
        });
        match &self.link {
            Some(link) if link.phase == Phase::Online && link.catch_up.is_at_rest() => {
                // Behind this, nothing is held back.
                link.sender().set_client_state(ClientState::Active);
                self.flush();
            }
            // It says so itself when it is done.
            Some(_) => {}
            None => {
                self.retry_at = None;
                self.begin_connecting();
            }
        }
    }

    /// How the server is reached, for the app or for a wake.
    pub(super) fn options(&self) -> Option<ConnectOptions> {
        let waking = self.waking.as_ref().map(|waking| &waking.options);
        self.wanted.as_ref().or(waking).cloned()
    }

    /// Whether nobody but a wake wants a connection: then only what it needs is asked on it.
    pub(super) const fn is_wake_only(&self) -> bool {
        self.waking.is_some() && self.wanted.is_none()
    }

    /// In which state a connection begins (XEP-0352). A server that kept a stream may hold back what it has for an app
    /// that nobody looked at.
    pub(super) const fn first_client_state(&self, resumes: bool) -> ClientState {
        match self.is_wake_only() {
            true if resumes => ClientState::Active,
            true => ClientState::Inactive,
            false => self.client_state,
        }
    }

    /// A wake needs no contact list and asks nothing about what was published: straight to the archive.
    pub(super) fn begin_bare_session(&mut self) -> Result<(), Error> {
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        link.phase = Phase::Publishing;
        link.send(presence::available(&stanza::caps(), None, 0), None);
        self.enable_push(None)?;
        self.begin_catch_up()
    }

    /// Everything that the server had is on disk.
    pub(super) fn note_caught_up(&mut self) {
        if let Some(waking) = self.waking.as_mut() {
            waking.is_caught_up = true;
        }
    }

    /// An attempt of a wake to connect failed.
    pub(super) fn note_wake_failed(&mut self, error: &Error) {
        if let Some(waking) = self.waking.as_mut() {
            waking.last_error = Some(error.clone());
        }
    }

    /// Whether the wake is over, and why.
    pub(super) fn wake_result(&self) -> Option<WakeReason> {
        let waking = self.waking.as_ref()?;
        if Instant::now() >= waking.deadline {
            let failed = waking.last_error.clone().map(WakeReason::Failed);
            return Some(failed.unwrap_or(WakeReason::Deadline));
        }
        match &self.link {
            Some(link) => {
                let is_idle = link.in_flight.is_empty() && self.jobs.is_empty();
                let is_done = waking.is_caught_up && link.phase == Phase::Online && is_idle;
                is_done.then_some(WakeReason::CaughtUp)
            }
            // No other attempt is coming.
            None if !self.is_connecting && self.retry_at.is_none() => {
                let error = waking.last_error.clone();
                Some(WakeReason::Failed(
                    error.unwrap_or_else(|| Error::offline("no connection")),
                ))
            }
            None => None,
        }
    }

    /// Hangs up, unless the app wants the connection, and answers.
    pub(super) async fn end_wake(&mut self, reason: WakeReason) {
        let Some(waking) = self.waking.take() else {
            return;
        };
        if self.wanted.is_none() {
            self.retry_at = None;
            self.hang_up().await;
        } else if let Some(link) = &self.link {
            link.sender().set_client_state(self.client_state);
        }
        let outcome = self.wake_outcome(reason);
        for reply in waking.replies {
            let _ = reply.send(outcome.clone());
        }
    }

    fn wake_outcome(&self, reason: WakeReason) -> Result<WakeOutcome, Error> {
        let mut rows = self.store.announcements(None, NOTIFICATIONS_MAX + 1)?;
        let more = rows.len() > NOTIFICATIONS_MAX;
        rows.truncate(NOTIFICATIONS_MAX);
        let is_complete =
            matches!(reason, WakeReason::CaughtUp) && self.store.actions()?.is_empty() && !more;
        Ok(WakeOutcome {
            notifications: rows.into_iter().map(read::message).collect(),
            more,
            badge: self.store.unread_count()?,
            complete: is_complete,
            reason,
        })
    }
}
