//! Stanzas that wait for their transaction.

use super::*;

#[tokio::test]
async fn a_held_stanza_keeps_its_place_and_its_number_until_it_is_on_disk() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        assert_eq!(peer.element().await.attr("id"), Some("1"));
        // While the second one waits, acknowledgements go on.
        peer.send("<r xmlns='urn:xmpp:sm:3'/>").await;
        let mut ids = Vec::new();
        let mut has_answered = false;
        while ids.len() < 2 {
            let element = peer.element().await;
            has_answered |= element.is("a", ns::SM) && ids.is_empty();
            ids.extend(element.attr("id").map(str::to_owned));
        }
        assert!(has_answered);
        assert_eq!(ids, ["2", "3"]);
        peer.send("<a xmlns='urn:xmpp:sm:3' h='2'/>").await;
        peer
    })
    .await;
    let config = config(&authority, port, Transport::DirectTls);
    let mut connection = soon(connect_with(&config)).await.unwrap();
    let sender = connection.sender();
    sender.send(&message("1"), Some(1)).await.unwrap();
    let held = sender.hold(&message("2"), Some(2)).await.unwrap();
    assert_eq!(held.number(), Some(2));
    assert_eq!(held.text(), "<message id='2'/>");
    assert!(!format!("{held:?}").contains("message"));
    sender.send(&message("3"), Some(3)).await.unwrap();
    // Time for the third to overtake, if it could.
    tokio::time::sleep(Duration::from_millis(200)).await;
    held.release().unwrap();
    assert_eq!(
        soon(connection.next_event()).await,
        Event::Acked { tokens: vec![1, 2] }
    );
    soon(server).await.unwrap();
}

#[tokio::test]
async fn a_place_that_is_given_up_ends_the_connection_and_keeps_the_stream() {
    let authority = Authority::new();
    let (port, server) =
        serve_session(&authority, |mut peer| async move { peer.next().await }).await;
    let config = config(&authority, port, Transport::DirectTls);
    let mut connection = soon(connect_with(&config)).await.unwrap();
    let sender = connection.sender();
    let held = sender.hold(&message("1"), Some(1)).await.unwrap();
    let _ = sender.send(&message("2"), Some(2)).await;
    drop(held);
    let end = closed(&mut connection).await;
    assert_eq!(end.reason, CloseReason::Abandoned);
    assert_eq!(end.lost.unwrap().record.id, "s1");
    assert_eq!(end.state.unwrap().unacked, []);
    assert_eq!(soon(server).await.unwrap(), None, "nothing of it was sent");
}
