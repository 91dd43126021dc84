//! The support library itself: what every other story takes for granted.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use eft_tests::{ArchivePolicy, FaultProxy, Mechanisms, Prosody, ProsodyError, wait_for};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Opens a stream to `domain` and returns its features (RFC 6120 §4.3.2) as text.
async fn features(mut stream: impl AsyncRead + AsyncWrite + Unpin, domain: &str) -> String {
    let header = format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' from='alice@{domain}' to='{domain}'>"
    );
    stream.write_all(header.as_bytes()).await.unwrap();
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains("</stream:features>") {
        let reading = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer));
        let count = reading.await.expect("features in time").unwrap();
        assert_ne!(count, 0, "stream ended after {text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    text
}

async fn features_before_tls(server: &Prosody, port: u16) -> String {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    features(stream, server.host()).await
}

/// Connects to the direct TLS port as a client that trusts this run's authority and expects `domain`.
async fn connect_tls(server: &Prosody, domain: &str) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(server.authority_path()).unwrap())
        .unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.direct_tls_address()).await?;
    let name = ServerName::try_from(domain.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

async fn features_over_tls(server: &Prosody) -> String {
    features(
        connect_tls(server, server.host()).await.unwrap(),
        server.host(),
    )
    .await
}

fn process_exists(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn server_requires_tls_before_anything_else() {
    let server = Prosody::start().await.unwrap();
    let features = features_before_tls(&server, server.ports().starttls).await;
    assert!(
        features.contains("urn:ietf:params:xml:ns:xmpp-tls"),
        "{features}"
    );
    assert!(features.contains("<required/>"), "{features}");
    assert!(!features.contains("PLAIN"), "{features}");
}

#[tokio::test]
async fn mechanisms_are_those_the_builder_named() {
    let offers = async |mechanisms| {
        let server = Prosody::builder()
            .mechanisms(mechanisms)
            .start()
            .await
            .unwrap();
        let features = features_over_tls(&server).await;
        ["PLAIN<", "SCRAM-SHA-256<", "SCRAM-SHA-256-PLUS<"]
            .map(|name| features.contains(&format!(">{name}")))
    };
    assert_eq!(offers(Mechanisms::All).await, [true, true, true]);
    assert_eq!(offers(Mechanisms::ScramOnly).await, [false, true, true]);
    assert_eq!(
        offers(Mechanisms::WithoutChannelBinding).await,
        [true, true, false]
    );
    assert_eq!(offers(Mechanisms::PlainOnly).await, [true, false, false]);
}

#[tokio::test]
async fn one_step_login_offers_sasl2_bind2_and_fast() {
    let plain = Prosody::start().await.unwrap();
    assert!(!features_over_tls(&plain).await.contains("urn:xmpp:sasl:2"));
    let server = Prosody::builder().one_step_login().start().await.unwrap();
    let features = features_over_tls(&server).await;
    for namespace in [
        "urn:xmpp:sasl:2",
        "urn:xmpp:bind:0",
        "urn:xmpp:fast:0",
        "urn:xmpp:sm:3",
    ] {
        assert!(
            features.contains(namespace),
            "{namespace} is missing from {features}"
        );
    }
}

#[tokio::test]
async fn each_host_shows_a_certificate_of_its_own() {
    let server = Prosody::builder()
        .second_host("other.test")
        .start()
        .await
        .unwrap();
    for host in ["eft.test", "other.test"] {
        let stream = connect_tls(&server, host).await.unwrap();
        assert!(features(stream, host).await.contains("SCRAM-SHA-256"));
    }
    // Prosody knows no third host.
    let error = connect_tls(&server, "third.test").await.unwrap_err();
    assert!(error.to_string().contains("UnrecognisedName"), "{error}");
}

#[tokio::test]
async fn certificate_for_another_domain_is_good_for_nothing_else() {
    let server = Prosody::builder()
        .certificate_for("wrong.test")
        .start()
        .await
        .unwrap();
    let error = connect_tls(&server, "eft.test").await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("not valid for name") && text.contains("wrong.test"),
        "{text}"
    );
}

#[tokio::test]
async fn server_and_its_folder_are_gone_after_drop() {
    let server = Prosody::start().await.unwrap();
    let (pid, folder) = (server.pid(), server.folder().to_owned());
    assert!(process_exists(pid));
    assert!(folder.join("data").is_dir());
    drop(server);
    assert!(!process_exists(pid));
    assert!(!folder.exists());
}

#[tokio::test]
async fn server_never_runs_as_root() {
    use std::os::unix::fs::MetadataExt as _;
    let server = Prosody::start().await.unwrap();
    let owner = std::fs::metadata(format!("/proc/{}", server.pid()))
        .unwrap()
        .uid();
    assert_ne!(owner, 0);
}

#[tokio::test]
async fn two_servers_live_side_by_side() {
    let (first, second) = tokio::join!(Prosody::start(), Prosody::start());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first.ports(), second.ports());
    first.add_account("alice").await.unwrap();
    assert_eq!(first.files_containing("iteration_count").unwrap().len(), 1);
    assert_eq!(second.files_containing("iteration_count").unwrap().len(), 0);
}

