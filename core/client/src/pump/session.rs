//! What happens on a connection: its first questions, and one unit of work after the other.

use std::sync::Arc;

use eft_omemo::{Action, UnverifiedBundle, Version, bundle, maintain};
use eft_store::Durability;
use eft_types::DeviceAddress;
use eft_xmpp::Element;
use eft_xmpp::stream::StanzaSeq;
use eft_xmpp::xep::{ping, presence};
use tokio::time::Instant;

use super::freshness::Announced;
use super::inbound::Seen;
use super::job::{self, Finding, SetUp};
use super::link::{Answer, Asker, Effect, Kept, Phase};
use super::pending::Pending;
use super::request::{Question, RequestError};
use super::sorting::Sorted;
use super::{Pump, catch_up::CatchUp, lists, stanza};
use crate::clock;
use crate::contact::Contacts;
use crate::error::Error;
use crate::event::{CatchUpProgress, ConnectionState, Event};
use crate::report::ServerReport;
use crate::unit::Unit;

impl Pump {
    /// What a job found out.
    pub(super) fn handle_finding(&mut self, finding: Finding) -> Result<(), Error> {
        match finding {
            Finding::Connected(attempt) => {
                self.attempt_ended(*attempt);
                Ok(())
            }
            Finding::PushTestAsked(asked) => self.handle_push_test_asked(asked),
            Finding::PushEnabled(result) => self.handle_push_enabled(result),
            Finding::PushDisabled { result, reply } => {
                self.handle_push_disabled(result, reply);
                Ok(())
            }
            Finding::Looked { server, reply } => {
                self.server = Some(*server);
                let _ = reply.send(Ok(()));
                Ok(())
            }
            Finding::Probed(is_answered) => {
                self.handle_probed(is_answered);
                Ok(())
            }
            Finding::Contacts(Ok(contacts)) => {
                if let Some(link) = self.link.as_mut() {
                    link.contacts = Some(Contacts::new(contacts));
                }
                Ok(())
            }
            Finding::Contacts(Err(error)) => {
                self.drop_link(error.into());
                Ok(())
            }
            Finding::SetUp(Ok(set_up)) => self.take_set_up(set_up),
            Finding::SetUp(Err(error)) => {
                self.drop_link(Error::offline(format!(
                    "the session cannot be set up: {error}"
                )));
                Ok(())
            }
            Finding::List {
                jid,
                version,
                is_subscribed,
                result,
            } => {
                if is_subscribed && let Some(link) = self.link.as_mut() {
                    link.lists.subscribed(jid.clone(), version);
                }
                self.handle_list(jid, version, result)
            }
            Finding::Lists {
                jid,
                results,
                reply,
            } => self.handle_lists(&jid, results, reply),
            Finding::Bundle {
                address,
                version,
                result,
            } => self.handle_bundle(&address, version, result),
            Finding::Published { action, result } => self.handle_published(&action, result),
        }
    }

    /// The first answers are here: the own lists go to the engine, which says what to publish.
    fn take_set_up(&mut self, set_up: SetUp) -> Result<(), Error> {
        let own = self.own.jid.clone();
        let own_address = self.own.clone();
        self.commit(|unit, rng| {
            for (version, list) in set_up.own_lists {
                // An account without the node has an empty list: ours has to be put there.
                lists::apply_list(unit, &own, version, &list.unwrap_or_default())?;
            }
            for (version, published) in set_up.own_bundles {
                check_own_bundle(unit, &own_address, version, published)?;
            }
            let now = unit.now;
            for version in Version::ALL {
                let effects = unit.sure_step(|records| maintain(records, version, now, rng))?;
                unit.absorb(effects.changes, effects.actions, effects.events);
            }
            Ok(())
        })?;
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        link.contacts = Some(Contacts::new(set_up.contacts));
        for version in Version::ALL {
            // The server tells us of every change from here on (XEP-0163: own nodes need no
            // subscription).
            link.lists
                .received(own.clone(), version, Announced::Always, Instant::now());
        }
        link.phase = Phase::Publishing;
        link.actions_due = true;
        self.server = Some(ServerReport {
            has_archive: Some(set_up.has_archive),
            has_push: Some(set_up.has_push),
            ..ServerReport::new(clock::now())
        });
        link.send(presence::available(&stanza::caps(), None, 0), None);
        self.note_set_up()?;
        self.enable_push(Some(set_up.has_push))?;
        if set_up.has_archive {
            self.begin_catch_up()
        } else {
            self.end_catch_up(0)
        }
    }

    /// The stream goes on where it was: nothing has to be asked. What the server kept for us comes by itself, and stands
    /// before the answer to a ping.
    pub(super) fn go_on(&mut self, kept: Option<Kept>) -> Result<(), Error> {
        self.pending = Pending::load(&self.store, &self.own)?;
        let is_wake_only = self.is_wake_only();
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        link.phase = Phase::Publishing;
        link.catch_up = CatchUp::Done;
        link.is_current = true;
        match kept {
            Some(kept) => {
                link.contacts = kept.contacts;
                link.lists = kept.lists;
            }
            // A wake has no use for them.
            None if is_wake_only => {}
            None => {
                let requester = link.requester.clone();
                self.jobs
                    .spawn(async move { Finding::Contacts(job::contacts(&requester).await) });
            }
        }
        self.flush();
        Ok(())
    }

