//! Acknowledgements, and how a stream ends.

use super::*;

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
