//! Whether anybody is there.

use std::time::Instant;

use super::*;
use crate::limits::WAKE_PROBE;

const QUICK: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_server_that_is_there_answers_past_what_waits() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        assert!(
            peer.element().await.is("r", ns::SM),
            "the held stanza waits"
        );
        peer.send("<a xmlns='urn:xmpp:sm:3' h='0'/>").await;
        assert!(peer.element().await.is("message", ns::CLIENT));
        peer
    })
    .await;
    let connection = connected(&authority, port).await;
    let sender = connection.sender();
    let held = soon(sender.hold(&text(1), None)).await.unwrap();
    let took = soon(sender.probe(WAKE_PROBE)).await.unwrap();
    assert!(took < WAKE_PROBE, "{took:?}");
    held.release().unwrap();
    soon(server).await.unwrap();
}

#[tokio::test]
async fn a_half_open_connection_ends_at_the_deadline_and_can_be_resumed() {
    let authority = Authority::new();
    // Accepts, and then neither says nor hears anything; the connection stays open.
    let (port, server) = serve_session(&authority, |peer| async move { peer }).await;
    let mut connection = connected(&authority, port).await;
    let _peer = soon(server).await.unwrap();
    let sender = connection.sender();
    soon(sender.send(&text(1), Some(7))).await.unwrap();
    let began = Instant::now();
    let (probed, end) = tokio::join!(sender.probe(WAKE_PROBE), closed(&mut connection));
    let took = began.elapsed();
    assert_eq!(probed, Err(SendError::Closed));
    assert_eq!(end.reason, CloseReason::Silent);
    assert!(took >= WAKE_PROBE && took < 2 * WAKE_PROBE, "{took:?}");
    let lost = end.lost.unwrap();
    assert_eq!((lost.record.id.as_str(), lost.unacked.len()), ("s1", 1));
}

#[tokio::test]
async fn a_socket_that_takes_no_bytes_ends_at_the_deadline_too() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |peer| async move { peer }).await;
    let mut connection = connected(&authority, port).await;
    let _peer = soon(server).await.unwrap();
    let sender = connection.sender();
    // More than the socket's buffers hold: the writer is stuck in the middle of a stanza.
    let filling = tokio::spawn(async move {
        let body = "x".repeat(9000);
        let to = eft_types::Jid::new("friend@c.example").unwrap();
        let body = vec![message::body(&body)];
        let stanza = message::build(&to, message::MessageKind::Chat, "1", body);
        while sender.send(&stanza, None).await.is_ok() {}
    });
    tokio::time::sleep(QUICK).await;
    let sender = connection.sender();
    let (probed, end) = tokio::join!(sender.probe(QUICK), closed(&mut connection));
    assert_eq!(probed, Err(SendError::Closed));
    assert_eq!(end.reason, CloseReason::Silent);
    soon(filling).await.unwrap();
}

#[tokio::test]
async fn what_came_before_the_question_is_no_answer() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        // On the way when the process froze: stanzas, a question, acknowledgements that nobody asked for.
        peer.send("<message id='1'/><r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='0'/>")
            .await;
        peer
    })
    .await;
    let mut connection = connected(&authority, port).await;
    let _peer = soon(server).await.unwrap();
    let sender = connection.sender();
    stanza(&mut connection).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (probed, end) = tokio::join!(sender.probe(QUICK), closed(&mut connection));
    assert_eq!(
        (probed, end.reason),
        (Err(SendError::Closed), CloseReason::Silent)
    );
}

#[tokio::test]
async fn without_management_a_ping_is_the_question_and_the_client_does_not_see_it() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, server) = serve(|peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        peer.login_and_bind().await;
        let ping = peer.element().await;
        assert!(ping::is_ping(&ping), "{ping:?}");
        let id = ping.attr("id").unwrap();
        peer.send(&format!(
            "<iq type='error' id='{id}'/><iq type='result' id='other'/>"
        ))
        .await;
        peer
    })
    .await;
    let mut config = config(&authority, port, Transport::DirectTls);
    config.login.stream_management = false;
    let mut connection = soon(connect_with(&config)).await.unwrap();
    let sender = connection.sender();
    soon(sender.probe(WAKE_PROBE)).await.unwrap();
    assert_eq!(stanza(&mut connection).await.1.attr("id"), Some("other"));
    soon(server).await.unwrap();
}

#[tokio::test]
async fn time_in_which_nobody_takes_events_does_not_count() {
    let authority = Authority::new();
    let count = crate::limits::EVENT_QUEUE + 10;
    let (port, server) = serve_session(&authority, move |mut peer| async move {
        peer.send(&"<message id='1'/>".repeat(count)).await;
        assert!(peer.element().await.is("r", ns::SM));
        peer.send("<a xmlns='urn:xmpp:sm:3' h='0'/>").await;
        peer
    })
    .await;
    let mut connection = connected(&authority, port).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let sender = connection.sender();
    let probing = tokio::spawn(async move { sender.probe(QUICK).await });
    tokio::time::sleep(3 * QUICK).await;
    for _ in 0..count {
        stanza(&mut connection).await;
    }
    soon(probing).await.unwrap().unwrap();
    soon(server).await.unwrap();
}
