//! What the engine asked for: rows of the store, carried out when the connection allows and removed
//! when done. All of them may be done twice without harm.

use eft_omemo::{
    Action, EncryptError, RecordKey, RecordKind, Version, bundle, device_list, encrypt_empty,
    has_session, own_device_list,
};
use eft_store::{ConversationEncryption, NewOutboxEntry, OutboxContent};
use eft_types::{BareJid, DeviceAddress, OriginId};

use super::job::{self, Finding};
use super::link::{Link, Phase};
use super::request::RequestError;
use super::{Pump, stanza};
use crate::error::Error;
use crate::unit::Unit;

/// How often our device list is published on one connection. Another client that keeps throwing us
/// off the list would otherwise be answered for ever; the next connection tries again.
const LIST_REPAIRS_MAX: u32 = 10;

impl Pump {
    /// Begins what can be begun now.
    pub(super) fn advance_actions(&mut self) -> Result<(), Error> {
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        if !link.actions_due || link.phase == Phase::SettingUp {
            return Ok(());
        }
        link.actions_due = false;
        for action in self.store.actions()? {
            let key = action.key();
            let Some(link) = self.link.as_mut() else {
                return Ok(());
            };
            if link.actions_begun.contains(&key) || !is_due(&action, link.catch_up.is_done()) {
                continue;
            }
            link.actions_begun.insert(key.clone());
            if self.may_be_told(&action)? {
                self.begin_action(action, key)?;
            } else {
                self.forget_action(&key)?;
            }
        }
        Ok(())
    }

    /// Whether the account that an action goes to may learn of it that we are there: it is ours, a
    /// contact, or we have written to it. A stranger who writes gets no answer by itself; when the user
    /// answers, that message does what an empty one would have done.
    fn may_be_told(&self, action: &Action) -> Result<bool, Error> {
        let jid = match action {
            Action::PublishBundle { .. } | Action::PublishDeviceList { .. } => return Ok(true),
            Action::SendEmpty { to, .. } | Action::BuildSession { to, .. } => &to.jid,
            Action::FetchBundle { address, .. } => &address.jid,
            Action::RefreshDeviceList { jid, .. } => jid,
        };
        let is_contact = |link: &Link| link.is_contact(jid);
        if *jid == self.own.jid || self.link.as_ref().is_some_and(is_contact) {
            return Ok(true);
        }
        let conversation = self.store.conversation(jid)?;
        Ok(conversation.is_some_and(|found| found.encryption != ConversationEncryption::Undecided))
    }

    fn begin_action(&mut self, action: Action, key: Vec<u8>) -> Result<(), Error> {
        match action {
            Action::PublishBundle { version } => self.publish_bundle(version, key),
            Action::PublishDeviceList { version } => self.publish_list(version, key),
            Action::SendEmpty { to, version, .. } => self.send_empty(&to, version, &key),
            Action::BuildSession { to, version }
            | Action::FetchBundle {
                address: to,
                version,
            } => {
                self.request_bundle(&to, version);
                Ok(())
            }
            Action::RefreshDeviceList { jid, version } => {
                if let Some(link) = self.link.as_mut() {
                    link.lists.is_stale(&jid, version);
                }
                self.ensure_lists(&jid);
                self.forget_action(&key)
            }
        }
    }

    fn publish_bundle(&mut self, version: Version, action: Vec<u8>) -> Result<(), Error> {
        let own = self.own.device;
        let bundle = self.commit(|unit, _| unit.sure_step(|records| bundle(records, version)))?;
        if let Some(link) = &self.link {
            let requester = link.requester.clone();
            self.jobs.spawn(async move {
                let result = job::publish_bundle(&requester, own, bundle).await;
                Finding::Published { action, result }
            });
        }
        Ok(())
    }

    fn publish_list(&mut self, version: Version, action: Vec<u8>) -> Result<(), Error> {
        if let Some(link) = self.link.as_mut() {
            link.list_repair_count += 1;
            if link.list_repair_count > LIST_REPAIRS_MAX {
                tracing::warn!("somebody keeps removing this device from its account's list");
                return self.forget_action(&action);
            }
        }
        let list =
            self.commit(|unit, _| unit.sure_step(|records| own_device_list(records, version)))?;
        if let Some(link) = &self.link {
            let requester = link.requester.clone();
            self.jobs.spawn(async move {
                let result = job::publish_list(&requester, version, list).await;
                Finding::Published { action, result }
            });
        }
        Ok(())
    }

    /// An empty message: the ratchet step, the bytes and the end of the action are one commit.
    fn send_empty(
        &mut self,
        to: &DeviceAddress,
        version: Version,
        action: &[u8],
    ) -> Result<(), Error> {
        self.commit(|unit, rng| {
            let encrypted = unit.step(|records| encrypt_empty(records, to, version, rng))?;
            match encrypted {
                Ok(encrypted) => {
                    unit.apply(encrypted.changes);
                    let id = OriginId::new(stanza::new_id(rng));
                    let element = stanza::empty_message(&to.jid, &id, encrypted.message);
                    unit.batch.enqueue(NewOutboxEntry {
                        content: OutboxContent::Control,
                        stanza: Some(stanza::to_bytes(&element)?),
                        to: Some(to.jid.clone()),
                        queued: unit.now,
                    });
                }
                // The session is gone meanwhile; then there is nothing to answer.
                Err(EncryptError::NoSession(_) | EncryptError::ChainExhausted(_)) => {}
                Err(error) => return Err(Error::bug(error.to_string())),
            }
            unit.batch.remove_action(action);
            Ok(())
        })?;
        if let Some(link) = self.link.as_mut() {
            link.actions_begun.remove(action);
        }
        Ok(())
    }

