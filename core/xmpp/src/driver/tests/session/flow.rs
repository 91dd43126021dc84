//! What a slow, silent or careless side does to the other.

use super::*;

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
