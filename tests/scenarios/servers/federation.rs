//! Alice's account is on Prosody, Bob's on ejabberd: the two servers talk over TLS and trust certificates alone.

use std::time::Duration;

use eft::{Delivery, Encryption};
use eft_tests::{Ejabberd, Federation, Phone, Prosody};

#[tokio::test]
async fn people_on_two_servers_talk_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let federation = Federation::start().await.unwrap();
    let prosody = Prosody::builder()
        .host("a.test")
        .one_step_login()
        .federated(&federation);
    let ejabberd = Ejabberd::builder().host("b.test").federated(&federation);
    let (prosody, ejabberd) = tokio::join!(prosody.start(), ejabberd.start());
    let (prosody, ejabberd) = (prosody.unwrap(), ejabberd.unwrap());
    let alice = prosody.add_account("alice").await.unwrap();
    let bob = ejabberd.add_account("bob").await.unwrap();
    let mut alices = Phone::online(&prosody, &alice, "alice", folder.path())
        .await
        .unwrap();
    let mut bobs = Phone::online(&ejabberd, &bob, "bob", folder.path())
        .await
        .unwrap();
    for number in 0..3 {
        let text = format!("across {number}");
        let id = alices.send(&bob.jid, &text).await.unwrap();
        assert_eq!(alices.wait_until_sent(id).await.unwrap(), Delivery::Acked);
        let got = bobs.wait_for_text(&text).await.unwrap();
        assert_eq!(
            (got.sender, got.encryption),
            (alice.jid.clone(), Encryption::Omemo2)
        );
        let text = format!("and back {number}");
        bobs.send(&alice.jid, &text).await.unwrap();
        alices.wait_for_text(&text).await.unwrap();
    }
    // Offline on the other server, and back.
    bobs.account.disconnect().await;
    alices.send(&bob.jid, "while you were away").await.unwrap();
    bobs.connect().await.unwrap();
    bobs.wait_for_text("while you were away").await.unwrap();

    let log = std::fs::read_to_string(prosody.folder().join("prosody.log")).unwrap();
    assert!(
        !log.contains("dialback:verify"),
        "certificates are the only proof"
    );
}

/// What the story above is worth: a server whose certificate another authority signed is nobody to the other.
#[tokio::test]
async fn servers_with_certificates_of_different_authorities_do_not_talk() {
    let folder = tempfile::tempdir().unwrap();
    let federation = Federation::start().await.unwrap();
    let impostors = federation.impostors().unwrap();
    let prosody = Prosody::builder().host("a.test").federated(&federation);
    let ejabberd = Ejabberd::builder().host("b.test").federated(&impostors);
    let (prosody, ejabberd) = tokio::join!(prosody.start(), ejabberd.start());
    let (prosody, ejabberd) = (prosody.unwrap(), ejabberd.unwrap());
    let alice = prosody.add_account("alice").await.unwrap();
    let bob = ejabberd.add_account("bob").await.unwrap();
    let alices = Phone::online(&prosody, &alice, "alice", folder.path())
        .await
        .unwrap();
    let bobs = Phone::online(&ejabberd, &bob, "bob", folder.path())
        .await
        .unwrap();
    for (phone, peer) in [(&alices, &bob.jid), (&bobs, &alice.jid)] {
        phone.send(peer, "are you who you say?").await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    for (phone, peer) in [(&alices, &bob.jid), (&bobs, &alice.jid)] {
        let history = phone.history(peer).await.unwrap();
        assert_eq!(history.len(), 1, "nothing came in: {history:?}");
        assert_ne!(history[0].delivery, Some(Delivery::Acked));
        let devices = phone.account.devices(peer).await.unwrap();
        assert!(devices.is_empty(), "{devices:?}");
    }
}
