//! A unit of work is committed, and then told of (law 1).

use std::collections::BTreeSet;
use std::sync::Arc;

use eft_store::{Durability, Insertion, Store};
use eft_types::DeviceAddress;
use eft_xmpp::stream::ClientState;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::time::Instant;

use super::Pump;
use super::inbound::Receiving;
use super::pending::{Pending, Retry};
use super::probing::IDLE;
use crate::clock;
use crate::devices;
use crate::error::Error;
use crate::event::{ConnectionState, Event};
use crate::translate::read;
use crate::unit::{Done, Notice, Unit};

impl Pump {
    /// Runs something as one unit of work, commits it, and tells what happened.
    pub(super) fn commit<T>(
        &mut self,
        work: impl FnOnce(&mut Unit<'_>, &mut StdRng) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let store = Arc::clone(&self.store);
        let mut unit = Unit::begin(&store, clock::now());
        let value = work(&mut unit, &mut self.rng)?;
        let done = unit.commit(Durability::Full)?;
        self.tell(&done)?;
        Ok(value)
    }

    /// Tells the app what a commit did (law 1: not before).
    pub(super) fn tell(&mut self, done: &Done) -> Result<(), Error> {
        if let Some(link) = self.link.as_mut() {
            for key in &done.added_actions {
                link.actions_due = true;
                if link.actions_begun.contains(key) {
                    link.actions_again.insert(key.clone());
                }
            }
        }
        let mut has_news = false;
        // Told at one go: who listens is woken once.
        for (insertion, new) in done.news() {
            has_news = true;
            let message = match (insertion, new) {
                (Insertion::Inserted(id), Some(new)) => read::new_message(id, new),
                _ => match self.store.message(insertion.id())? {
                    Some(row) => read::message(row),
                    None => continue,
                },
            };
            self.send_event(Event::MessageReceived(message));
        }
        if has_news {
            self.index_due_at = Some(Instant::now() + IDLE);
        }
        for id in done.committed.updated() {
            if let Some(row) = self.store.message(*id)? {
                self.send_event(Event::MessageChanged(read::message(row)));
            }
        }
        for notice in &done.notices {
            match notice {
                Notice::Inserted(_) => {}
                Notice::DeviceAppeared(address) => {
                    let device = devices::one(&self.store, &self.own, address)?;
                    self.send_event(Event::DeviceAppeared { device });
                }
                Notice::DeviceVanished(address) => self.send_event(Event::DeviceVanished {
                    jid: address.jid.clone(),
                    device: address.device.as_u32(),
                }),
                Notice::DeviceDowngraded(address) => self.send_event(Event::DeviceDowngraded {
                    jid: address.jid.clone(),
                    device: address.device.as_u32(),
                }),
                Notice::OptedOut(peer) => {
                    let conversation = self.store.conversation(peer)?;
                    if let Some(opt_out) = conversation.and_then(|found| found.opt_out) {
                        self.send_event(Event::OptedOut {
                            jid: peer.clone(),
                            opt_out,
                        });
                    }
                }
                Notice::IdentityChanged(address) => self.send_event(Event::IdentityChanged {
                    jid: address.jid.clone(),
                    device: address.device.as_u32(),
                }),
            }
        }
        Ok(())
    }

    /// Begins a unit of work that takes in messages.
    pub(super) fn begin_receiving<'s>(&mut self, store: &'s Store) -> Result<Unit<'s>, Error> {
        let mut unit = Unit::begin(store, clock::now());
        unit.waiting_room = self.pending.room();
        unit.announces = self.announces();
        let link = self.link.as_mut();
        if let Some(remembered) = link.and_then(|link| link.remembered.take()) {
            unit.remember(remembered)?;
        }
        Ok(unit)
    }

    /// Commits what such a unit took in.
    pub(super) fn commit_received(
        &mut self,
        unit: Unit<'_>,
        durability: Durability,
    ) -> Result<Done, Error> {
        match self.link.as_mut() {
            Some(link) if !link.catch_up.is_at_rest() => {
                let (done, remembered) = unit.commit_and_remember(durability)?;
                link.remembered = remembered;
                Ok(done)
            }
            _ => unit.commit(durability),
        }
    }

    /// Messages were taken in: tells of them, and tries what waited for them.
    pub(super) fn received(&mut self, done: &Done, context: Receiving) -> Result<(), Error> {
        self.tell(done)?;
        self.pending.note(done);
        self.retry_pending(&done.moved, context)
    }

    /// Tries what waits of these devices again.
    pub(super) fn retry_pending(
        &mut self,
        devices: &BTreeSet<DeviceAddress>,
        context: Receiving,
    ) -> Result<(), Error> {
        self.with_pending(|retry, pending, tell| retry.run(pending, devices, context, tell))
    }

    /// A last try for everything that waits: no archive has anything more.
    pub(super) fn end_pending(&mut self) -> Result<(), Error> {
        let devices = self.pending.devices();
        self.retry_pending(&devices, Receiving::Live)?;
        if self.pending.devices().is_empty() {
            return Ok(());
        }
        self.with_pending(|retry, pending, tell| retry.give_up(pending, tell))
    }

    fn with_pending(
        &mut self,
        work: impl FnOnce(
            &mut Retry<'_>,
            &mut Pending,
            &mut dyn FnMut(&Done) -> Result<(), Error>,
        ) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let store = Arc::clone(&self.store);
        let own = self.own.clone();
        let mut rng = StdRng::from_rng(&mut self.rng);
        let mut pending = core::mem::take(&mut self.pending);
        let mut retry = Retry {
            store: &store,
            own: &own,
            now: clock::now(),
            rng: &mut rng,
            announces: self.announces(),
        };
        let result = work(&mut retry, &mut pending, &mut |done| self.tell(done));
        self.pending = pending;
        result
    }

    /// Whether the user has to be told of what comes: nobody looks at the app.
    pub(super) fn announces(&self) -> bool {
        self.wanted.is_none() || self.client_state == ClientState::Inactive
    }

    /// Nobody listening is no error.
    pub(super) fn send_event(&self, event: Event) {
        if let Event::ConnectionChanged(state) = &event {
            self.standing.send_modify(|standing| {
                standing.connection = state.clone();
                standing.is_filling &= matches!(state, ConnectionState::Online);
            });
        }
        let _ = self.events.send(event);
    }
}
