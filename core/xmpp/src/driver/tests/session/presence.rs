//! Whether somebody looks at the app.

use super::*;
use crate::stream::ClientState;

const OFFER: &str = "<stream:features><csi xmlns='urn:xmpp:csi:0'/></stream:features>";

#[tokio::test]
async fn the_state_is_told_when_it_changes_and_only_where_it_is_wanted() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        assert!(
            peer.element().await.is("message", ns::CLIENT),
            "not offered yet"
        );
        peer.send(OFFER).await;
        assert!(
            peer.element().await.is("inactive", ns::CSI),
            "as was wished before"
        );
        assert!(
            peer.element().await.is("message", ns::CLIENT),
            "and not again"
        );
        assert!(peer.element().await.is("active", ns::CSI));
        peer
    })
    .await;
    let mut config = config(&authority, port, Transport::DirectTls);
    config.login.client_state = Some(ClientState::Inactive);
    config.ack_policy.delay_millis = 100_000;
    let connection = soon(connect_with(&config)).await.unwrap();
    let sender = connection.sender();
    sender.set_client_state(ClientState::Inactive);
    soon(sender.send(&text(1), None)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    sender.set_client_state(ClientState::Inactive);
    soon(sender.send(&text(2), None)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    sender.set_client_state(ClientState::Active);
    soon(server).await.unwrap();
}