#[tokio::test]
async fn account_survives_restart_on_the_same_ports() {
    let mut server = Prosody::builder()
        .second_host("other.test")
        .start()
        .await
        .unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account_at("bob", "other.test").await.unwrap();
    assert_eq!(alice.jid.as_str(), "alice@eft.test");
    assert_eq!(bob.jid.as_str(), "bob@other.test");
    let (ports, pid) = (server.ports(), server.pid());
    server.restart().await.unwrap();
    assert_eq!(server.ports(), ports);
    assert_ne!(server.pid(), pid);
    assert!(
        server
            .data_path()
            .join("eft%2etest/accounts/alice.dat")
            .is_file()
    );
    features_before_tls(&server, ports.starttls).await;
}

#[tokio::test]
async fn name_that_is_no_account_is_refused() {
    let server = Prosody::start().await.unwrap();
    let error = server.add_account("not an account").await.unwrap_err();
    assert!(matches!(error, ProsodyError::Register { .. }), "{error}");
    let error = server
        .add_account_at("alice", "elsewhere.test")
        .await
        .unwrap_err();
    assert!(matches!(error, ProsodyError::Register { .. }), "{error}");
}

#[tokio::test]
async fn password_is_not_in_a_login_s_debug_text() {
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    assert!(!format!("{alice:?}").contains(&alice.password));
}

#[tokio::test]
async fn frozen_server_is_silent_until_it_thaws() {
    let server = Prosody::start().await.unwrap();
    server.freeze().unwrap();
    let mut stream = TcpStream::connect(server.starttls_address()).await.unwrap();
    let header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='eft.test'>";
    stream.write_all(header.as_bytes()).await.unwrap();
    let mut byte = [0; 1];
    let early = tokio::time::timeout(Duration::from_millis(300), stream.read(&mut byte)).await;
    assert!(early.is_err(), "a frozen server answered");
    server.thaw().unwrap();
    let count = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut byte))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((count, byte[0]), (1, b'<'));
}

#[tokio::test]
async fn frozen_server_is_removed_all_the_same() {
    let server = Prosody::start().await.unwrap();
    let pid = server.pid();
    server.freeze().unwrap();
    drop(server);
    assert!(!process_exists(pid));
}

#[tokio::test]
async fn configuration_that_is_no_lua_ends_in_an_error_with_the_log() {
    let error = Prosody::builder()
        .setting("this is no lua")
        .start()
        .await
        .unwrap_err();
    assert!(matches!(error, ProsodyError::Ended { .. }), "{error}");
    assert!(error.to_string().contains("prosody.cfg.lua"), "{error}");
}

