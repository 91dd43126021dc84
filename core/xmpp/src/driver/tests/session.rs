//! A running connection.

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

#[tokio::test]
async fn the_server_hears_only_of_what_is_durable() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        peer.send("<message id='1'/><presence/><message id='3'/><r xmlns='urn:xmpp:sm:3'/>")
            .await;
        assert_eq!(h(&peer.element().await), Some("0"), "nothing is durable");
        peer.send("<message id='4'/>").await;
        // Unasked, as soon as all that was asked about is durable.
        assert_eq!(h(&peer.element().await), Some("3"));
        peer.send("<r xmlns='urn:xmpp:sm:3'/>").await;
        assert_eq!(h(&peer.element().await), Some("3"));
        // The last word, and said once.
        assert_eq!(h(&peer.element().await), Some("4"));
        assert_eq!(peer.next().await, None, "no </stream:stream>");
    })
    .await;
    let mut connection = connected(&authority, port).await;
    let sender = connection.sender();
    let mut seqs = Vec::new();
    for _ in 0..4 {
        seqs.push(stanza(&mut connection).await.0);
    }
    sender.settle(seqs[1]).unwrap();
    sender.durable_up_to(seqs[0]).unwrap();
    sender.durable_up_to(seqs[2]).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    sender.durable_up_to(seqs[3]).unwrap();
    soon(sender.close(CloseStyle::LeaveOpen)).await.unwrap();
    let end = closed(&mut connection).await;
    assert_eq!(end.reason, CloseReason::Requested);
    assert_eq!(end.resumption.unwrap().id.as_deref(), Some("s1"));
    assert_eq!(end.state.unwrap().handled, 4);
    soon(server).await.unwrap();
}

#[tokio::test]
async fn an_ended_stream_says_so_and_cannot_be_resumed() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        assert!(peer.element().await.is("iq", ns::CLIENT));
        peer.send("<message/>").await;
        assert_eq!(h(&peer.element().await), Some("1"));
        assert_eq!(peer.next().await, Some(Frame::Close));
    })
    .await;
    let mut connection = connected(&authority, port).await;
    let sender = connection.sender();
    soon(sender.send(&iq::get("1", None, ping::ping()), None))
        .await
        .unwrap();
    let (seq, _) = stanza(&mut connection).await;
    sender.durable_up_to(seq).unwrap();
    soon(sender.close(CloseStyle::EndStream)).await.unwrap();
    let end = closed(&mut connection).await;
    assert_eq!((end.reason, end.resumption), (CloseReason::Requested, None));
    soon(server).await.unwrap();
}

#[tokio::test]
async fn acknowledged_stanzas_are_reported_by_token_in_order() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        for id in 1..=3u64 {
            assert_eq!(
                peer.element().await.attr("id"),
                Some(id.to_string().as_str())
            );
        }
        // Asked for by time: three stanzas are fewer than the policy's count.
        assert!(peer.element().await.is("r", ns::SM));
        peer.send("<a xmlns='urn:xmpp:sm:3' h='2'/>").await;
        assert!(peer.element().await.is("r", ns::SM), "asked for by hand");
        peer.send("<a xmlns='urn:xmpp:sm:3' h='3'/>").await;
        peer
    })
    .await;
    let mut connection = connected(&authority, port).await;
    let sender = connection.sender();
    soon(sender.send(&text(1), Some(10))).await.unwrap();
    soon(sender.send(&text(2), None)).await.unwrap();
    soon(sender.send(&text(3), Some(30))).await.unwrap();
    assert_eq!(
        soon(connection.next_event()).await,
        Event::Acked { tokens: vec![10] }
    );
    assert_eq!(sender.unacked_count(), 1);
    sender.request_ack();
    assert_eq!(
        soon(connection.next_event()).await,
        Event::Acked { tokens: vec![30] }
    );
    assert_eq!(sender.unacked_count(), 0);
    soon(server).await.unwrap();
}

