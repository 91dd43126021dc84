//! The self-test of pushes, with nothing but what every server has that pushes.
//!
//! ```text
//!   server: push for us? ─► app server: there? ─► a message to this very device, which stays unacknowledged
//!     ─► hang up, stream left open ─► the server pushes for what was not acknowledged ─► handle_push, here or in an extension
//! ```

mod message;

use std::time::Duration;

use eft_types::Timestamp;
use eft_xmpp::Element;
use eft_xmpp::xep::disco;
use eft_xmpp::xep::stanza_error::{DefinedCondition, ErrorType, StanzaError};
use tokio::time::Instant;

use super::job::{self, Finding};
use super::link::Phase;
use super::request::{Question, RequestError};
use super::{Pump, stanza};
use crate::clock;
use crate::command::Reply;
use crate::error::Error;
use crate::push::{PushHealth, PushRecord};
use crate::push_test::{PushLeg, PushObstacle, PushTest};

/// How long the app server may take to show that it is there.
const APP_SERVER_PATIENCE: Duration = Duration::from_secs(5);

/// How long the account's server may take to bring a message back to where it came from.
const ECHO_PATIENCE: Duration = Duration::from_secs(10);

/// How often is looked whether another process was woken.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A test that runs.
pub(super) struct PushTesting {
    replies: Vec<Reply<PushTest>>,
    within: Duration,
    stage: Stage,
    /// Why the app server cannot be reached, if the account's server says so.
    unreachable: Option<String>,
}

enum Stage {
    /// The servers are being asked.
    Asking,
    /// The message is on its way to us.
    Sent { id: String, deadline: Instant },
    /// It is here, unacknowledged: time to hang up.
    Returned,
    /// Nothing is heard of us.
    Asleep {
        since: Instant,
        asked_at: Timestamp,
        deadline: Instant,
    },
}

/// What the servers say before.
pub(crate) struct Asked {
    /// Whether the account's server agreed to push.
    pub(crate) enabled: Result<(), RequestError>,
    /// Why the app's cannot be reached.
    pub(crate) unreachable: Option<String>,
}

