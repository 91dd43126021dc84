//! What stands on the nodes where devices and bundles are published: before Eft comes, beside it, and against it.

use std::time::Duration;

use eft::{Delivery, Encryption, Event};
use eft_tests::{Phone, Prosody, unencrypted_copy, wait_for};

const DEVICES: &str = "urn:xmpp:omemo:2:devices";
const BUNDLES: &str = "urn:xmpp:omemo:2:bundles";
const LEGACY_DEVICES: &str = "eu.siacs.conversations.axolotl.devicelist";

const PATIENCE: Duration = Duration::from_secs(30);

/// A list of both versions' words with these ids.
fn list(ids: &[u32]) -> String {
    let devices: String = ids
        .iter()
        .map(|id| format!("<device id='{id}'/>"))
        .collect();
    format!("<devices xmlns='urn:xmpp:omemo:2'>{devices}</devices>")
}

fn legacy_list(ids: &[u32]) -> String {
    let devices: String = ids
        .iter()
        .map(|id| format!("<device id='{id}'/>"))
        .collect();
    format!("<list xmlns='eu.siacs.conversations.axolotl'>{devices}</list>")
}

/// The ids on a user's list, in order.
async fn published_ids(server: &Prosody, user: &str, node: &str) -> Vec<u32> {
    let Ok(item) = server.published_item(user, node, "current").await else {
        return Vec::new();
    };
    item.split("<device ")
        .skip(1)
        .filter_map(|device| {
            let (_, rest) = device.split_once("id='")?;
            rest.split('\'').next()?.parse().ok()
        })
        .collect()
}

async fn wait_for_ids(server: &Prosody, user: &str, node: &str, ids: &[u32]) {
    let mut found = Vec::new();
    let result = wait_for("the list", PATIENCE, || async {
        let mut ids_now = published_ids(server, user, node).await;
        ids_now.sort_unstable();
        found_is(&ids_now, ids)
    })
    .await;
    if result.is_err() {
        found = published_ids(server, user, node).await;
    }
    assert!(result.is_ok(), "{node}: {found:?} instead of {ids:?}");
}

fn found_is(found: &[u32], expected: &[u32]) -> bool {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    found == expected
}

/// Somebody without a subscription writes to Alice and is answered.
async fn stranger_talks_with(server: &Prosody, phone: &mut Phone, folder: &std::path::Path) {
    let carol = server.add_account("carol").await.unwrap();
    let mut stranger = Phone::online(server, &carol, "carol", folder)
        .await
        .unwrap();
    let id = stranger
        .send(phone.account.jid(), "we have not met")
        .await
        .unwrap();
    assert_eq!(stranger.wait_until_sent(id).await.unwrap(), Delivery::Acked);
    phone.wait_for_text("we have not met").await.unwrap();
    phone.send(&carol.jid, "now we have").await.unwrap();
    stranger.wait_for_text("now we have").await.unwrap();
}

#[tokio::test]
async fn nodes_that_only_contacts_may_read_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    for node in [DEVICES, BUNDLES, LEGACY_DEVICES] {
        server
            .create_node_as_operator("alice", node, "presence")
            .await
            .unwrap();
    }
    // Another client was here before; its device stays listed.
    server
        .publish_as_operator("alice", DEVICES, "current", &list(&[7]))
        .await
        .unwrap();

    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let own = phone.account.device_id().as_u32();
    for node in [DEVICES, BUNDLES, LEGACY_DEVICES] {
        let access = server
            .node_setting("alice", node, "access_model")
            .await
            .unwrap();
        assert_eq!(access, "open", "{node}");
    }
    assert_eq!(
        server
            .node_setting("alice", BUNDLES, "max_items")
            .await
            .unwrap(),
        "max"
    );
    wait_for_ids(&server, "alice", DEVICES, &[7, own]).await;
    wait_for_ids(&server, "alice", LEGACY_DEVICES, &[own]).await;
    stranger_talks_with(&server, &mut phone, folder.path()).await;
}

#[tokio::test]
async fn a_server_that_refuses_the_number_of_items_gets_a_smaller_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    server
        .refuse_max_items(&["max", "1000", "100"])
        .await
        .unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let asked: Vec<String> = server
        .publications()
        .await
        .unwrap()
        .into_iter()
        .filter_map(|line| Some(line.strip_prefix(BUNDLES)?.trim().to_owned()))
        .collect();
    assert_eq!(asked, ["max", "1000", "100", "10"]);
    stranger_talks_with(&server, &mut phone, folder.path()).await;
}

#[tokio::test]
async fn a_server_that_takes_no_number_of_items_gets_none() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    server
        .refuse_max_items(&["max", "1000", "100", "10"])
        .await
        .unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    stranger_talks_with(&server, &mut phone, folder.path()).await;
}