#[tokio::test]
async fn too_high_a_count_ends_the_stream_with_the_reason() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        peer.element().await;
        peer.send("<a xmlns='urn:xmpp:sm:3' h='5'/>").await;
        loop {
            match peer.next().await {
                Some(Frame::Element(element)) if element.is("error", ns::STREAM) => break element,
                Some(Frame::Element(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
    let mut connection = connected(&authority, port).await;
    soon(connection.sender().send(&text(1), Some(1)))
        .await
        .unwrap();
    let end = closed(&mut connection).await;
    assert_eq!(
        end.reason,
        CloseReason::HandledCountTooHigh(HandledCountTooHigh {
            h: 5,
            send_count: 1
        })
    );
    let error = soon(server).await.unwrap();
    let detail = error.get_child("handled-count-too-high", ns::SM).unwrap();
    assert_eq!(
        (detail.attr("h"), detail.attr("send-count")),
        (Some("5"), Some("1"))
    );
}

#[tokio::test]
async fn a_server_that_vanishes_leaves_what_a_resumption_needs() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        peer.send("<message id='1'/>").await;
        peer.element().await;
    })
    .await;
    let mut connection = connected(&authority, port).await;
    let sender = connection.sender();
    let (seq, _) = stanza(&mut connection).await;
    sender.durable_up_to(seq).unwrap();
    soon(sender.send(&text(1), Some(7))).await.unwrap();
    soon(server).await.unwrap();
    let end = closed(&mut connection).await;
    assert!(matches!(end.reason, CloseReason::Lost(_)), "{end:?}");
    let state = end.state.clone().unwrap();
    assert_eq!((state.handled, state.acked, state.unacked.len()), (1, 0, 1));
    assert_eq!(state.unacked[0].token, Some(7));
    assert!(state.unacked[0].text.contains("<body>hi</body>"));
    assert_eq!(end.resumption.as_ref().unwrap().max_seconds, Some(600));

    // And it stays over, for everybody.
    assert_eq!(closed(&mut connection).await, end);
    assert_eq!(
        soon(sender.send(&text(2), None)).await,
        Err(SendError::Closed)
    );
    assert_eq!(
        soon(sender.close(CloseStyle::EndStream)).await,
        Err(SendError::Closed)
    );
}

