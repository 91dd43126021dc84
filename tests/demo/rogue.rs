//! Compared fingerprints, and the device that the server's operator adds.

use eft::{
    Delivery, DeviceId, DeviceInfo, DistrustedBy, Event, MessageId, Trust, TrustLevel, VerifiedBy,
};
use eft_tests::{Phone, Reading, Rogue, Version};

use crate::cast::{Cast, beginning};
use crate::story::{Failure, MARKER, check};
use crate::telling::Telling;

/// Bob compares fingerprints with Alice.
pub(crate) async fn fingerprints(telling: &Telling, cast: &mut Cast) -> Result<(), Failure> {
    telling.chapter("Bob meets Alice and compares fingerprints; Dave never does");
    for (whose, device) in [("phone", &cast.phone), ("laptop", &cast.laptop)] {
        let id = device.account.device_id();
        let real = device.account.fingerprint();
        let shown = known(&cast.bobs, cast, id).await?;
        check(
            shown.fingerprint == Some(real),
            "Bob's app shows another key than Alice's device",
        )?;
        let compared = TrustLevel::Verified {
            by: VerifiedBy::Fingerprint,
        };
        cast.bobs
            .account
            .set_trust(&cast.alice.jid, real, compared)
            .await?;
        check(
            known(&cast.bobs, cast, id).await?.trust == Trust::Verified,
            "the device is not verified after that",
        )?;
        telling.checked(&format!(
            "Alice's {whose}: {} on both screens. Verified.",
            beginning(real)
        ));
    }
    // Dave has written with her, so that he and Bob differ in nothing but this.
    let text = format!("Dave here ({MARKER})");
    cast.daves.send(&cast.alice.jid, &text).await?;
    for device in [&mut cast.phone, &mut cast.laptop] {
        device.wait_for_text(&text).await?;
        let id = device.account.device_id();
        let shown = cast.daves.account.devices(&cast.alice.jid).await?;
        check(
            shown
                .iter()
                .any(|device| device.address.device == id && device.trust == Trust::BlindlyTrusted),
            "Dave's app does not trust blindly",
        )?;
    }
    telling.checked("Dave's app trusts the devices it finds, as long as he compares nothing.");
    Ok(())
}

/// The operator adds a device of its own to Alice's lists.
pub(crate) async fn an_added_device(telling: &Telling, cast: &mut Cast) -> Result<(), Failure> {
    telling
        .chapter("The server's operator wants to read along, and adds a device to Alice's lists");
    let mut rogue = Rogue::new(&cast.alice.jid)?;
    let (id, number) = (rogue.id(), rogue.id().to_string());
    let real = [
        cast.phone.account.device_id(),
        cast.laptop.account.device_id(),
    ];
    rogue
        .slip_in(&cast.server, &real, &[Version::Omemo2, Version::Legacy])
        .await?;
    check(
        cast.server.pep_text("alice")?.contains(&number),
        "the server does not list it",
    )?;
    telling.checked(&format!(
        "Device {id}, with valid keys, stands on the lists as one of Alice's."
    ));
    for device in [&mut cast.bobs, &mut cast.daves, &mut cast.phone] {
        device
            .wait("the new device", |event| match event {
                Event::DeviceAppeared { device } if device.address.device == id => Some(()),
                _ => None,
            })
            .await?;
    }
    telling.checked("Bob's, Dave's and Alice's own apps are told that it appeared.");
    let own = cast.phone.account.devices(&cast.alice.jid).await?;
    check(
        own.iter()
            .any(|device| device.address.device == id && device.trust == Trust::Undecided),
        "Alice's own phone trusts it",
    )?;
    telling.checked("Alice's own phone asks her about it, and sends it nothing that she writes.");

    let text = format!("Who is that? ({MARKER})");
    let failed = cast.bobs.send(&cast.alice.jid, &text).await?;
    let delivery = cast.bobs.wait_until_sent(failed).await?;
    let asks = Delivery::Failed {
        reason: "not-trusted".to_owned(),
    };
    check(delivery == asks, "Bob's message left")?;
    let shown = known(&cast.bobs, cast, id).await?;
    check(
        shown.trust == Trust::Undecided && shown.fingerprint == Some(rogue.fingerprint()),
        "Bob is not asked about it",
    )?;
    telling.checked(&format!(
        "Bob's next message does not leave: his app asks about key {}",
        beginning(rogue.fingerprint())
    ));

    let refused = TrustLevel::Distrusted {
        by: DistrustedBy::User,
    };
    cast.bobs
        .account
        .set_trust(&cast.alice.jid, rogue.fingerprint(), refused)
        .await?;
    let text = format!("Just us two ({MARKER})");
    let sent = cast.bobs.send(&cast.alice.jid, &text).await?;
    check(
        cast.bobs.wait_until_sent(sent).await? == Delivery::Acked,
        "the message did not leave",
    )?;
    cast.phone.wait_for_text(&text).await?;
    cast.laptop.wait_for_text(&text).await?;
    telling.checked("He says no, writes again, and both real devices of Alice show it.");
    let stanza = archived(cast, &cast.bobs, sent).await?;
    check(
        real.iter().all(|id| stanza.contains(&id.to_string())),
        "the search sees no keys at all",
    )?;
    check(!stanza.contains(&number), "it holds a key for the operator")?;
    let readings = rogue.read(&stanza)?;
    check(
        readings
            .iter()
            .all(|reading| reading.key_count == 0 && reading.text().is_none()),
        "the operator can read it",
    )?;
    telling.checked(&format!(
        "The server's copy has keys for those two and none for {id}: the operator tries, and reads nothing."
    ));

    let text = format!("I like your new device ({MARKER})");
    let sent = cast.daves.send(&cast.alice.jid, &text).await?;
    check(
        cast.daves.wait_until_sent(sent).await? == Delivery::Acked,
        "Dave's message did not leave",
    )?;
    let stanza = archived(cast, &cast.daves, sent).await?;
    let read: Vec<_> = rogue
        .read(&stanza)?
        .iter()
        .filter_map(Reading::text)
        .collect();
    check(
        stanza.contains(&number) && read == [text],
        "the operator cannot read Dave's message either: nothing was shown",
    )?;
    telling.checked(&format!(
        "Dave's message has a key for {id}, and the operator reads it word by word: that is what comparing is for."
    ));
    Ok(())
}

/// A device of Alice's as this app shows it.
async fn known(device: &Phone, cast: &Cast, id: DeviceId) -> Result<DeviceInfo, Failure> {
    let devices = device.account.devices(&cast.alice.jid).await?;
    devices
        .into_iter()
        .find(|device| device.address.device == id)
        .ok_or_else(|| format!("{} does not know device {id}", device.name).into())
}

/// The stanza of a message to Alice, as her archive on the server holds it.
async fn archived(cast: &Cast, sender: &Phone, id: MessageId) -> Result<String, Failure> {
    let history = sender.history(&cast.alice.jid).await?;
    let origin_id = history
        .iter()
        .find(|message| message.id == id)
        .and_then(|message| message.origin_id.as_ref())
        .ok_or("the message has no id")?;
    cast.server
        .archived_stanzas("alice", sender.account.jid())
        .await?
        .into_iter()
        .map(|stanza| stanza.xml)
        .find(|xml| xml.contains(origin_id.as_str()))
        .ok_or_else(|| "the message is not in the server's archive".into())
}
