//! A running connection.

mod acks;
mod flow;
mod presence;
mod probe;

use std::sync::atomic::{AtomicBool, Ordering};

use super::server::{Authority, serve, serve_session};
use super::*;
use crate::limits::MAX_UNACKED;
use crate::stream::{HandledCountTooHigh, StanzaSeq};
use crate::xep::{iq, message, ping};
use crate::xml::{DecodeError, Frame, InnerLimit};
use crate::{Element, ns};

fn text(id: u64) -> Element {
    let to = eft_types::Jid::new("friend@c.example").unwrap();
    message::build(
        &to,
        message::MessageKind::Chat,
        &id.to_string(),
        vec![message::body("hi")],
    )
}

async fn connected(authority: &Authority, port: u16) -> Connection {
    soon(connect_with(&config(authority, port, Transport::DirectTls)))
        .await
        .unwrap()
}

async fn stanza(connection: &mut Connection) -> (StanzaSeq, Element) {
    match soon(connection.next_event()).await {
        Event::Stanza { seq, element } => (seq, element),
        other => panic!("{other:?}"),
    }
}

async fn closed(connection: &mut Connection) -> Closed {
    match soon(connection.next_event()).await {
        Event::Closed(closed) => *closed,
        other => panic!("{other:?}"),
    }
}

fn h(element: &Element) -> Option<&str> {
    assert!(element.is("a", ns::SM), "{element:?}");
    element.attr("h")
}
