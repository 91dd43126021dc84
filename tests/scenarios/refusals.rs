//! What must not work: each gives a typed error or a row with its reason, and changes nothing else.

use std::sync::Arc;

use base64::Engine as _;
use eft::{
    Config, ConnectOptions, Content, Credentials, Delivery, Eft, Error, MemorySecretStore,
    ServerAddress,
};
use eft_tests::{Phone, Prosody, ProsodyBuilder, connect_options, free_port};

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let mut alice = server.add_account("alice").await.unwrap();
    alice.password.push('x');
    let phone = Phone::new(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let error = phone.connect().await.unwrap_err();
    assert_eq!(error.code(), "auth-rejected", "{error}");
    assert!(!error.retryable());
}

#[tokio::test]
async fn a_certificate_for_another_domain_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::builder()
        .certificate_for("evil.test")
        .start()
        .await
        .unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let phone = Phone::new(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let error = phone.connect().await.unwrap_err();
    assert_eq!(error.code(), "certificate-rejected", "{error}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let mut phone = Phone::new(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    phone.set_options(ConnectOptions {
        extra_roots_pem: None,
        ..connect_options(&server)
    });
    let error = phone.connect().await.unwrap_err();
    assert_eq!(error.code(), "certificate-rejected", "{error}");
}

#[tokio::test]
async fn an_unreachable_server_is_offline_and_names_what_was_tried() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let mut phone = Phone::new(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let port = free_port().unwrap();
    phone.set_options(ConnectOptions {
        server: Some(ServerAddress {
            host: "127.0.0.1".to_owned(),
            port,
            direct_tls: true,
        }),
        ..connect_options(&server)
    });
    let error = phone.connect().await.unwrap_err();
    assert_eq!(error.code(), "offline", "{error}");
    assert!(error.to_string().contains(&port.to_string()), "{error}");
    assert!(error.retryable());
}

#[tokio::test]
async fn direct_tls_works_as_well_as_starttls() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let mut phone = Phone::new(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    phone.set_options(ConnectOptions {
        server: Some(ServerAddress {
            host: "127.0.0.1".to_owned(),
            port: server.ports().direct_tls,
            direct_tls: true,
        }),
        ..connect_options(&server)
    });
    phone.connect().await.unwrap();
}

#[tokio::test]
async fn a_server_that_offers_only_plain_is_refused_unless_the_user_allows_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = plain_only().start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let mut phone = Phone::new(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let error = phone.connect().await.unwrap_err();
    assert_eq!(error.code(), "auth-rejected", "{error}");
    phone.set_options(ConnectOptions {
        allow_plain: true,
        ..connect_options(&server)
    });
    phone.connect().await.unwrap();
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn plain_only() -> ProsodyBuilder {
    Prosody::builder().mechanisms(eft_tests::Mechanisms::PlainOnly)
}

#[tokio::test]
async fn the_wrong_database_key_and_a_lost_one_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let login = Credentials {
        jid: "alice@eft.test".parse().unwrap(),
        password: "secret".to_owned().into(),
    };
    let config = || Config {
        data_dir: folder.path().to_owned(),
    };
    let secrets = Arc::new(MemorySecretStore::new());
    let eft = Eft::open(config(), Arc::clone(&secrets) as _).unwrap();
    eft.add_account(login.clone())
        .await
        .unwrap()
        .shut_down()
        .await;

    // Another keychain: the key is not there.
    let other = Arc::new(MemorySecretStore::new());
    let stranger = Eft::open(config(), Arc::clone(&other) as _).unwrap();
    let error = stranger.account(&login.jid).await.unwrap_err();
    assert!(matches!(error, Error::KeyUnavailable { .. }), "{error}");

    // A key, but not this database's: one of another folder, under this one's name.
    let elsewhere = tempfile::tempdir().unwrap();
    let second = Eft::open(
        Config {
            data_dir: elsewhere.path().to_owned(),
        },
        Arc::clone(&other) as _,
    )
    .unwrap();
    second
        .add_account(login.clone())
        .await
        .unwrap()
        .shut_down()
        .await;
    let id = |root: &std::path::Path| root.join("alice%40eft.test").join("store.id");
    std::fs::copy(id(elsewhere.path()), id(folder.path())).unwrap();
    let error = stranger.account(&login.jid).await.unwrap_err();
    assert!(matches!(error, Error::StoreDamaged { .. }), "{error}");
    assert!(error.to_string().contains("key"), "{error}");
}

