//! What is in the file, and what must not be.

use eft_store::{Batch, ExportError, ExportOptions, IdentityKeyFate};
use eft_types::BareJid;

use super::stage::{account_records, export, export_with, furnished, import, lines_of, tybalt};
use crate::support::*;

#[test]
fn an_empty_account_takes_everything_over_as_it_was() {
    let old = furnished();
    let file = export_with(&old.store, ExportOptions::default()).unwrap();
    let lines = lines_of(&file);
    let new = Home::new();
    let imported = import(&new.store, &file).unwrap();
    assert_eq!(imported.exported, at(77));
    assert_eq!(
        (imported.inserted, imported.improved, imported.known),
        (8, 0, 0)
    );
    assert_eq!(imported.identity, None);
    // The key of the other installation is one that was consented to: nobody compared it.
    let expected: Vec<String> = lines
        .iter()
        .map(|line| line.replace(r#""level":"own""#, r#""level":"verified_by_consent""#))
        .collect();
    assert_ne!(expected, lines);
    assert_eq!(export(&new.store), expected);
    assert_eq!(new.texts(&juliet()), old.texts(&juliet()));
    assert_eq!(new.texts(&room()), old.texts(&room()));
    let conversation = |home: &Home, peer: &BareJid| home.store.conversation(peer).unwrap();
    for peer in [juliet(), tybalt(), room()] {
        assert_eq!(conversation(&new, &peer), conversation(&old, &peer));
    }
    assert_eq!(
        new.store.device_log(None, 10).unwrap(),
        old.store.device_log(None, 10).unwrap()
    );
    // The archive is read on from where the other device was.
    let cursor = new.store.archive_cursor(&own()).unwrap().unwrap();
    assert_eq!(cursor.last.unwrap().0.as_str(), "archived-second");
    assert!(!cursor.at_end);
    let found = new.store.search("second", None, None, 10).unwrap();
    assert_eq!(found.len(), 1);
}

#[test]
fn what_must_not_leave_the_device_is_not_in_the_file() {
    let home = furnished();
    let text = export(&home.store).join("\n");
    let mut kinds: Vec<&str> = text
        .split(r#"{"row":""#)
        .skip(1)
        .map(|row| row.split('"').next().unwrap())
        .collect();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "archive",
            "conversation",
            "trust",
            "message",
            "device_event",
            "end"
        ]
    );
    for secret in ["the password", "the stream", "the token", "ciphertext"] {
        for form in [secret.to_owned(), base64(secret.as_bytes())] {
            let form = form.trim_end_matches('=');
            assert!(!text.contains(form), "{secret}");
        }
    }
    let identity = eft_omemo::identity_secret(&account_records(&home)).unwrap();
    assert!(!text.contains(&base64(identity.as_bytes())));
    let moved = export_with(
        &home.store,
        ExportOptions {
            identity: IdentityKeyFate::Moves,
        },
    );
    assert!(
        lines_of(&moved.unwrap())
            .join("\n")
            .contains(&base64(identity.as_bytes())),
        "the search finds it where it is"
    );
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

#[test]
fn the_identity_key_moves_if_the_user_wants_it_and_makes_a_new_device() {
    let old = furnished();
    let options = ExportOptions {
        identity: IdentityKeyFate::Moves,
    };
    let file = export_with(&old.store, options).unwrap();
    let new = Home::new();
    let imported = import(&new.store, &file).unwrap();
    let before = account_records(&old);
    let taken = [eft_omemo::own_address(&before).unwrap().device];
    let effects = eft_omemo::install_imported(
        &account_records(&new),
        &own(),
        imported.identity,
        &taken,
        at(1),
        &mut rng(2),
    )
    .unwrap();
    let mut batch = Batch::new();
    batch.merge_changes(effects.changes);
    new.commit(&batch);
    let after = account_records(&new);
    assert_eq!(
        eft_omemo::own_fingerprint(&after),
        eft_omemo::own_fingerprint(&before)
    );
    assert_ne!(
        eft_omemo::own_address(&after),
        eft_omemo::own_address(&before)
    );
    // Without an installation there is nothing to move.
    assert!(matches!(
        export_with(&Home::new().store, options),
        Err(ExportError::NoIdentity)
    ));
}
