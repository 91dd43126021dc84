//! What there is to export, and short words for both ways.

use std::io::{Cursor, Read as _, Write as _};
use std::ops::ControlFlow;

use age::secrecy::SecretString;
use eft_omemo::{DistrustedBy, Fingerprint, RecordKey, Records, TrustLevel, VerifiedBy};
use eft_store::{
    Batch, Content, ConversationEncryption, ConversationRef, Credential, DeliveryState,
    DeviceEvent, DeviceEventKind, ExportError, ExportOptions, ImportError, Imported,
    MessageEncryption, MessageUpdate, Opaque, OptOut, Place, Plaintext, Progress, SendFailure,
    SenderTrust, Store, StreamState, UnreadableCause,
};
use eft_types::{BareJid, DeviceAddress, StanzaId};

use crate::support::*;

pub(crate) const PASSPHRASE: &str = "parting is such sweet sorrow";

pub(crate) fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(super) fn export_with(store: &Store, options: ExportOptions) -> Result<Vec<u8>, ExportError> {
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

pub(super) fn export(store: &Store) -> Vec<String> {
    lines_of(&export_with(store, ExportOptions::default()).unwrap())
}

pub(super) fn tybalt() -> BareJid {
    jid("tybalt@capulet.example")
}

/// Makes an installation, and answers its records.
pub(super) fn install(home: &Home, seed: u64) -> Records {
    let effects = eft_omemo::install(&own(), &[], at(1), &mut rng(seed));
    let mut batch = Batch::new();
    batch.merge_changes(effects.changes);
    home.commit(&batch);
    account_records(home)
}

pub(super) fn account_records(home: &Home) -> Records {
    let mut records = Records::new();
    let keys = [RecordKey::Account, RecordKey::Trust(own())];
    for (key, record) in home.store.load(&keys).unwrap() {
        records.insert_loaded(key, record);
    }
    records
}

pub(super) fn decide(home: &Home, jid: &BareJid, key: u8, level: TrustLevel) {
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
pub(super) fn furnished() -> Home {
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