    /// A bundle or a list was published, or not.
    pub(super) fn handle_published(
        &mut self,
        action: &[u8],
        result: Result<(), RequestError>,
    ) -> Result<(), Error> {
        match result {
            Ok(()) => {
                let Some(link) = self.link.as_mut() else {
                    return Ok(());
                };
                // What was published may be old already: then the row stays.
                if link.actions_again.remove(action) {
                    link.actions_begun.remove(action);
                    link.actions_due = true;
                    return Ok(());
                }
                self.forget_action(action)
            }
            // The row stays: the next connection tries again.
            Err(error) => {
                tracing::warn!(%error, "publishing failed");
                if self
                    .link
                    .as_ref()
                    .is_some_and(|link| link.phase != Phase::Online)
                {
                    self.drop_link(publish_error(&error));
                }
                Ok(())
            }
        }
    }

    /// A bundle for which actions may have waited came, or did not. The actions end either way:
    /// whoever needs the session next asks again.
    pub(super) fn bundle_actions_done(
        &mut self,
        address: &DeviceAddress,
        version: Version,
        usable: bool,
    ) -> Result<(), Error> {
        let build = Action::BuildSession {
            to: address.clone(),
            version,
        };
        let fetch = Action::FetchBundle {
            address: address.clone(),
            version,
        };
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        let was_building = link.actions_begun.remove(&build.key());
        let was_fetching = link.actions_begun.remove(&fetch.key());
        if !was_building && !was_fetching {
            return Ok(());
        }
        self.commit(|unit, _| {
            unit.batch.remove_action(&build.key());
            unit.batch.remove_action(&fetch.key());
            // XEP-0384 §6: the new session is told to the device by an empty message.
            if was_building
                && usable
                && unit.sure_step(|records| has_session(records, address, version))?
            {
                unit.add_action(Action::SendEmpty {
                    to: address.clone(),
                    version,
                    reason: eft_omemo::EmptyReason::NewSession,
                });
            }
            Ok(())
        })
    }

    /// `Account::reset_sessions`: what the engine asks for when a device without a session writes,
    /// asked for by the user. A device that is on no list any more is left out.
    pub(super) fn reset_sessions(&mut self, with: Option<&BareJid>) -> Result<usize, Error> {
        let prefix = with.map(RecordKey::jid_prefix).unwrap_or_default();
        let sessions = self.store.scan(RecordKind::Session, &prefix)?;
        self.commit(|unit, _| {
            let mut count = 0;
            for (key, _) in sessions {
                let RecordKey::Session { address, version } = key else {
                    continue;
                };
                count += usize::from(ask_for_session(unit, address, version)?);
            }
            Ok(count)
        })
    }

    /// An action is done.
    fn forget_action(&mut self, key: &[u8]) -> Result<(), Error> {
        self.commit(|unit, _| {
            unit.batch.remove_action(key);
            Ok(())
        })?;
        if let Some(link) = self.link.as_mut() {
            link.actions_begun.remove(key);
        }
        Ok(())
    }

    /// Whether nothing of ours waits to be published.
    pub(super) fn is_published(&self) -> Result<bool, Error> {
        Ok(!self.store.actions()?.iter().any(|action| {
            matches!(
                action,
                Action::PublishBundle { .. } | Action::PublishDeviceList { .. }
            )
        }))
    }
}

/// Asks for a new session with a device, if its owner still lists it. Whether that is so.
pub(super) fn ask_for_session(
    unit: &mut Unit<'_>,
    device: DeviceAddress,
    version: Version,
) -> Result<bool, Error> {
    let list = unit.sure_step(|records| device_list(records, &device.jid, version))?;
    let is_listed = list.is_some_and(|list| list.contains(device.device));
    if is_listed {
        unit.add_action(Action::BuildSession {
            to: device,
            version,
        });
    }
    Ok(is_listed)
}

/// Whether an action may be begun. Nothing is answered in the middle of a catch-up: one answer at
/// its end serves all (XEP-0384 §6), and what came in between may have made it needless.
const fn is_due(action: &Action, caught_up: bool) -> bool {
    match action {
        Action::PublishDeviceList { .. } | Action::PublishBundle { .. } => true,
        Action::SendEmpty { .. }
        | Action::BuildSession { .. }
        | Action::FetchBundle { .. }
        | Action::RefreshDeviceList { .. } => caught_up,
    }
}

/// Why an account cannot be used for OMEMO: its server does not let it publish.
fn publish_error(error: &RequestError) -> Error {
    match error {
        RequestError::Refused(refusal) => Error::ServerTooOld {
            feature: format!("PEP as OMEMO needs it (XEP-0163): {refusal}"),
        },
        other => Error::offline(other.to_string()),
    }
}
