//! The platform's own resolver and judge of certificates, in place of ours.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use eft::ConnectOptions;
use eft::network::{
    CertificateProblem, CertificateQuery, CertificateVerifier, Network, Reply, ResolveError,
    ResolveStarter, SrvRecord,
};
use eft_tests::{Phone, Prosody};

/// Knows where one server listens, and answers from another thread, as a phone does.
struct PhoneBook {
    port: u16,
    asked: Mutex<Vec<String>>,
}

impl ResolveStarter for PhoneBook {
    fn srv(&self, name: String, reply: Reply<Result<Vec<SrvRecord>, ResolveError>>) {
        self.asked.lock().unwrap().push(name.clone());
        let record = SrvRecord {
            priority: 0,
            weight: 0,
            port: self.port,
            target: "here.eft.test".to_owned(),
        };
        let found = if name.starts_with("_xmpp-client._tcp.eft.test") {
            vec![record]
        } else {
            Vec::new()
        };
        std::thread::spawn(move || reply.send(Ok(found)));
    }

    fn addresses(&self, host: String, reply: Reply<Result<Vec<IpAddr>, ResolveError>>) {
        let found = if host.starts_with("here.eft.test") {
            vec![Ipv4Addr::LOCALHOST.into()]
        } else {
            Vec::new()
        };
        std::thread::spawn(move || reply.send(Ok(found)));
    }
}

/// Trusts every server, until it does not.
struct Judge {
    says_yes: AtomicBool,
    seen: Mutex<Vec<CertificateQuery>>,
}

impl CertificateVerifier for Judge {
    fn verify(&self, query: CertificateQuery, reply: Reply<Result<(), CertificateProblem>>) {
        self.seen.lock().unwrap().push(query);
        reply.send(if self.says_yes.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(CertificateProblem::Expired)
        });
    }
}

#[tokio::test]
async fn a_platform_resolves_names_and_judges_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::builder().one_step_login().start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let book = Arc::new(PhoneBook {
        port: server.ports().starttls,
        asked: Mutex::default(),
    });
    let judge = Arc::new(Judge {
        says_yes: AtomicBool::new(true),
        seen: Mutex::default(),
    });
    let mut phone = Phone::new(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    phone.set_options(ConnectOptions {
        network: Network {
            resolver: Some(Arc::clone(&book) as _),
            verifier: Some(Arc::clone(&judge) as _),
            ..Network::default()
        },
        ..ConnectOptions::default()
    });
    phone.connect().await.unwrap();
    assert!(!book.asked.lock().unwrap().is_empty());
    let seen = judge.seen.lock().unwrap().clone();
    assert_eq!(seen[0].domain, "eft.test");
    assert!(!seen[0].chain.is_empty());
    phone.account.disconnect().await;
    judge.says_yes.store(false, Ordering::Relaxed);
    let refused = phone.connect().await.unwrap_err();
    assert_eq!(refused.code(), "certificate-rejected", "{refused}");
}