#[tokio::test]
async fn the_end_of_the_stream_comes_with_its_reason() {
    let authority = Authority::new();
    let conflict = "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Replaced</text></stream:error>";
    for (content, is_resumable) in [
        ("</stream:stream>", false),
        (conflict, false),
        ("<a></b>", true),
        ("<a xmlns='urn:xmpp:sm:3' h='x'/>", true),
    ] {
        let (port, _server) = serve_session(&authority, move |mut peer| async move {
            peer.send(content).await;
            while peer.next().await.is_some() {}
        })
        .await;
        let mut connection = connected(&authority, port).await;
        let end = closed(&mut connection).await;
        match (content, &end.reason) {
            ("</stream:stream>", CloseReason::ByServer)
            | ("<a></b>", CloseReason::Malformed(DecodeError::Malformed(_)))
            | ("<a xmlns='urn:xmpp:sm:3' h='x'/>", CloseReason::BadAck) => {}
            (_, CloseReason::StreamError(error)) => {
                assert_eq!(
                    (error.condition.as_str(), error.text.as_deref()),
                    ("conflict", Some("Replaced"))
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(end.resumption.is_some(), is_resumable, "{content}");
    }
}

#[tokio::test]
async fn a_slow_client_loses_nothing_and_can_still_send() {
    const COUNT: u64 = 2000;
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        let all: String = (0..COUNT)
            .map(|id| {
                format!(
                    "<message id='{id}'><body>{}</body></message>",
                    "x".repeat(500)
                )
            })
            .collect();
        peer.send(&all[..all.len() / 2]).await;
        assert_eq!(
            peer.element().await.attr("id"),
            Some("1"),
            "the client still sends"
        );
        peer.send(&all[all.len() / 2..]).await;
        peer
    })
    .await;
    let mut connection = connected(&authority, port).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    soon(connection.sender().send(&text(1), None))
        .await
        .unwrap();
    for id in 0..COUNT {
        let (seq, element) = stanza(&mut connection).await;
        assert_eq!(seq.as_u64(), id + 1);
        assert_eq!(element.attr("id"), Some(id.to_string().as_str()));
    }
    soon(server).await.unwrap();
}

#[tokio::test]
async fn a_cancelled_wait_loses_no_event() {
    let authority = Authority::new();
    let (port, _server) = serve_session(&authority, |mut peer| async move {
        for id in 0..50 {
            tokio::time::sleep(Duration::from_millis(3)).await;
            peer.send(&format!("<message id='{id}'/>")).await;
        }
        peer
    })
    .await;
    let mut connection = connected(&authority, port).await;
    let mut ids = Vec::new();
    while ids.len() < 50 {
        let next = tokio::time::timeout(Duration::from_millis(1), connection.next_event());
        match next.await {
            Ok(Event::Stanza { element, .. }) => ids.push(element.attr("id").unwrap().to_owned()),
            Ok(other) => panic!("{other:?}"),
            Err(_) => {}
        }
    }
    assert_eq!(
        ids,
        (0..50).map(|id: u32| id.to_string()).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_server_that_never_acknowledges_stops_the_sender_until_it_does() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        let mut stanzas = 0;
        let quiet = Duration::from_millis(1500);
        while let Ok(Some(Frame::Element(element))) = tokio::time::timeout(quiet, peer.next()).await
        {
            stanzas += usize::from(element.is("message", ns::CLIENT));
        }
        assert_eq!(stanzas, MAX_UNACKED);
        peer.send(&format!("<a xmlns='urn:xmpp:sm:3' h='{stanzas}'/>"))
            .await;
        while stanzas < MAX_UNACKED + 100 {
            stanzas += usize::from(peer.element().await.is("message", ns::CLIENT));
        }
        peer
    })
    .await;
    let connection = connected(&authority, port).await;
    let sender = connection.sender();
    let sending = tokio::spawn(async move {
        for id in 0..(MAX_UNACKED as u64 + 100) {
            sender.send(&text(id), None).await.unwrap();
        }
    });
    soon(server).await.unwrap();
    soon(sending).await.unwrap();
}

#[tokio::test]
async fn what_the_server_would_not_take_is_not_sent() {
    let authority = Authority::new();
    let (port, server) =
        serve_session(&authority, |mut peer| async move { peer.element().await }).await;
    let connection = connected(&authority, port).await;
    let sender = connection.sender();
    let to = eft_types::Jid::new("friend@c.example").unwrap();
    let long = message::build(
        &to,
        message::MessageKind::Chat,
        "1",
        vec![message::body(&"x".repeat(10_000))],
    );
    assert!(matches!(
        sender.send(&long, None).await,
        Err(SendError::TooLarge {
            max_bytes: 10_000,
            ..
        })
    ));
    let control = message::build(
        &to,
        message::MessageKind::Chat,
        "1",
        vec![message::body("\u{1}")],
    );
    assert!(matches!(
        sender.send(&control, None).await,
        Err(SendError::Encode(_))
    ));
    soon(sender.send(&text(5), None)).await.unwrap();
    assert_eq!(soon(server).await.unwrap().attr("id"), Some("5"));
}

#[tokio::test]
async fn a_gate_that_closes_ends_the_connection_before_the_next_byte() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        assert_eq!(peer.element().await.attr("id"), Some("1"));
        peer.next().await
    })
    .await;
    let is_open = Arc::new(AtomicBool::new(true));
    let gate = Arc::clone(&is_open);
    let mut config = config(&authority, port, Transport::DirectTls);
    config.write_gate = Some(Arc::new(move || gate.load(Ordering::Relaxed)));
    config.ack_policy.delay_millis = 60_000;
    let mut connection = soon(connect_with(&config)).await.unwrap();
    let sender = connection.sender();
    soon(sender.send(&text(1), None)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    is_open.store(false, Ordering::Relaxed);
    soon(sender.send(&text(2), None)).await.unwrap();
    assert_eq!(closed(&mut connection).await.reason, CloseReason::Fenced);
    assert_eq!(soon(server).await.unwrap(), None);
}