#[tokio::test]
async fn a_server_that_lets_nothing_be_published_is_named_and_asked_a_bounded_number_of_times() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    server
        .refuse_max_items(&["max", "1000", "100", "10", "none"])
        .await
        .unwrap();
    let phone = Phone::new(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let error = phone.connect().await.unwrap_err();
    assert_eq!(error.code(), "server-too-old", "{error}");
    assert!(!error.retryable());
    let first = server.publications().await.unwrap().len();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let publications = server.publications().await.unwrap();
    assert_eq!(
        publications.len(),
        first,
        "nobody goes on trying: {publications:?}"
    );
    assert!(first <= 10, "{publications:?}");
}

#[tokio::test]
async fn a_server_that_keeps_one_item_holds_the_bundle_of_its_only_device() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::builder().pep_max_items(1).start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    stranger_talks_with(&server, &mut phone, folder.path()).await;
}

#[tokio::test]
async fn the_second_device_on_a_server_that_keeps_one_item_stops_nobody_from_writing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::builder().pep_max_items(1).start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let mut bobs = Phone::online(&server, &bob, "bob", folder.path())
        .await
        .unwrap();
    phone.send(&bob.jid, "one device").await.unwrap();
    bobs.wait_for_text("one device").await.unwrap();
    // Its bundle takes the place of the phone's in the one node that omemo:2 has for both.
    let mut laptop = Phone::online(&server, &alice, "laptop", folder.path())
        .await
        .unwrap();
    phone.accept(&laptop).await.unwrap();
    let evicted = phone.account.device_id().to_string();
    assert!(
        server
            .published_item("alice", BUNDLES, &evicted)
            .await
            .is_err()
    );
    // A session is a session: Bob goes on with the phone, and makes one with the laptop.
    bobs.account.refresh_devices(&alice.jid).await.unwrap();
    bobs.send(&alice.jid, "to both of you").await.unwrap();
    phone.wait_for_text("to both of you").await.unwrap();
    laptop.wait_for_text("to both of you").await.unwrap();
    // Who comes later finds no bundle of the phone and reaches the laptop, by the best version: what a server
    // lost is no reason for a silent step down.
    let carol = server.add_account("carol").await.unwrap();
    let mut carols = Phone::online(&server, &carol, "carol", folder.path())
        .await
        .unwrap();
    let id = carols.send(&alice.jid, "to whom I can").await.unwrap();
    assert_eq!(carols.wait_until_sent(id).await.unwrap(), Delivery::Acked);
    let got = laptop.wait_for_text("to whom I can").await.unwrap();
    assert_eq!(got.encryption, Encryption::Omemo2);
}

