//! Streams that go on, or do not.

use super::*;

#[tokio::test]
async fn a_warm_login_says_all_at_once_and_the_old_stream_goes_on() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        let answer = "<authorization-identifier>user@b.example</authorization-identifier>\
            <resumed xmlns='urn:xmpp:sm:3' previd='old' h='5'/>";
        let authenticate = peer.take_token(answer).await;
        let resume = authenticate.get_child("resume", ns::SM).unwrap();
        assert_eq!(
            (resume.attr("previd"), resume.attr("h")),
            (Some("old"), Some("3"))
        );
        // First what was lost, then what is new; and the count goes on.
        assert_eq!(peer.element().await.attr("id"), Some("m6"));
        assert_eq!(peer.element().await.attr("id"), Some("new"));
        peer.send("<message id='theirs'/><a xmlns='urn:xmpp:sm:3' h='7'/>")
            .await;
        peer
    })
    .await;
    let mut config = warm(&authority, port);
    resume(&mut config, Some(6));
    let mut connection = soon(connect_with(&config)).await.unwrap();
    let session = connection.session();
    assert_eq!(
        session.authentication,
        Authentication::Token(token().mechanism)
    );
    assert_eq!(session.full_jid.as_str(), "user@b.example/old");
    assert_eq!(session.resumption, Resumption::Resumed { h: 5 });
    assert_eq!(
        session.stream_management.as_ref().unwrap().max_seconds,
        Some(600)
    );
    connection
        .sender()
        .send(&message("new"), Some(70))
        .await
        .unwrap();
    assert_eq!(
        soon(connection.next_event()).await,
        Event::Acked { tokens: vec![5] }
    );
    let Event::Stanza { seq, .. } = soon(connection.next_event()).await else {
        panic!("no stanza");
    };
    connection.sender().durable_up_to(seq).unwrap();
    assert_eq!(
        soon(connection.next_event()).await,
        Event::Acked {
            tokens: vec![6, 70]
        }
    );
    connection
        .sender()
        .close(CloseStyle::LeaveOpen)
        .await
        .unwrap();
    let end = closed(&mut connection).await;
    let LostStream { record, sent, .. } = end.lost.unwrap();
    assert_eq!(sent, Some(7));
    assert_eq!(
        (record.id.as_str(), record.handled, record.acked),
        ("old", 4, 7)
    );
    soon(server).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_the_server_gave_up_leaves_what_it_did_not_have() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        peer.take_token(&format!("<failed xmlns='urn:xmpp:sm:3' h='5'/>{ENABLED}"))
            .await;
        assert_eq!(peer.element().await.attr("id"), Some("m6"));
        peer.send("<a xmlns='urn:xmpp:sm:3' h='1'/>").await;
        peer
    })
    .await;
    let mut config = warm(&authority, port);
    resume(&mut config, None);
    let mut connection = soon(connect_with(&config)).await.unwrap();
    assert_eq!(connection.session().full_jid.as_str(), "user@b.example/new");
    let leftover = connection.take_leftover();
    assert_eq!(leftover.acked, [5]);
    assert_eq!(leftover.unsent, [lost(6)]);
    assert_eq!(connection.take_leftover(), Leftover::default());
    connection
        .sender()
        .send_again(&leftover.unsent[0])
        .await
        .unwrap();
    assert_eq!(
        soon(connection.next_event()).await,
        Event::Acked { tokens: vec![6] }
    );
    soon(server).await.unwrap();
}

#[tokio::test]
async fn a_resumption_with_a_count_that_cannot_be_is_refused_where_all_is_known() {
    for (sent, is_error) in [(Some(6), true), (None, false)] {
        let authority = Authority::new();
        let acceptor = authority.acceptor();
        let (port, _server) = serve(move |peer| async move {
            let mut peer = peer.tls(acceptor).await.unwrap();
            let answer = "<authorization-identifier>user@b.example</authorization-identifier>\
                <resumed xmlns='urn:xmpp:sm:3' previd='old' h='90'/>";
            peer.take_token(answer).await;
            peer
        })
        .await;
        let mut config = warm(&authority, port);
        resume(&mut config, sent);
        let result = soon(connect_with(&config)).await;
        let expected = LoginError::HandledCountTooHigh(HandledCountTooHigh {
            h: 90,
            send_count: 6,
        });
        assert_eq!(
            result.err(),
            is_error.then_some(ConnectError::Login(expected))
        );
    }
}

#[tokio::test]
async fn the_client_state_is_told_again_on_a_resumed_stream() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        peer.take_token(
            "<authorization-identifier>user@b.example/old</authorization-identifier>\
             <resumed xmlns='urn:xmpp:sm:3' previd='old' h='6'/>",
        )
        .await;
        assert!(peer.element().await.is("inactive", ns::CSI));
        peer
    })
    .await;
    let mut config = warm(&authority, port);
    resume(&mut config, Some(6));
    config.login.client_state = Some(crate::stream::ClientState::Inactive);
    let connection = soon(connect_with(&config)).await.unwrap();
    assert!(matches!(
        connection.session().resumption,
        Resumption::Resumed { h: 6 }
    ));
    soon(server).await.unwrap();
}
