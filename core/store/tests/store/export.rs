//! The history in one file: what goes in, what comes out, and what is not taken.

use std::io::{Cursor, Read as _, Write};
use std::ops::ControlFlow;

use age::secrecy::SecretString;
use eft_omemo::{DistrustedBy, Fingerprint, RecordKey, Records, TrustLevel, VerifiedBy};
use eft_store::{
    Batch, Content, ConversationEncryption, ConversationRef, Credential, DeliveryState,
    DeviceEvent, DeviceEventKind, ExportError, ExportOptions, Exported, IdentityKeyFate,
    ImportError, Imported, MessageEncryption, MessageUpdate, NewOutboxEntry, Opaque, OptOut,
    OutboxContent, Place, Plaintext, Progress, ProgressStep, SendFailure, SenderTrust, Store,
    StreamState, UnreadableCause,
};
use eft_types::{BareJid, DeviceAddress, OriginId, StanzaId};

use crate::support::*;

pub(crate) const PASSPHRASE: &str = "parting is such sweet sorrow";

pub(crate) fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn export_with(store: &Store, options: ExportOptions) -> Result<Vec<u8>, ExportError> {
    let mut file = Vec::new();
    store.export(&mut file, PASSPHRASE, &options, at(77), &mut go_on)?;
    Ok(file)
}

/// The lines of an export, as any user of age reads them.
pub(crate) fn lines_of(file: &[u8]) -> Vec<String> {
    let identity = age::scrypt::Identity::new(SecretString::from(PASSPHRASE.to_owned()));
    let sealed = age::Decryptor::new(file).unwrap();
    let mut text = String::new();
    sealed
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text.lines().map(str::to_owned).collect()
}

/// A file with these bytes inside, made in no time.
pub(crate) fn sealed(inside: &[u8]) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(PASSPHRASE.to_owned()));
    recipient.set_work_factor(1);
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let mut file = Vec::new();
    let mut output = age::Encryptor::with_recipients(recipients)
        .unwrap()
        .wrap_output(&mut file)
        .unwrap();
    output.write_all(inside).unwrap();
    output.finish().unwrap();
    file
}

pub(crate) fn sealed_lines(lines: &[String]) -> Vec<u8> {
    sealed((lines.join("\n") + "\n").as_bytes())
}

pub(crate) fn import(store: &Store, file: &[u8]) -> Result<Imported, ImportError> {
    store.import(Cursor::new(file), PASSPHRASE, &mut go_on)
}

fn export(store: &Store) -> Vec<String> {
    lines_of(&export_with(store, ExportOptions::default()).unwrap())
}

fn tybalt() -> BareJid {
    jid("tybalt@capulet.example")
}

/// Makes an installation, and answers its records.
fn install(home: &Home, seed: u64) -> Records {
    let effects = eft_omemo::install(&own(), &[], at(1), &mut rng(seed));
    let mut batch = Batch::new();
    batch.merge_changes(effects.changes);
    home.commit(&batch);
    account_records(home)
}

fn account_records(home: &Home) -> Records {
    let mut records = Records::new();
    let keys = [RecordKey::Account, RecordKey::Trust(own())];
    for (key, record) in home.store.load(&keys).unwrap() {
        records.insert_loaded(key, record);
    }
    records
}

fn decide(home: &Home, jid: &BareJid, key: u8, level: TrustLevel) {
    let mut records = Records::new();
    for (key, record) in home.store.load(&[RecordKey::Trust(jid.clone())]).unwrap() {
        records.insert_loaded(key, record);
    }
    let fingerprint = Fingerprint::from_bytes([key; 32]);
    let mut batch = Batch::new();
    batch.merge_changes(eft_omemo::set_trust(&records, jid, fingerprint, level, at(500)).unwrap());
    home.commit(&batch);
}

