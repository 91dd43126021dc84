//! Each thing that can be wrong is found, told of in words, and nowhere else.

use eft_types::Timestamp;

use super::*;
use crate::message::Encryption;
use crate::push::PushHealth;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Of an account with which all is well.
fn well() -> Report {
    let version = |version| VersionReport {
        version,
        pre_key_count: 100,
        session_count: 2,
        is_listed: true,
    };
    let published = |version| PublishedReport {
        version,
        list: DeviceListing::Listed,
        has_bundle: Some(true),
    };
    Report {
        at: at(1_700_000_000_000),
        account: "a…@e….org".to_owned(),
        connection: ConnectionReport {
            state: LinkState::Online,
            last_failure: None,
            session: Some(SessionReport {
                mechanism: "SCRAM-SHA-256-PLUS".to_owned(),
                channel_binding: Some("tls-exporter".to_owned()),
                is_resumed: false,
                is_resumable: true,
                kept_seconds: Some(600),
                knows_client_state: true,
            }),
        },
        login: Some(LoginReport::new(&Default::default(), true)),
        server: Some(ServerReport {
            software: Some("ejabberd 24.12".to_owned()),
            has_archive: Some(true),
            has_push: Some(true),
            has_personal_eventing: Some(true),
            has_publish_options: Some(true),
            has_carbons: Some(true),
            knows_omemo2: Some(false),
            published: vec![
                published(Encryption::Omemo2),
                published(Encryption::OmemoLegacy),
            ],
            ..ServerReport::new(at(1_700_000_000_000))
        }),
        encryption: Some(EncryptionReport {
            versions: vec![
                version(Encryption::Omemo2),
                version(Encryption::OmemoLegacy),
            ],
            due_action_count: 0,
        }),
        push: Some(PushReport {
            health: Some(PushHealth::Proven { at: at(1) }),
            service: Some("p….org".to_owned()),
        }),
        messages: Some(MessagesReport {
            queued_count: 0,
            encrypted_count: 0,
            unacknowledged_count: 0,
            oldest: None,
            archive: Some(ArchiveReport {
                is_complete: true,
                gap_count: 0,
                complete_until: Some(at(1)),
                is_paused: false,
            }),
        }),
        database: DatabaseReport {
            fault: None,
            schema: 10,
            size_bytes: Some(4096),
            generation: Some(3),
            is_held_here: true,
        },
    }
}

/// What is found once something is changed, by its stable name.
fn found(change: impl FnOnce(&mut Report)) -> Vec<&'static str> {
    let mut report = well();
    change(&mut report);
    let text = report.to_string();
    let problems = report.problems();
    for problem in &problems {
        assert!(
            text.contains(&problem.to_string()),
            "{problem:?} is not in: {text}"
        );
        assert!(text.contains(&format!("- {}: ", problem.area().name())));
    }
    problems.iter().map(Problem::code).collect()
}

fn with_server(change: impl FnOnce(&mut ServerReport)) -> Vec<&'static str> {
    found(|report| change(report.server.as_mut().unwrap()))
}

fn with_health(health: Option<PushHealth>) -> Vec<&'static str> {
    found(|report| report.push.as_mut().unwrap().health = health)
}

fn offline(code: &'static str) -> Vec<Problem> {
    let mut report = well();
    report.connection = ConnectionReport {
        state: LinkState::Offline { retry_at: None },
        last_failure: Some(Failure {
            at: at(5),
            code,
            reason: "so it is".to_owned(),
        }),
        session: None,
    };
    report.problems()
}

#[test]
fn where_all_is_well_nothing_is_found() {
    assert_eq!(found(|_| {}), Vec::<&str>::new());
    assert!(well().to_string().contains("Nothing wrong was found."));
}

#[test]
fn why_there_is_no_connection_is_told_with_what_helps() {
    for (code, area, helps) in [
        ("auth-rejected", ReportArea::Login, "changed elsewhere"),
        ("downgraded", ReportArea::Login, "has offered more before"),
        ("certificate-rejected", ReportArea::Connection, "clock"),
        ("server-too-old", ReportArea::Connection, "update"),
        ("store-locked", ReportArea::Connection, "Another process"),
        ("offline", ReportArea::Connection, "network"),
    ] {
        let [problem] = &offline(code)[..] else {
            panic!("{code}: {:?}", offline(code));
        };
        let text = problem.to_string();
        assert_eq!(problem.area(), area);
        assert!(text.contains(helps) && text.contains("so it is"), "{text}");
    }
    // A failure of before, while there is a connection, is no problem.
    let codes = found(|report| {
        report.connection.last_failure = Some(Failure {
            at: at(5),
            code: "offline",
            reason: "gone".to_owned(),
        });
    });
    assert_eq!(codes, Vec::<&str>::new());
}