    /// Asks for a sign behind everything that the server has kept for us.
    pub(super) fn flush(&mut self) {
        if let Some(link) = self.link.as_mut() {
            let question = Question::get(None, ping::ping());
            link.ask(question, Asker::Flush, clock::now());
        }
    }

    /// Publishing done? Then the account is online.
    pub(super) fn advance_session(&mut self) -> Result<(), Error> {
        if self
            .link
            .as_ref()
            .is_none_or(|link| link.phase != Phase::Publishing)
            || !self.is_published()?
        {
            return Ok(());
        }
        if let Some(link) = self.link.as_mut() {
            link.phase = Phase::Online;
        }
        self.send_event(ConnectionState::Online.into());
        self.answer_waiting(&Ok(()));
        Ok(())
    }

    /// Takes stanzas in order as one unit of work: one commit, then the acknowledgements. Those that broke a limit are
    /// only acknowledged.
    pub(super) fn handle_stanzas(
        &mut self,
        stanzas: Vec<(StanzaSeq, Element)>,
        dropped: Vec<StanzaSeq>,
    ) -> Result<(), Error> {
        let store = Arc::clone(&self.store);
        let _reads = store.read_with_writer();
        let mut unit = self.begin_receiving(&store)?;
        let mut seen = Seen::default();
        let mut settled: Vec<_> = dropped.into_iter().map(|seq| (seq, false)).collect();
        let mut answers = Vec::new();
        for (seq, element) in stanzas {
            match self.sort(&mut unit, &mut seen, seq, element)? {
                Sorted::InUnit => settled.push((seq, true)),
                Sorted::Transient => settled.push((seq, false)),
                Sorted::Held(element) => {
                    if let Some(link) = self.link.as_mut() {
                        link.held.push_back((seq, element));
                    }
                }
                Sorted::InPage | Sorted::Unacknowledged => {}
                Sorted::Answer(answer) => {
                    settled.push((seq, false));
                    answers.push(answer);
                }
            }
        }
        let seqs: Vec<_> = settled.iter().map(|(seq, _)| *seq).collect();
        // A count alone need not wait for the disk.
        let durability = if unit.is_empty() {
            Durability::Deferred
        } else {
            Durability::Full
        };
        self.count_handled(&mut unit, &seqs);
        let done = self.commit_received(unit, durability)?;
        let receiving = self.receiving();
        self.received(&done, receiving)?;
        if let Some(link) = &self.link {
            for (seq, is_in_unit) in settled {
                let effect = if is_in_unit {
                    Effect::OnDisk(&done)
                } else {
                    Effect::None
                };
                link.settle(seq, effect);
            }
        }
        for answer in answers {
            self.handle_answer(answer)?;
        }
        self.take_part()
    }

    /// An answer that the pump itself asked for.
    pub(super) fn handle_answer(&mut self, answer: Answer) -> Result<(), Error> {
        match answer {
            Answer::ArchivePage { query_id, result } => self.handle_page(&query_id, result),
            Answer::OlderPage(result) => self.handle_older(result),
            Answer::Flushed(result) => {
                self.handle_flushed(&result);
                Ok(())
            }
        }
    }

    /// What the server kept is here, or it does not answer.
    fn handle_flushed(&mut self, result: &Result<Element, RequestError>) {
        match result {
            // A server that knows no pings has answered all the same.
            Ok(_) | Err(RequestError::Refused(_)) => {
                self.backoff.succeeded();
                self.note_caught_up();
                let complete = self
                    .link
                    .as_ref()
                    .is_some_and(|link| link.catch_up.is_done());
                self.send_event(Event::CatchUpProgressed(CatchUpProgress {
                    received_count: 0,
                    complete,
                    gap_is_open: !complete,
                    is_paused: !complete,
                }));
            }
            Err(error) => self.drop_link(Error::offline(error.to_string())),
        }
    }
}

/// A bundle that is not on the server, or is not ours, makes this device unreachable without a
/// word: it is published again.
fn check_own_bundle(
    unit: &mut Unit<'_>,
    own: &DeviceAddress,
    version: Version,
    published: Option<UnverifiedBundle>,
) -> Result<(), Error> {
    let ours = unit
        .sure_step(|records| bundle(records, version))?
        .into_unverified(own.clone());
    let is_ours = published.is_some_and(|published| {
        published.identity_key == ours.identity_key
            && published.signed_pre_key_id == ours.signed_pre_key_id
            && published.signed_pre_key == ours.signed_pre_key
            && published.signature == ours.signature
    });
    if !is_ours {
        unit.add_action(Action::PublishBundle { version });
    }
    Ok(())
}

/// Errors of the first questions that are worth another connection.
impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self::offline(error.to_string())
    }
}