#[tokio::test]
async fn a_device_that_is_taken_off_its_list_puts_itself_back_and_keeps_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let own = phone.account.device_id().as_u32();
    server
        .publish_as_operator("alice", DEVICES, "current", &list(&[7, 8]))
        .await
        .unwrap();
    wait_for_ids(&server, "alice", DEVICES, &[7, 8, own]).await;
    server
        .publish_as_operator("alice", LEGACY_DEVICES, "current", &legacy_list(&[]))
        .await
        .unwrap();
    wait_for_ids(&server, "alice", LEGACY_DEVICES, &[own]).await;
    // The user hears of the devices that the server invented.
    for expected in [7, 8] {
        phone
            .wait("the new device", |event| match event {
                Event::DeviceAppeared { device } => {
                    (device.address.device.as_u32() == expected).then_some(())
                }
                _ => None,
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn pitfall_03_whoever_takes_a_device_off_its_list_again_and_again_is_not_answered_for_ever() {
    const ROUNDS: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    server.refuse_max_items(&[]).await.unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let own = phone.account.device_id().as_u32();
    let mut repaired = 0;
    for round in 0..ROUNDS {
        let other = u32::try_from(100 + round).unwrap();
        server
            .publish_as_operator("alice", DEVICES, "current", &list(&[other]))
            .await
            .unwrap();
        let answered = wait_for("the answer", Duration::from_secs(2), || async {
            published_ids(&server, "alice", DEVICES)
                .await
                .contains(&own)
        });
        if answered.await.is_err() {
            break;
        }
        repaired += 1;
    }
    assert!((1..ROUNDS).contains(&repaired), "{repaired} times");
    let publications = server.publications().await.unwrap();
    let lists = publications.iter().filter(|line| line.starts_with(DEVICES));
    assert!(lists.count() < ROUNDS, "{publications:?}");
    // Nothing else suffers, and the next connection puts it right.
    phone.reopen().await.unwrap();
    phone.connect().await.unwrap();
    assert!(
        published_ids(&server, "alice", DEVICES)
            .await
            .contains(&own)
    );
    stranger_talks_with(&server, &mut phone, folder.path()).await;
}

#[tokio::test]
async fn a_list_that_is_deleted_is_published_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let own = phone.account.device_id().as_u32();
    for node in [DEVICES, LEGACY_DEVICES] {
        server.delete_node_as_operator("alice", node).await.unwrap();
        wait_for_ids(&server, "alice", node, &[own]).await;
        let access = server
            .node_setting("alice", node, "access_model")
            .await
            .unwrap();
        assert_eq!(access, "open", "{node}");
    }
    stranger_talks_with(&server, &mut phone, folder.path()).await;
}

#[tokio::test]
async fn a_bundle_that_is_deleted_is_published_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let own = phone.account.device_id().to_string();
    let legacy = format!("eu.siacs.conversations.axolotl.bundles:{own}");
    phone.account.disconnect().await;
    server
        .delete_node_as_operator("alice", BUNDLES)
        .await
        .unwrap();
    server
        .delete_node_as_operator("alice", &legacy)
        .await
        .unwrap();
    phone.connect().await.unwrap();
    server.published_item("alice", BUNDLES, &own).await.unwrap();
    server
        .published_item("alice", &legacy, "current")
        .await
        .unwrap();
    stranger_talks_with(&server, &mut phone, folder.path()).await;
}

#[tokio::test]
async fn a_device_that_the_server_adds_to_a_contact_is_an_event_and_a_line_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    server.befriend("alice", "bob").await.unwrap();
    let bobs = Phone::online(&server, &bob, "bob", folder.path())
        .await
        .unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    let real = bobs.account.device_id().as_u32();
    let bobs_jid = bob.jid.clone();
    let appeared = move |expected: u32| {
        let jid = bobs_jid.clone();
        move |event: &Event| match event {
            Event::DeviceAppeared { device } => (device.address.jid == jid
                && device.address.device.as_u32() == expected)
                .then_some(device.listed),
            _ => None,
        }
    };
    assert!(phone.wait("Bob's device", appeared(real)).await.unwrap());
    server
        .publish_as_operator("bob", DEVICES, "current", &list(&[real, 666]))
        .await
        .unwrap();
    assert!(
        phone
            .wait("the server's device", appeared(666))
            .await
            .unwrap()
    );
    let devices = phone.account.devices(&bob.jid).await.unwrap();
    let ids: Vec<u32> = devices
        .iter()
        .map(|device| device.address.device.as_u32())
        .collect();
    assert!(ids.contains(&666) && ids.contains(&real), "{ids:?}");
    // It publishes no bundle, so it gets nothing; Bob himself does.
    let mut bobs = bobs;
    phone.send(&bob.jid, "for Bob alone").await.unwrap();
    bobs.wait_for_text("for Bob alone").await.unwrap();

    let copy = folder.path().join("copy.db");
    unencrypted_copy(&phone, &copy).unwrap();
    let database = rusqlite::Connection::open(copy).unwrap();
    let lines: u32 = database
        .query_row(
            "SELECT count(*) FROM device_log WHERE jid = ?1 AND device = 666 AND kind = 1",
            [bob.jid.as_str()],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(lines, 1);
}

#[tokio::test]
async fn a_list_full_of_rubbish_is_read_as_far_as_it_makes_sense() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let mut bobs = Phone::online(&server, &bob, "bob", folder.path())
        .await
        .unwrap();
    let real = bobs.account.device_id().as_u32();
    let rubbish = format!(
        "<devices xmlns='urn:xmpp:omemo:2'><device id='0'/><device id='-1'/><device id='4294967296'/>\
         <device id='x'/><device id=''/><device/><device id='{real}' label='&lt;b&gt;' labelsig='!'/>\
         <device id='{real}'/><other xmlns='urn:example' id='5'/>text</devices>"
    );
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    for (list, is_repaired) in [
        // Bob's device finds itself there, and leaves the rest to whoever wrote it.
        (rubbish.as_str(), false),
        ("<devices xmlns='urn:xmpp:omemo:2'/>", true),
        ("<list xmlns='urn:example'/>", true),
    ] {
        server
            .publish_as_operator("bob", DEVICES, "current", list)
            .await
            .unwrap();
        if is_repaired {
            wait_for_ids(&server, "bob", DEVICES, &[real]).await;
        }
        phone.account.refresh_devices(&bob.jid).await.unwrap();
        let text = format!("in spite of {list}");
        let id = phone.send(&bob.jid, &text).await.unwrap();
        assert_eq!(phone.wait_until_sent(id).await.unwrap(), Delivery::Acked);
        bobs.wait_for_text(&text).await.unwrap();
    }
    let devices = phone.account.devices(&bob.jid).await.unwrap();
    assert_eq!(devices.len(), 1, "{devices:?}");
    // The same on the own list: what makes sense is kept, with this device beside it.
    let own = phone.account.device_id().as_u32();
    server
        .publish_as_operator("alice", DEVICES, "current", &rubbish)
        .await
        .unwrap();
    wait_for_ids(&server, "alice", DEVICES, &[real, own]).await;
}