#[tokio::test]
async fn every_option_of_the_builder_gives_a_server_that_starts() {
    let server = Prosody::builder()
        .host("odd.test")
        .second_host("second.test")
        .mechanisms(Mechanisms::ScramOnly)
        .scram_sha_1()
        .archive(ArchivePolicy::Roster)
        .archive_page_messages(5)
        .stanza_limit_bytes(20_000)
        .pep_max_items(1)
        .hibernation(Duration::from_secs(2))
        .one_step_login()
        .without_module("csi_simple")
        .certificate_for("wrong.test")
        .setting("tcp_keepalives = true")
        .start()
        .await
        .unwrap();
    assert_eq!(server.host(), "odd.test");
    server.add_account("alice").await.unwrap();
    let log = std::fs::read_to_string(server.folder().join("prosody.log")).unwrap();
    let complaints: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("\terror\t"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[tokio::test]
async fn operator_publishes_in_the_name_of_a_user() {
    let server = Prosody::start().await.unwrap();
    server.add_account("alice").await.unwrap();
    let node = "eu.siacs.conversations.axolotl.devicelist";
    let payload = "<list xmlns='eu.siacs.conversations.axolotl'><device id='31415926'/></list>";
    server
        .publish_as_operator("alice", node, "current", payload)
        .await
        .unwrap();
    let hits = server.files_containing("31415926").unwrap();
    assert_eq!(hits.len(), 1, "{hits:?}");

    let error = server
        .publish_as_operator("alice", node, "current", "<list")
        .await
        .unwrap_err();
    assert!(matches!(error, ProsodyError::Operator { .. }), "{error}");
    let error = server
        .publish_as_operator("nobody-here", node, "current", payload)
        .await
        .unwrap_err();
    assert!(matches!(error, ProsodyError::Operator { .. }), "{error}");
}

#[tokio::test]
async fn operator_reads_what_was_published_and_archived() {
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    server.add_account("bob").await.unwrap();
    let node = "urn:example:node";
    let payload = "<note xmlns='urn:example'>31415926</note>";
    server
        .publish_as_operator("alice", node, "1", payload)
        .await
        .unwrap();
    let found = server.published_item("alice", node, "1").await.unwrap();
    assert!(found.contains("31415926"), "{found}");
    for (node, item) in [(node, "2"), ("urn:example:other", "1")] {
        let error = server
            .published_item("alice", node, item)
            .await
            .unwrap_err();
        assert!(matches!(error, ProsodyError::Operator { .. }), "{error}");
    }

    for number in 0..3 {
        server
            .inject(&format!(
                "<message to='bob@eft.test' from='alice@eft.test/a' type='chat' id='{number}'><body>line one\n\
                 line two of {number}</body></message>"
            ))
            .await
            .unwrap();
    }
    let stanzas = server.archived_stanzas("bob", &alice.jid).await.unwrap();
    assert_eq!(stanzas.len(), 3, "{stanzas:?}");
    for (number, stanza) in stanzas.iter().enumerate() {
        assert!(stanza.xml.starts_with("<message"), "{stanza:?}");
        let text = format!("line one\nline two of {number}");
        assert!(stanza.xml.contains(&text), "{stanza:?}");
        assert!(stanza.at >= stanzas[0].at && stanza.at.as_millis() > 1_700_000_000_000);
    }
    let nobody = eft_types::BareJid::new("nobody@elsewhere.test").unwrap();
    let none = server.archived_stanzas("bob", &nobody).await.unwrap();
    assert!(none.is_empty(), "{none:?}");
}

#[tokio::test]
async fn injected_message_is_archived_under_the_name_it_claims() {
    let server = Prosody::start().await.unwrap();
    server.add_account("alice").await.unwrap();
    assert_eq!(server.archive_text("alice").unwrap(), "");
    let stanza = "<message xmlns='jabber:client' type='chat' id='m1' from='mallory@elsewhere.test/x' to='alice@eft.test'><body>forged words</body></message>";
    server.inject(stanza).await.unwrap();
    wait_for("the archive", Duration::from_secs(5), || async {
        server
            .archive_text("alice")
            .unwrap()
            .contains("forged words")
    })
    .await
    .unwrap();
    let text = server.archive_text("alice").unwrap();
    assert!(text.contains("mallory@elsewhere.test"), "{text}");
    assert!(server.inject("<message").await.is_err());
    server.close_sessions("alice").await.unwrap();
}

#[tokio::test]
async fn proxy_stands_between_client_and_server() {
    let server = Prosody::start().await.unwrap();
    let proxy = FaultProxy::start(server.starttls_address()).await.unwrap();
    let features = features_before_tls(&server, proxy.port()).await;
    assert!(
        features.contains("urn:ietf:params:xml:ns:xmpp-tls"),
        "{features}"
    );
    wait_for("the connection to end", Duration::from_secs(5), || async {
        proxy.open_connections() == 0
    })
    .await
    .unwrap();
}