#[tokio::test]
async fn rubbish_in_place_of_an_encrypted_message_is_a_row_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let bobs = Phone::online(&server, &bob, "bob", folder.path())
        .await
        .unwrap();
    bobs.send(&alice.jid, "before").await.unwrap();
    phone.wait_for_text("before").await.unwrap();
    let (alice_device, bob_device) = (phone.account.device_id(), bobs.account.device_id());
    let forged = |id: &str, rid: String, key: &str, payload: &str| {
        format!(
            "<message from='bob@eft.test/x' to='alice@eft.test' type='chat' id='{id}'>\
             <encrypted xmlns='urn:xmpp:omemo:2'><header sid='{bob_device}'>\
             <keys jid='alice@eft.test'><key rid='{rid}'>{key}</key></keys></header>\
             {payload}</encrypted><body>your fallback</body><store xmlns='urn:xmpp:hints'/></message>"
        )
    };
    let payload = "<payload>AAAAAAAAAAAAAAAAAAAAAA==</payload>";
    let alice_device = alice_device.to_string();
    for (id, stanza, code) in [
        (
            "other",
            forged("other", "1".to_owned(), "AAAA", payload),
            "not-for-this-device",
        ),
        (
            "short",
            forged("short", alice_device.clone(), "AAAA", payload),
            "malformed",
        ),
        (
            "base64",
            forged(
                "base64",
                alice_device.clone(),
                "AAAA",
                "<payload>!</payload>",
            ),
            "malformed",
        ),
    ] {
        server.inject(&stanza).await.unwrap();
        let unreadable = phone
            .wait(id, |event| match event {
                eft::Event::MessageReceived(message) => match &message.content {
                    Content::Unreadable(why) => Some(why.code()),
                    Content::Text(text) => panic!("{text:?} was shown"),
                },
                _ => None,
            })
            .await
            .unwrap();
        assert_eq!(unreadable, code, "{id}");
    }
    // Without a payload it is a control message: no row, and no harm.
    server
        .inject(&forged("empty", alice_device, "AAAA", ""))
        .await
        .unwrap();
    bobs.send(&alice.jid, "after").await.unwrap();
    phone.wait_for_text("after").await.unwrap();
    assert_eq!(phone.history(&bob.jid).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_bundle_with_a_bad_signature_or_key_gets_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    // A device of Bob opens the nodes; then the operator puts another in its place.
    let bobs = Phone::online(&server, &bob, "bob", folder.path())
        .await
        .unwrap();
    bobs.account.shut_down().await;
    server
        .publish_as_operator(
            "bob",
            "urn:xmpp:omemo:2:devices",
            "current",
            "<devices xmlns='urn:xmpp:omemo:2'><device id='7'/><device id='0'/><device id='x'/>\
             <device/><rubbish/></devices>",
        )
        .await
        .unwrap();
    server
        .publish_as_operator(
            "bob",
            "eu.siacs.conversations.axolotl.devicelist",
            "current",
            "<list xmlns='eu.siacs.conversations.axolotl'/>",
        )
        .await
        .unwrap();
    let key = |byte: u8| base64(&[byte; 32]);
    let bundle = |spk: &str, signature: &str, ik: &str| {
        format!(
            "<bundle xmlns='urn:xmpp:omemo:2'><spk id='1'>{spk}</spk><spks>{signature}</spks>\
             <ik>{ik}</ik><prekeys><pk id='1'>{}</pk></prekeys></bundle>",
            key(9)
        )
    };
    let signature = base64(&[1; 64]);
    // A wrong signature; a low-order point; a key of the wrong length.
    for (name, bad) in [
        bundle(&key(9), &signature, &key(2)),
        bundle(&key(0), &signature, &key(1)),
        bundle(&base64(&[9; 31]), &signature, &key(2)),
    ]
    .into_iter()
    .enumerate()
    {
        server
            .publish_as_operator("bob", "urn:xmpp:omemo:2:bundles", "7", &bad)
            .await
            .unwrap();
        let name = format!("phone-{name}");
        let mut phone = Phone::online(&server, &alice, &name, folder.path())
            .await
            .unwrap();
        let id = phone.send(&bob.jid, "secret").await.unwrap();
        let delivery = phone.wait_until_sent(id).await.unwrap();
        assert_eq!(
            delivery,
            Delivery::Failed {
                reason: "missing-bundle".to_owned()
            }
        );
        phone.account.shut_down().await;
    }
}

#[tokio::test]
async fn a_recipient_without_omemo_is_an_answer_to_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let id = phone.send(&bob.jid, "anyone there?").await.unwrap();
    assert_eq!(
        phone.wait_until_sent(id).await.unwrap(),
        Delivery::Failed {
            reason: "no-recipients".to_owned()
        }
    );
    assert_eq!(
        server.files_containing("anyone there").unwrap(),
        Vec::<std::path::PathBuf>::new()
    );
}