#[test]
fn what_the_server_lacks_is_named_and_what_it_did_not_say_is_not() {
    assert_eq!(
        with_server(|server| server.has_archive = Some(false)),
        ["no-archive"]
    );
    assert_eq!(
        with_server(|server| server.has_carbons = Some(false)),
        ["no-carbons"]
    );
    assert_eq!(
        with_server(|server| server.has_personal_eventing = Some(false)),
        ["no-personal-eventing"]
    );
    assert_eq!(
        with_server(|server| server.has_publish_options = Some(false)),
        ["no-publish-options"]
    );
    assert_eq!(
        found(|report| report.connection.session.as_mut().unwrap().is_resumable = false),
        ["no-resumption"]
    );
    assert_eq!(
        with_server(|server| *server = ServerReport::new(at(1))),
        Vec::<&str>::new()
    );
    assert_eq!(found(|report| report.server = None), Vec::<&str>::new());
}

#[test]
fn a_device_that_others_cannot_find_or_write_to_is_told_of() {
    for list in [DeviceListing::NotListed, DeviceListing::Absent] {
        assert_eq!(
            with_server(|server| server.published[0].list = list),
            ["device-not-listed"]
        );
    }
    assert_eq!(
        with_server(|server| server.published[0].list = DeviceListing::Unknown),
        Vec::<&str>::new()
    );
    assert_eq!(
        with_server(|server| server.published[1].has_bundle = Some(false)),
        ["bundle-missing"]
    );
    let few = found(|report| report.encryption.as_mut().unwrap().versions[0].pre_key_count = 9);
    assert_eq!(few, ["few-pre-keys"]);
}

#[test]
fn each_state_of_pushes_but_a_proven_one_is_a_problem_of_its_own() {
    let rejected = PushHealth::Rejected {
        reason: "no".to_owned(),
    };
    for (health, code) in [
        (None, "push-not-registered"),
        (Some(PushHealth::Waiting), "push-not-agreed"),
        (Some(PushHealth::Unsupported), "push-unsupported"),
        (Some(PushHealth::Registered { at: at(1) }), "push-unproven"),
        (Some(PushHealth::Stale), "push-stale"),
        (Some(rejected), "push-rejected"),
    ] {
        assert_eq!(with_health(health), [code]);
    }
    let neither = found(|report| {
        report.push.as_mut().unwrap().health = None;
        report.server.as_mut().unwrap().has_push = Some(false);
    });
    assert_eq!(neither, ["push-unsupported"]);
}

#[test]
fn a_server_that_is_known_not_to_mark_omemo_2_is_named_unless_it_says_that_it_does() {
    let prosody = |knows: Option<bool>| {
        with_server(|server| {
            server.software = Some("Prosody 13.0.1".to_owned());
            server.knows_omemo2 = knows;
        })
    };
    assert_eq!(prosody(Some(false)), ["push-unimportant"]);
    assert_eq!(prosody(None), ["push-unimportant"]);
    assert_eq!(prosody(Some(true)), Vec::<&str>::new());
    // Who gets no pushes at all has another problem.
    let without = found(|report| {
        report.push.as_mut().unwrap().health = None;
        report.server.as_mut().unwrap().software = Some("Prosody".to_owned());
    });
    assert_eq!(without, ["push-not-registered"]);
    let mut report = well();
    report.server.as_mut().unwrap().software = Some("Prosody 13.0.1".to_owned());
    let text = report.to_string();
    assert!(
        text.contains("Prosody 13.0.1") && text.contains("docs/push.md"),
        "{text}"
    );
}

#[test]
fn what_waits_for_long_and_what_is_missing_is_told_of() {
    let stuck = |millis: i64| {
        found(|report| {
            let at = report.at;
            let messages = report.messages.as_mut().unwrap();
            messages.queued_count = 2;
            messages.oldest = Some(at.saturating_add_millis(-millis));
        })
    };
    assert_eq!(stuck(11 * 60 * 1000), ["messages-stuck"]);
    assert_eq!(stuck(9 * 60 * 1000), Vec::<&str>::new());
    for is_paused in [false, true] {
        let missing = found(|report| {
            let archive = report.messages.as_mut().unwrap().archive.as_mut().unwrap();
            (archive.gap_count, archive.is_paused) = (1, is_paused);
        });
        assert_eq!(missing, ["archive-incomplete"]);
    }
}

#[test]
fn a_database_that_cannot_be_read_is_a_problem_unless_the_app_closed_it() {
    let closed = |state, fault| {
        found(|report| {
            report.connection.state = state;
            report.login = None;
            report.encryption = None;
            report.push = None;
            report.messages = None;
            report.database = DatabaseReport::unreadable(fault, false);
        })
    };
    assert_eq!(
        closed(LinkState::Disconnected, "store-damaged"),
        ["database-unreadable"]
    );
    assert_eq!(
        closed(LinkState::Suspended, "suspended"),
        Vec::<&str>::new()
    );
    let report = Report::of_closed(&"alice@example.org".parse().unwrap());
    assert_eq!(report.problems(), []);
    assert!(!report.to_string().contains("alice"));
}

#[test]
fn every_line_stands_under_its_area_once() {
    let text = well().to_string();
    for area in [
        "connection",
        "login",
        "server",
        "encryption",
        "push",
        "messages",
        "database",
    ] {
        let heads = text.lines().filter(|line| *line == area).count();
        assert_eq!(heads, 1, "{area} in {text}");
    }
    let mut names: Vec<_> = well()
        .facts()
        .iter()
        .map(|fact| (fact.area, fact.name))
        .collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "two facts have one name");
}