#[tokio::test]
async fn a_dropped_connection_goes_without_a_word() {
    let authority = Authority::new();
    let (port, server) =
        serve_session(&authority, |mut peer| async move { peer.next().await }).await;
    let connection = connected(&authority, port).await;
    let sender = connection.sender();
    drop(connection);
    assert_eq!(soon(server).await.unwrap(), None);
    assert_eq!(
        soon(sender.send(&text(1), None)).await,
        Err(SendError::Closed)
    );
}

#[tokio::test]
async fn stanzas_before_enabled_come_first_and_are_not_counted() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        peer.open(super::server::MECHANISMS).await;
        peer.authenticate().await;
        peer.open(super::server::BIND).await;
        peer.bind().await;
        peer.element().await;
        peer.send("<message id='early'/><enabled xmlns='urn:xmpp:sm:3'/><message id='first'/><r xmlns='urn:xmpp:sm:3'/>").await;
        let mut counts = Vec::new();
        while counts.last().map(String::as_str) != Some("1") {
            counts.push(h(&peer.element().await).unwrap().to_owned());
        }
    })
    .await;
    let mut connection = connected(&authority, port).await;
    assert!(connection.session().early.is_empty());
    let (early_seq, early) = stanza(&mut connection).await;
    let (seq, first) = stanza(&mut connection).await;
    assert_eq!(
        (early.attr("id"), first.attr("id")),
        (Some("early"), Some("first"))
    );
    assert_eq!((early_seq, seq.as_u64()), (StanzaSeq::UNCOUNTED, 1));
    connection.sender().durable_up_to(early_seq).unwrap();
    connection.sender().durable_up_to(seq).unwrap();
    soon(server).await.unwrap();
}

#[tokio::test]
async fn an_oversized_stanza_is_counted_and_named() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        let deep = "<x>".repeat(20) + &"</x>".repeat(20);
        peer.send(&format!(
            "<message id='deep' from='evil@c.example'>{deep}</message><message id='next'/>"
        ))
        .await;
        peer
    })
    .await;
    let mut config = config(&authority, port, Transport::DirectTls);
    config.xml_limits.depth = 10;
    let mut connection = soon(connect_with(&config)).await.unwrap();
    let Event::Oversized { seq, shell, limit } = soon(connection.next_event()).await else {
        panic!();
    };
    assert_eq!(
        (seq.as_u64(), shell.attr("from"), limit),
        (1, Some("evil@c.example"), InnerLimit::Depth)
    );
    assert_eq!(stanza(&mut connection).await.0.as_u64(), 2);
    soon(server).await.unwrap();
}

#[tokio::test]
async fn silence_grows_until_the_server_speaks() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        peer.send(" ").await;
        peer
    })
    .await;
    let connection = connected(&authority, port).await;
    let sender = connection.sender();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = sender.silence();
    assert!(before >= Duration::from_millis(150), "{before:?}");
    let _peer = soon(server).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        sender.silence() < Duration::from_millis(150),
        "a keepalive counts"
    );
}

#[tokio::test]
async fn forgotten_numbers_are_refused() {
    let authority = Authority::new();
    let (port, _server) = serve_session(&authority, |peer| async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        drop(peer);
    })
    .await;
    let connection = connected(&authority, port).await;
    let mut other = crate::stream::InboundCounter::default();
    let seq = other.receive();
    assert!(connection.sender().durable_up_to(seq).is_err());
    assert!(connection.sender().settle(seq).is_err());
}