/// One of everything, and nothing that waits to be sent.
fn furnished() -> Home {
    let home = Home::new();
    install(&home, 1);
    let mut batch = Batch::new();
    batch.set_credential(Some(Credential::new(b"the password".to_vec())));
    batch.set_encryption(
        ConversationRef::direct(juliet()),
        ConversationEncryption::Required,
        at(3),
    );
    let mut rich = paged(live("first"), "first");
    rich.sender_key = Some([9; 32]);
    rich.sender_trust = Some(SenderTrust::Verified);
    rich.server_time = Some(at(5));
    rich.content = Content::Readable(Plaintext {
        text: "first \u{1f339}\n\"quoted\" \\ \u{0}".into(),
        payload: Some(Opaque::new([0, 255, 7])),
    });
    batch.insert_message(rich);
    batch.insert_message(paged(live("second"), "second"));
    let answer = batch.insert_message(ours("answer"));
    let failed_one = batch.insert_message(ours("never"));
    let mut unreadable = named(live("third"), "third");
    unreadable.content = failed(UnreadableCause::BadMac);
    batch.insert_message(unreadable);
    let mut waiting = live("fourth");
    waiting.content = pending();
    batch.insert_message(waiting);
    let mut nameless = live("nameless");
    nameless.origin_id = None;
    nameless.encryption = MessageEncryption::None;
    nameless.unread = false;
    batch.insert_message(nameless);
    let mut in_room = live("in the garden");
    in_room.conversation = ConversationRef::room(room());
    in_room.place = Place::ArchiveNewer;
    in_room.archive_id = Some(eft_store::ArchiveId::new(room(), StanzaId::new("g1")));
    batch.insert_message(in_room);
    batch.advance_archive(progress(Some("second"), true));
    batch.set_opt_out(
        ConversationRef::direct(tybalt()),
        Some(OptOut {
            at: at(8),
            reason: Some("no more of this".into()),
        }),
        at(8),
    );
    batch.log_device(DeviceEvent {
        at: at(9),
        device: DeviceAddress::new(juliet(), device(7)),
        kind: DeviceEventKind::Appeared,
        detail: Some("a fingerprint".into()),
    });
    batch.start_stream(StreamState {
        resume_id: Opaque::new(*b"the stream"),
        handled_inbound: 1,
        acked_outbound: 2,
        details: Opaque::new(*b"the token"),
    });
    let committed = home.commit(&batch);
    let mut batch = Batch::new();
    let id = committed.message(answer).unwrap().id();
    batch.update_message(id, MessageUpdate::Delivery(DeliveryState::Delivered));
    let id = committed.message(failed_one).unwrap().id();
    batch.update_message(
        id,
        MessageUpdate::Delivery(DeliveryState::Failed {
            reason: SendFailure::NotTrusted,
            detail: Some("1 device".into()),
        }),
    );
    home.commit(&batch);
    decide(
        &home,
        &juliet(),
        1,
        TrustLevel::Verified {
            by: VerifiedBy::Code,
        },
    );
    decide(&home, &juliet(), 2, TrustLevel::Undecided);
    let rejected = TrustLevel::Distrusted {
        by: DistrustedBy::User,
    };
    decide(&home, &tybalt(), 3, rejected);
    home
}

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

#[test]
fn importing_again_changes_nothing() {
    let file = export_with(&furnished().store, ExportOptions::default()).unwrap();
    let new = Home::new();
    import(&new.store, &file).unwrap();
    let once = export(&new.store);
    let again = import(&new.store, &file).unwrap();
    assert_eq!((again.inserted, again.improved, again.known), (0, 0, 8));
    assert_eq!(export(&new.store), once);
}

#[test]
fn what_waited_to_be_sent_failed_where_it_was_imported() {
    let old = Home::new();
    let mut batch = Batch::new();
    let message = batch.insert_message(ours("later"));
    batch.enqueue(NewOutboxEntry {
        content: OutboxContent::NewMessage(message),
        stanza: None,
        to: None,
        queued: at(1),
    });
    old.commit(&batch);
    let new = Home::new();
    import(
        &new.store,
        &export_with(&old.store, ExportOptions::default()).unwrap(),
    )
    .unwrap();
    let page = new.store.timeline(&juliet(), None, 10).unwrap();
    assert!(matches!(
        &page[0].delivery,
        Some(DeliveryState::Failed {
            reason: SendFailure::Other,
            ..
        })
    ));
    assert_eq!(new.store.outbox(None, 10).unwrap(), []);
    assert!(
        page[0]
            .delivery
            .as_ref()
            .unwrap()
            .may_become(&DeliveryState::Queued)
    );
}

