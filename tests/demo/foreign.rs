//! Other apps, in both OMEMO versions. They share no code with Eft.

use eft::Encryption;
use eft_tests::{Bot, BotOptions, Version};

use crate::cast::Cast;
use crate::story::{Failure, MARKER, PATIENCE, check};
use crate::telling::Telling;

/// Carol's app knows legacy OMEMO only, Erin's knows both.
pub(crate) async fn other_apps(telling: &Telling, cast: &mut Cast) -> Result<(), Failure> {
    telling.chapter("Carol and Erin use another app (Python, slixmpp and python-omemo)");
    let carol = cast.server.add_account("carol").await?;
    let erin = cast.server.add_account("erin").await?;
    let legacy_only = BotOptions {
        only: Some(Version::Legacy),
        ..BotOptions::default()
    };
    let (carols, erins) = tokio::try_join!(
        Bot::start_with(&cast.server, &carol, legacy_only),
        Bot::start(&cast.server, &erin)
    )?;
    carols_old_app(telling, cast, carols).await?;
    erins_new_app(telling, cast, erins).await
}

async fn carols_old_app(telling: &Telling, cast: &mut Cast, mut app: Bot) -> Result<(), Failure> {
    let text = format!("Bonjour ({MARKER})");
    app.send(&cast.alice.jid, &text, Version::Legacy).await?;
    for device in [&mut cast.phone, &mut cast.laptop] {
        let got = device.wait_for_text(&text).await?;
        check(
            got.encryption == Encryption::OmemoLegacy && got.sender_device == Some(app.device()),
            "Carol's message did not come over legacy OMEMO from her device",
        )?;
    }
    telling.checked("Carol's app, an old one, writes; both devices of Alice decrypt it [legacy].");
    let text = format!("Bonjour, Carol ({MARKER})");
    cast.phone.send(app.jid(), &text).await?;
    let got = app.wait_for_message(&text, PATIENCE).await?;
    check(
        got["version"] == Version::Legacy.word(),
        "Carol's app got it in another version",
    )?;
    let copy = cast.laptop.wait_for_text(&text).await?;
    check(
        copy.encryption == Encryption::Omemo2,
        "the laptop got it in another version",
    )?;
    telling.checked(
        "Alice answers in one message for both: Carol's app decrypts it [legacy], Alice's laptop too [omemo:2].",
    );
    app.quit().await?;
    Ok(())
}

async fn erins_new_app(telling: &Telling, cast: &mut Cast, mut app: Bot) -> Result<(), Failure> {
    let text = format!("Bonjour, Erin ({MARKER})");
    cast.phone.send(app.jid(), &text).await?;
    let got = app.wait_for_message(&text, PATIENCE).await?;
    check(
        got["version"] == Version::Omemo2.word(),
        "Erin's app got it in another version",
    )?;
    telling.checked(
        "Erin's app knows both versions; Alice writes, and it decrypts the better one [omemo:2].",
    );
    for (version, encryption, name) in [
        (Version::Omemo2, Encryption::Omemo2, "omemo:2"),
        (Version::Legacy, Encryption::OmemoLegacy, "legacy"),
    ] {
        let text = format!("Salut in {name} ({MARKER})");
        app.send(&cast.alice.jid, &text, version).await?;
        for device in [&mut cast.phone, &mut cast.laptop] {
            let got = device.wait_for_text(&text).await?;
            check(
                got.encryption == encryption,
                "Erin's answer came in another version",
            )?;
        }
        telling.checked(&format!(
            "Erin's app answers, both devices of Alice decrypt it [{name}]."
        ));
    }
    let known = cast.phone.account.devices(app.jid()).await?;
    let shown: Vec<_> = known
        .iter()
        .filter_map(|device| device.fingerprint)
        .collect();
    check(
        known.len() == 1 && shown.len() == 1,
        "Erin's one device is not one device with one key",
    )?;
    telling.checked("For Alice that is one device with one key, whichever version it speaks.");
    app.quit().await?;
    Ok(())
}
