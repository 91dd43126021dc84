//! The messages of both protocols as bytes. Pure: nothing here knows a secret.

mod key_exchange;
mod proto;
mod ratchet_message;

pub(crate) use key_exchange::{Incoming, KeyExchange};
#[cfg(test)]
pub(crate) use proto::Value;
pub(crate) use proto::{Reader, Writer};
pub(crate) use ratchet_message::RatchetMessage;
