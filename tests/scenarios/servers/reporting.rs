//! What a report says of an account on a real server, and what it does not say.

use eft::{DeviceListing, Encryption, LinkState, Problem, Report};
use eft_tests::{AnyServer, AppServerPlace, Phone, free_port};

use super::push_stage::{PATIENCE, PushStage as Stage, prosody_with_module, wait_until_registered};
use super::stage::{ServerKind, told_on_every_server};

told_on_every_server!(a_report_says_what_is_wrong_and_of_nobody,);

fn codes(report: &Report) -> Vec<&'static str> {
    report.problems().iter().map(Problem::code).collect()
}

/// Bob's phone, whose app has registered for pushes, and Alice's, who wrote to it.
async fn acquainted(stage: &Stage) -> (Phone, Phone) {
    let alices = stage.phone(&stage.alice, "alices").await;
    let mut bobs = stage.phone(&stage.bob, "bobs").await;
    alices
        .send(&stage.bob.jid, "a word between us")
        .await
        .unwrap();
    bobs.wait_for_text("a word between us").await.unwrap();
    bobs.account.register_push(stage.target()).await.unwrap();
    wait_until_registered(&bobs).await;
    (alices, bobs)
}

/// Neither the text nor what an app can print of the form behind it tells on anybody.
fn assert_redacted(report: &Report, stage: &Stage, phones: [&Phone; 2]) {
    let said = format!("{report}\n{report:?}\n{:?}", report.facts());
    let mut secrets = vec![
        stage.bob.password.clone(),
        stage.alice.jid.to_string(),
        stage.bob.jid.to_string(),
        "alice".to_owned(),
        "bob".to_owned(),
        "eft.test".to_owned(),
        "127.0.0.1".to_owned(),
        "of the app server".to_owned(),
        "a word between us".to_owned(),
    ];
    for phone in phones {
        secrets.push(phone.account.device_id().to_string());
        secrets.push(phone.account.fingerprint().to_string());
    }
    for secret in secrets {
        assert!(!said.contains(&secret), "{secret:?} is in {said}");
    }
}

async fn a_report_says_what_is_wrong_and_of_nobody(stage: Stage) {
    let (alices, mut bobs) = acquainted(&stage).await;
    let report = bobs.account.report().await;
    assert_redacted(&report, &stage, [&alices, &bobs]);
    assert_eq!(report.account, "b…@e….test");
    let server = report.server.as_ref().unwrap();
    for has in [
        server.has_archive,
        server.has_push,
        server.has_personal_eventing,
        server.has_publish_options,
        server.has_carbons,
    ] {
        assert_eq!(has, Some(true), "{server:?}");
    }
    let software = server.software.as_deref().unwrap();
    for published in &server.published {
        assert_eq!(
            (published.list, published.has_bundle),
            (DeviceListing::Listed, Some(true))
        );
    }
    let expected = match &stage.server {
        AnyServer::Prosody(_) => ("Prosody ", vec!["push-unproven", "push-unimportant"]),
        AnyServer::Ejabberd(_) => ("ejabberd ", vec!["push-unproven"]),
    };
    assert!(software.starts_with(expected.0), "{software}");
    assert_eq!(codes(&report), expected.1, "{report}");
    assert!(report.to_string().contains(software), "{report}");
    let omemo2 = &report.encryption.as_ref().unwrap().versions;
    let omemo2 = omemo2
        .iter()
        .find(|found| found.version == Encryption::Omemo2);
    assert_eq!(
        omemo2.map(|found| (found.session_count, found.is_listed)),
        Some((1, true))
    );
    assert!(
        report
            .connection
            .session
            .as_ref()
            .unwrap()
            .mechanism
            .starts_with("SCRAM-SHA-")
    );
    assert!(report.login.as_ref().unwrap().pinned_mechanism.is_some());
    assert!(
        report
            .messages
            .as_ref()
            .unwrap()
            .archive
            .as_ref()
            .unwrap()
            .is_complete
    );
    assert!(report.database.is_held_here);

    // Asleep, only memory can be asked; it says so.
    bobs.account.suspend().await.unwrap();
    let asleep = bobs.account.report().await;
    assert_eq!(asleep.connection.state, LinkState::Suspended);
    assert_eq!(
        (asleep.push.is_none(), &asleep.server),
        (true, &report.server)
    );
    assert_eq!(asleep.problems(), []);

    // Without a connection, the disk says the rest.
    bobs.reopen().await.unwrap();
    let mut options = bobs.options().clone();
    options.server.as_mut().unwrap().port = free_port().unwrap();
    let error = bobs.account.connect(options).await.unwrap_err();
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    bobs.send(&stage.alice.jid, "queued").await.unwrap();
    let offline = bobs.account.report().await;
    assert_redacted(&offline, &stage, [&alices, &bobs]);
    assert_eq!(
        codes(&offline),
        ["not-connected", "push-unproven"],
        "{offline}"
    );
    assert_eq!(offline.messages.as_ref().unwrap().queued_count, 1);
    assert_eq!(offline.server, None);
    bobs.account.shut_down().await;
    assert_eq!(
        bobs.account.report().await.connection.state,
        LinkState::Closed
    );
}

#[tokio::test]
async fn where_the_module_of_the_docs_runs_the_report_does_not_advise_it() {
    let place = AppServerPlace::beside("eft.test").unwrap();
    let (server, _folder) = prosody_with_module(&place).await;
    let stage = Stage::on(server, place).await;
    let (_alices, bobs) = acquainted(&stage).await;
    let report = bobs.account.report().await;
    assert_eq!(codes(&report), ["push-unproven"], "{report}");
    assert_eq!(report.server.unwrap().knows_omemo2, Some(true));
}

#[tokio::test]
async fn a_password_that_is_wrong_is_a_problem_of_the_login() {
    let mut stage = Stage::set(ServerKind::Prosody).await;
    "not the password".clone_into(&mut stage.bob.password);
    let bobs = Phone::new(&stage.server, &stage.bob, "bobs", stage.folder.path())
        .await
        .unwrap();
    bobs.connect().await.unwrap_err();
    let report = bobs.account.report().await;
    assert_eq!(
        report.problems()[0].area(),
        eft::ReportArea::Login,
        "{report}"
    );
    assert!(report.to_string().contains("auth-rejected"), "{report}");
    let waited = tokio::time::timeout(PATIENCE, bobs.account.shut_down()).await;
    waited.unwrap();
}
