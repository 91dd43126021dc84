//! What the handles ask for.

use std::sync::Arc;

use eft_store::{
    ConversationRef, DeliveryState, Durability, NewMessage, NewOutboxEntry, OutboxContent,
};
use eft_types::{BareJid, MessageId, OriginId};

use super::link::{Link, Phase};
use super::older::{Answerable, Wish};
use super::{Pump, decisions, delivery, stanza};
use crate::clock;
use crate::command::{Command, Reply};
use crate::error::Error;
use crate::unit::Unit;

/// Whether the thread goes on.
pub(super) enum Flow {
    Continue,
    /// Close the account, then answer.
    Stop(Reply<()>),
}

impl Pump {
    pub(super) async fn handle_command(&mut self, command: Command) -> Flow {
        if command.writes()
            && let Err(error) = self.hold_account()
        {
            command.refuse(error);
            return Flow::Continue;
        }
        match command {
            Command::Connect { options, reply } => self.wish_connection(options, reply),
            Command::Disconnect { reply } => {
                self.disconnect().await;
                let _ = reply.send(Ok(()));
            }
            Command::Send { peer, text, reply } => {
                let _ = reply.send(self.queue_text(peer, text));
            }
            Command::KeepEncrypted { peer, reply } => {
                let result = self.commit(|unit, _| {
                    let conversation = ConversationRef::direct(peer);
                    unit.batch.set_opt_out(conversation, None, unit.now);
                    Ok(())
                });
                let _ = reply.send(result);
            }
            Command::SeparateVersions {
                peer,
                separate,
                reply,
            } => {
                let result = self.commit(|unit, _| {
                    let conversation = ConversationRef::direct(peer);
                    unit.batch
                        .set_separate_versions(conversation, separate, unit.now);
                    Ok(())
                });
                let _ = reply.send(result);
            }
            Command::Resend {
                peer,
                message,
                reply,
            } => {
                let _ = reply.send(self.queue_again(peer, message));
            }
            Command::AcceptLegacy { device, reply } => {
                let result = self.commit(|unit, _| decisions::accept_legacy(unit, device));
                let _ = reply.send(result);
                self.after_command();
            }
            Command::AcceptDowngrade { reply } => {
                let result = self
                    .login()
                    .and_then(|login| self.keep_login(login.without_pins().encode()));
                let _ = reply.send(result);
            }
            Command::SetPassword { password, reply } => {
                let result = self
                    .login()
                    .and_then(|login| self.keep_login(login.with_password(password).encode()));
                let _ = reply.send(result);
            }
            Command::SetTrust {
                jid,
                fingerprint,
                level,
                reply,
            } => {
                let result =
                    self.commit(|unit, _| decisions::set_trust(unit, &jid, fingerprint, level));
                let _ = reply.send(result);
            }
            Command::ResetSessions { with, reply } => {
                let _ = reply.send(self.reset_sessions(with.as_ref()));
            }
            Command::Contacts { reply } => {
                let known = self
                    .link
                    .as_ref()
                    .filter(|link| link.phase == Phase::Online)
                    .and_then(|link| link.contacts.as_ref());
                let _ = reply.send(match known {
                    Some(contacts) => Ok(contacts.to_vec()),
                    None => Err(Error::offline("not connected")),
                });
            }
            Command::RefreshDevices { jid, reply } => self.refresh_devices(&jid, reply),
            Command::Suspend { reply } => {
                let result = self.suspend().await;
                let _ = reply.send(result);
            }
            Command::Resume { reply } => {
                let _ = reply.send(self.resume());
            }
            Command::LoadOlder { peer, limit, reply } => {
                let reply = Answerable::new(reply);
                self.load_older(Wish { peer, limit, reply });
            }
            Command::PauseCatchUp { is_paused, reply } => {
                let _ = reply.send(self.pause_catch_up(is_paused));
            }
            Command::SetActive { active } => self.set_active(active),
            Command::NetworkChanged => self.network_changed(),
            Command::Session { reply } => {
                let _ = reply.send(Ok(self.link.as_ref().map(Link::info)));
            }
            Command::LookAtServer { reply } => self.look_at_server(reply),
            Command::Report { reply } => {
                let _ = reply.send(Ok(self.report()));
            }
            Command::MarkRead { peer, up_to, reply } => {
                let _ = reply.send(self.mark_read(peer, up_to));
            }
            Command::Collect { reply } => {
                if reply.is_none() && !self.holding.is_held() {
                    return Flow::Continue;
                }
                let result = self.collect_intake();
                self.after_command();
                if let Some(reply) = reply {
                    let _ = reply.send(result);
                }
            }
            Command::HandlePush {
                options,
                within,
                reply,
            } => self.begin_wake(options, within, reply),
            Command::RegisterPush { target, reply } => {
                let _ = reply.send(self.register_push(target));
            }
            Command::TestPush { within, reply } => self.test_push(within, reply),
            Command::UnregisterPush { reply } => self.unregister_push(reply),
            Command::Announced { messages, reply } => {
                let result = self.commit(|unit, _| {
                    for message in messages {
                        unit.batch.announced(message);
                    }
                    Ok(())
                });
                let _ = reply.send(result);
            }
            Command::Close { reply } => return Flow::Stop(reply),
        }
        Flow::Continue
    }