#[test]
fn what_could_not_be_read_here_becomes_readable_and_what_could_stays() {
    let old = Home::new();
    commit_page(&old, &["a", "b"], true);
    let file = export_with(&old.store, ExportOptions::default()).unwrap();
    let new = Home::new();
    let mut batch = Batch::new();
    let mut sealed_message = paged(live("a"), "a");
    sealed_message.content = failed(UnreadableCause::NotForThisDevice);
    let sealed_message = batch.insert_message(sealed_message);
    let mut other = paged(live("b"), "b");
    other.content = Content::Readable(Plaintext::text("b as it is here"));
    batch.insert_message(other);
    let id = new.commit(&batch).message(sealed_message).unwrap().id();
    let imported = import(&new.store, &file).unwrap();
    assert_eq!(
        (imported.inserted, imported.improved, imported.known),
        (0, 1, 1)
    );
    assert_eq!(new.texts(&juliet()), ["a", "b as it is here"]);
    assert_eq!(text_of(&new.message(id)), "a");
}

#[test]
fn history_stands_before_what_is_here_or_behind_what_both_have() {
    let old = Home::new();
    commit_page(&old, &["a", "b", "c", "d"], true);
    old.insert(&live("unarchived"));
    let file = export_with(&old.store, ExportOptions::default()).unwrap();
    let expect = |home: &Home, texts: &[&str]| {
        import(&home.store, &file).unwrap();
        assert_eq!(home.texts(&juliet()), texts);
    };

    // Nothing in common: here is what came later.
    let later = Home::new();
    commit_page(&later, &["x", "y"], true);
    later.insert(&live("now"));
    expect(&later, &["a", "b", "c", "d", "unarchived", "x", "y", "now"]);

    // The archive was not read here, and something arrived live.
    let fresh = Home::new();
    fresh.insert(&live("now"));
    expect(&fresh, &["a", "b", "c", "d", "unarchived", "now"]);
    // It goes on where the other device was.
    commit_page(&fresh, &["e"], true);
    assert_eq!(
        fresh.texts(&juliet()),
        ["a", "b", "c", "d", "unarchived", "e", "now"]
    );

    // The archive was read from the middle on.
    let half = Home::new();
    commit_page(&half, &["c", "d", "e"], true);
    expect(&half, &["a", "b", "c", "d", "unarchived", "e"]);

    // Something in the middle is missing here.
    let hole = Home::new();
    commit_page(&hole, &["a", "d", "e"], true);
    expect(&hole, &["a", "b", "c", "d", "unarchived", "e"]);

    // The archive goes on where this device was.
    commit_page(&hole, &["f"], true);
    assert_eq!(
        hole.texts(&juliet()),
        ["a", "b", "c", "d", "unarchived", "e", "f"]
    );
}

#[test]
fn decisions_here_stay_and_requirements_there_come_along() {
    let old = furnished();
    let file = export_with(&old.store, ExportOptions::default()).unwrap();
    let new = Home::new();
    let mut batch = Batch::new();
    batch.set_encryption(
        ConversationRef::direct(juliet()),
        ConversationEncryption::OffByUser,
        at(1),
    );
    // It is known here that there is no wish any more.
    batch.set_opt_out(ConversationRef::direct(tybalt()), None, at(1));
    new.commit(&batch);
    import(&new.store, &file).unwrap();
    let conversation = |peer: &BareJid| new.store.conversation(peer).unwrap().unwrap();
    assert_eq!(
        conversation(&juliet()).encryption,
        ConversationEncryption::OffByUser
    );
    assert_eq!(conversation(&tybalt()).opt_out, None);
}

#[test]
fn what_is_imported_is_forgotten_by_its_age_although_its_rows_are_new() {
    let old = Home::new();
    let mut message = live("old");
    message.received = at(10);
    old.insert(&message);
    let new = Home::new();
    new.insert(&live("new"));
    import(
        &new.store,
        &export_with(&old.store, ExportOptions::default()).unwrap(),
    )
    .unwrap();
    assert_eq!(new.texts(&juliet()), ["old", "new"]);
    assert_eq!(new.store.expire(at(11), 10).unwrap(), 1);
    assert_eq!(new.texts(&juliet()), ["new"]);
}

