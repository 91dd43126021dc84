//! `eft report` and `eft push`: for whoever helps, or wonders why a phone stays asleep.

use eft_tests::{AppServer, AppServerPlace, Prosody};
use std::time::Duration;

use super::{ALICE, BOB, Stage};

#[tokio::test]
async fn a_report_is_printed_for_people_and_for_scripts_with_a_connection_and_without() {
    let stage = Stage::set().await;
    let alice = stage.desk(&stage.alice);
    assert_eq!(alice.chat(BOB, &[]).end().await.code, Some(0));
    let offline = alice.run(&["report", ALICE]).await;
    assert_eq!(offline.code, Some(0), "{offline:?}");
    let text = offline.lines.join("\n");
    assert!(
        text.contains("a…@e….test") && text.contains("  state: not wanted"),
        "{text}"
    );
    assert!(
        !text.contains("alice") && !text.contains("eft.test"),
        "{text}"
    );
    assert!(!text.contains("Prosody"), "{text}");

    let online = alice
        .run_online(&["--json", "report", ALICE, "--connect"])
        .await;
    let report = &online.objects()[0];
    assert_eq!(report["known"]["connection"]["state"], "online", "{report}");
    let software = &report["known"]["server"]["software, by its own word"];
    assert!(
        software.as_str().unwrap().starts_with("Prosody"),
        "{report}"
    );
    assert_eq!(report["problems"][0]["code"], "push-not-registered");

    let elsewhere = stage.desk(&stage.alice).with_server("127.0.0.1:1");
    let failed = elsewhere.run_online(&["report", ALICE, "--connect"]).await;
    assert_eq!(failed.code, Some(0), "{failed:?}");
    assert!(
        failed
            .lines
            .iter()
            .any(|line| line.contains("not connected: ")),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_push_is_tested_by_one_process_and_handled_by_another() {
    let place = AppServerPlace::beside("eft.test").unwrap();
    let server = Prosody::builder().app_server(&place).start().await.unwrap();
    let app_server = AppServer::connect(&place).await.unwrap();
    let stage = Stage::on(server).await;
    let alice = stage.desk(&stage.alice);
    assert_eq!(alice.chat(BOB, &[]).end().await.code, Some(0));
    let unregistered = alice.run(&["--json", "push", ALICE]).await;
    assert_eq!(unregistered.objects()[0]["health"], "not-registered");
    let words = [
        "--json",
        "push",
        ALICE,
        "--register",
        &place.name,
        "--node",
        "desk",
        "--option",
        "secret=x",
    ];
    let registered = alice.run_online(&words).await;
    assert_eq!(
        registered.objects()[0]["health"],
        "registered",
        "{registered:?}"
    );

    let words = ["--json", "push", ALICE, "--test"];
    let woken = async {
        app_server
            .wait_for(1, Duration::from_secs(30))
            .await
            .unwrap();
        alice.run_online(&["--json", "wake", ALICE]).await
    };
    let (tested, woken) = tokio::join!(alice.run_online(&words), woken);
    assert_eq!(woken.code, Some(0), "{woken:?}");
    let told = tested.objects();
    assert_eq!(told[0]["result"], "arrived", "{tested:?}");
    assert_eq!(told[1]["health"], "proven");

    let words = ["push", ALICE, "--test", "--within", "2"];
    let missed = alice.run_online(&words).await.lines;
    assert!(missed[0].contains("lost behind the server"), "{missed:?}");
    assert!(missed[1].contains("register anew"), "{missed:?}");
    let gone = alice
        .run_online(&["--json", "push", ALICE, "--unregister"])
        .await;
    assert_eq!(gone.objects()[0]["health"], "not-registered", "{gone:?}");
}