    /// Puts a text into the outbox: plaintext at rest in the encrypted database, encrypted for the
    /// wire only when the stream and the device lists are ready.
    fn queue_text(&mut self, peer: BareJid, text: String) -> Result<MessageId, Error> {
        self.refuse_opted_out(&peer)?;
        let origin_id = OriginId::new(stanza::new_id(&mut self.rng));
        let own = self.own.jid.clone();
        let store = Arc::clone(&self.store);
        let mut unit = Unit::begin(&store, clock::now());
        let message = unit.batch.insert_message(NewMessage::outgoing(
            ConversationRef::direct(peer.clone()),
            own.into(),
            origin_id,
            eft_store::Plaintext::text(text),
            unit.now,
        ));
        unit.batch.enqueue(NewOutboxEntry {
            content: OutboxContent::NewMessage(message),
            stanza: None,
            to: Some(peer),
            queued: unit.now,
        });
        let done = unit.commit(Durability::Full)?;
        let id = done
            .committed
            .message(message)
            .map(eft_store::Insertion::id)
            .ok_or_else(|| Error::bug("a queued message has no row"))?;
        self.after_command();
        Ok(id)
    }

    fn mark_read(&mut self, peer: BareJid, up_to: MessageId) -> Result<(), Error> {
        let row = self.store.message(up_to)?;
        if row.is_none_or(|row| row.conversation.peer != peer) {
            return Err(Error::invalid("no message of this conversation"));
        }
        self.commit(|unit, _| {
            unit.batch.mark_read(peer, up_to);
            Ok(())
        })
    }

    /// Puts a message that failed into the outbox once more, under the id that it has.
    fn queue_again(&mut self, peer: BareJid, message: MessageId) -> Result<(), Error> {
        let has_failed = self.store.message(message)?.is_some_and(|row| {
            row.conversation.peer == peer
                && matches!(row.delivery, Some(DeliveryState::Failed { .. }))
        });
        if !has_failed {
            return Err(Error::invalid("no failed message of this conversation"));
        }
        self.refuse_opted_out(&peer)?;
        self.commit(|unit, _| {
            unit.batch
                .update_message(message, delivery(DeliveryState::Queued));
            unit.batch.enqueue(NewOutboxEntry {
                content: OutboxContent::Message(message),
                stanza: None,
                to: Some(peer),
                queued: unit.now,
            });
            Ok(())
        })?;
        self.after_command();
        Ok(())
    }

    /// Nothing new is queued while an opt-out of the peer waits for the user's answer.
    fn refuse_opted_out(&self, peer: &BareJid) -> Result<(), Error> {
        if self.is_opted_out(peer)? {
            return Err(Error::OptedOut {
                peer: peer.to_string(),
            });
        }
        Ok(())
    }

    /// What a command left to be done is begun at once.
    fn after_command(&mut self) {
        if let Err(error) = self.advance() {
            self.drop_link(error);
        }
    }
}