#[test]
fn an_export_ends_when_the_observer_says_so_or_the_output_is_full() {
    let home = Home::new();
    let mut batch = Batch::new();
    for number in 0..600 {
        batch.insert_message(live(&number.to_string()));
    }
    home.commit(&batch);
    let mut seen = Vec::new();
    let done = home.store.export(
        Vec::new(),
        PASSPHRASE,
        &ExportOptions::default(),
        at(1),
        &mut |progress| {
            seen.push((progress.step, progress.messages, progress.of));
            match progress.messages {
                512 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        },
    );
    assert!(matches!(done, Err(ExportError::Cancelled)));
    let writing = ProgressStep::Writing;
    assert_eq!(
        seen,
        [(writing, 0, 600), (writing, 256, 600), (writing, 512, 600)]
    );

    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if bytes.len() > self.0 {
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            self.0 -= bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let options = ExportOptions::default();
    let full = |room| {
        home.store
            .export(Full(room), PASSPHRASE, &options, at(1), &mut go_on)
    };
    assert!(matches!(full(0), Err(ExportError::Output { .. })));
    for room in [1000, 70_000] {
        assert!(matches!(
            full(room),
            Err(ExportError::Output {
                kind: std::io::ErrorKind::StorageFull
            })
        ));
    }
    assert!(matches!(full(1 << 20), Ok(Exported { messages: 600, .. })));
    // The connection that read is still of use.
    assert_eq!(home.texts(&juliet()).len(), 600);
    let empty = home
        .store
        .export(Vec::new(), "", &options, at(1), &mut go_on);
    assert!(matches!(empty, Err(ExportError::EmptyPassphrase)));
}

#[test]
fn a_suspended_store_neither_exports_nor_imports() {
    let home = Home::new();
    let file = export_with(&home.store, ExportOptions::default()).unwrap();
    home.store.suspend().unwrap();
    assert!(matches!(
        export_with(&home.store, ExportOptions::default()),
        Err(ExportError::Store(eft_store::StoreError::Suspended))
    ));
    assert!(matches!(
        import(&home.store, &file),
        Err(ImportError::Store(eft_store::StoreError::Suspended))
    ));
}

#[test]
fn an_import_that_is_stopped_anywhere_is_completed_by_the_next() {
    let old = Home::new();
    let mut batch = Batch::new();
    for number in 0..1500 {
        let mut message = live(&number.to_string());
        if number % 3 == 0 {
            message.conversation = ConversationRef::direct(tybalt());
        }
        if number % 5 == 0 {
            message.origin_id = None;
            message.received = at(number);
        }
        batch.insert_message(message);
    }
    old.commit(&batch);
    let lines = export(&old.store);
    let file = sealed_lines(&lines);
    let new = Home::new();
    let mut stops = 0;
    for stop in 0.. {
        let mut reports = 0;
        let done = new
            .store
            .import(Cursor::new(&file), PASSPHRASE, &mut |progress| {
                reports += 1;
                assert_eq!(progress.of, 1500);
                match reports > stop {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
        match done {
            Err(ImportError::Cancelled) => stops += 1,
            other => {
                other.unwrap();
                break;
            }
        }
    }
    assert!(stops >= 10, "{stops}");
    for peer in [juliet(), tybalt()] {
        assert_eq!(new.texts(&peer), old.texts(&peer));
    }
}

#[test]
fn an_origin_of_our_own_is_not_doubled_when_the_copy_has_a_name_in_the_archive() {
    let old = Home::new();
    let mut message = named(ours("hello"), "hello");
    message.origin_id = Some(OriginId::new("o1"));
    old.insert(&message);
    let new = Home::new();
    let mut message = ours("hello");
    message.origin_id = Some(OriginId::new("o1"));
    let id = new.insert(&message).id();
    import(
        &new.store,
        &export_with(&old.store, ExportOptions::default()).unwrap(),
    )
    .unwrap();
    assert_eq!(new.texts(&juliet()), ["hello"]);
    assert_eq!(new.message(id).archive_id, Some(archived_as("hello")));
}
