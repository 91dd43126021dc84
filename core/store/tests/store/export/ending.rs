//! An export or import that is stopped.

use std::io::{Cursor, Write};
use std::ops::ControlFlow;

use eft_store::{
    Batch, ConversationRef, ExportError, ExportOptions, Exported, ImportError, ProgressStep,
};

use super::stage::{PASSPHRASE, export, export_with, go_on, import, sealed_lines, tybalt};
use crate::support::*;

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