impl Pump {
    /// `Account::test_push`. Who asks while one runs gets its result.
    pub(super) fn test_push(&mut self, within: Duration, reply: Reply<PushTest>) {
        if let Some(test) = self.push_test.as_mut() {
            test.replies.push(reply);
            return;
        }
        match self.begin_push_test() {
            Ok(None) => {
                self.push_test = Some(PushTesting {
                    replies: vec![reply],
                    within,
                    stage: Stage::Asking,
                    unreachable: None,
                });
            }
            Ok(Some(obstacle)) => drop(reply.send(Ok(PushTest::NotPossible { obstacle }))),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    fn begin_push_test(&mut self) -> Result<Option<PushObstacle>, Error> {
        let Some(record) = self.push_record()? else {
            return Ok(Some(PushObstacle::NotRegistered));
        };
        // A wake hangs up by itself.
        let link = match &self.link {
            Some(link) if link.phase == Phase::Online && self.waking.is_none() => link,
            _ => return Err(Error::offline("not connected")),
        };
        if link.on_disk.is_none() {
            return Ok(Some(PushObstacle::NoResumption));
        }
        let requester = link.requester.clone();
        self.jobs.spawn(async move {
            // Servers that were refused often enough by the app's forget that they were to push.
            let enabled = job::enable_push(&requester, &record.target).await;
            let service = Question::get(Some(record.target.service), disco::info_request(None));
            let asked = tokio::time::timeout(APP_SERVER_PATIENCE, requester.ask(service)).await;
            let unreachable = match asked {
                Ok(Err(RequestError::Refused(refusal))) => unreachable(&refusal),
                // One that answers no questions may take pushes all the same.
                _ => None,
            };
            Finding::PushTestAsked(Asked {
                enabled,
                unreachable,
            })
        });
        Ok(None)
    }

    /// The servers have answered.
    pub(super) fn handle_push_test_asked(&mut self, asked: Asked) -> Result<(), Error> {
        let refused = match &asked.enabled {
            Ok(()) => None,
            Err(RequestError::Refused(refusal)) => Some(refusal.to_string()),
            Err(error) => {
                let error = Error::offline(error.to_string());
                self.give_up_push_test(&error);
                return Ok(());
            }
        };
        self.handle_push_enabled(asked.enabled)?;
        if let Some(reason) = refused {
            self.end_push_test(PushTest::NotPossible {
                obstacle: PushObstacle::Refused { reason },
            });
            return Ok(());
        }
        let Some(record) = self.push_record()? else {
            self.end_push_test(PushTest::NotPossible {
                obstacle: PushObstacle::NotRegistered,
            });
            return Ok(());
        };
        self.keep_push(Some(&record.awaited()))?;
        let id = stanza::new_id(&mut self.rng);
        let (Some(test), Some(link)) = (self.push_test.as_mut(), self.link.as_mut()) else {
            return Ok(());
        };
        link.send(message::request(&link.session().full_jid, &id), None);
        test.unreachable = asked.unreachable;
        test.stage = Stage::Sent {
            id,
            deadline: Instant::now() + ECHO_PATIENCE,
        };
        Ok(())
    }

    /// Whether this is the message that brings a push about, which is for nobody. The second answer: whether it has to stay
    /// unacknowledged.
    pub(super) fn takes_push_test(&mut self, element: &Element) -> (bool, bool) {
        if !message::is_request(element, &self.own.jid) {
            return (false, false);
        }
        if let Some(test) = self.push_test.as_mut()
            && let Stage::Sent { id, deadline } = &mut test.stage
            && element.attr("id") == Some(id)
        {
            if element.attr("type") == Some("error") {
                // The server does not deliver it: there is no use in waiting.
                *deadline = Instant::now();
                return (true, false);
            }
            test.stage = Stage::Returned;
            return (true, true);
        }
        (true, false)
    }

    /// Whether it is time for [`Pump::await_push`]: not while another push is being worked through.
    pub(super) fn is_push_test_returned(&self) -> bool {
        let is_returned = |test: &PushTesting| matches!(test.stage, Stage::Returned);
        self.waking.is_none() && self.push_test.as_ref().is_some_and(is_returned)
    }

    /// Hangs up like an app that sleeps, so that the server pushes, and lets another process have the account: an extension
    /// may be the one that is woken.
    pub(super) async fn await_push(&mut self) {
        self.retry_at = None;
        self.hang_up().await;
        self.holding.release();
        if let Some(test) = self.push_test.as_mut() {
            let now = Instant::now();
            test.stage = Stage::Asleep {
                since: now,
                asked_at: clock::now(),
                deadline: now + test.within,
            };
        }
    }

    /// Whether no connection may be made now: the server would have no reason to push.
    pub(super) fn is_awaiting_push(&self) -> bool {
        self.push_test
            .as_ref()
            .is_some_and(|test| matches!(test.stage, Stage::Asleep { .. }))
    }

    /// When [`Pump::look_for_push`] has something to do.
    pub(super) fn push_test_at(&self) -> Option<Instant> {
        match self.push_test.as_ref()?.stage {
            Stage::Asking => None,
            Stage::Returned => Some(Instant::now() + LOOK_AGAIN),
            Stage::Sent { deadline, .. } => Some(deadline),
            Stage::Asleep { deadline, .. } => Some(deadline.min(Instant::now() + LOOK_AGAIN)),
        }
    }

    /// Whether another process was woken, or the time is over.
    pub(super) fn look_for_push(&mut self) -> Result<(), Error> {
        let Some(test) = &self.push_test else {
            return Ok(());
        };
        let now = Instant::now();
        match test.stage {
            Stage::Sent { deadline, .. } if deadline <= now => {
                self.miss_push(PushLeg::Server);
                Ok(())
            }
            Stage::Asleep {
                deadline, asked_at, ..
            } => {
                let unreachable = test.unreachable.clone();
                let record = self.push_record()?;
                if record.is_some_and(|record| record.came_since(asked_at)) {
                    self.note_awaited_push();
                } else if deadline <= now {
                    let leg = match unreachable {
                        Some(reason) => PushLeg::ServerToAppServer { reason },
                        None => PushLeg::AppServerToPhone,
                    };
                    self.miss_push(leg);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A push came.
    pub(super) fn note_awaited_push(&mut self) {
        if let Some(test) = &self.push_test
            && let Stage::Asleep { since, .. } = test.stage
        {
            self.end_push_test(PushTest::Arrived {
                after: since.elapsed(),
            });
        }
    }

    /// The test cannot go on: the connection ended, or the app wants it otherwise.
    pub(super) fn give_up_push_test(&mut self, error: &Error) {
        if let Some(test) = self.push_test.take() {
            for reply in test.replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }

    /// The connection ended before its time.
    pub(super) fn push_test_lost_link(&mut self, error: &Error) {
        if !self.is_awaiting_push() {
            self.give_up_push_test(error);
        }
    }

    /// Nothing came. It is noted before the caller hears of it, who may ask how pushes stand.
    fn miss_push(&mut self, leg: PushLeg) {
        let noted = self
            .hold_account()
            .and_then(|()| self.forget_awaited_push());
        if let Err(error) = noted {
            // Another process has the account. The caller has waited long enough all the same.
            tracing::warn!(%error, "a push that did not come was not noted");
        }
        self.end_push_test(PushTest::Missed { leg });
    }

    fn end_push_test(&mut self, result: PushTest) {
        let Some(test) = self.push_test.take() else {
            return;
        };
        for reply in test.replies {
            let _ = reply.send(Ok(result.clone()));
        }
        // What the app wanted before. Nothing happens where there is a connection.
        self.begin_connecting();
    }

    fn forget_awaited_push(&mut self) -> Result<(), Error> {
        match self.push_record()? {
            Some(record) => self.keep_push(Some(&record.failed())),
            None => Ok(()),
        }
    }
}

impl PushRecord {
    /// Whether a push came since then.
    fn came_since(&self, then: Timestamp) -> bool {
        matches!(self.health(), PushHealth::Proven { at } if at >= then) && !self.is_awaited()
    }
}

/// What the account's server says in the app server's name, if it is that.
fn unreachable(refusal: &StanzaError) -> Option<String> {
    let is_remote = matches!(
        refusal.condition.0,
        DefinedCondition::RemoteServerNotFound | DefinedCondition::RemoteServerTimeout
    );
    // A component that is not connected: RFC 6120 §8.3.3.19 has no better word.
    (is_remote || refusal.kind == ErrorType::Wait).then(|| refusal.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_server_that_says_no_is_there() {
        let refusal = |kind, condition: &str| {
            let error = format!(
                "<iq xmlns='jabber:client' type='error'><error type='{kind}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
            );
            unreachable(&StanzaError::parse(&error.parse().unwrap()))
        };
        let told = |text: &str| Some(text.to_owned());
        assert_eq!(
            refusal("cancel", "remote-server-not-found"),
            told("remote-server-not-found")
        );
        assert_eq!(
            refusal("wait", "remote-server-timeout"),
            told("remote-server-timeout")
        );
        assert_eq!(
            refusal("wait", "service-unavailable"),
            told("service-unavailable")
        );
        assert_eq!(refusal("cancel", "service-unavailable"), None);
        assert_eq!(refusal("cancel", "feature-not-implemented"), None);
    }
}
