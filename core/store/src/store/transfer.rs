//! Taking the history to another device.

use std::io::{Read, Seek, Write};
use std::ops::ControlFlow;

use eft_types::Timestamp;

use super::Store;
use crate::batch::Durability;
use crate::commit::import::{self, Import};
use crate::error::StoreError;
use crate::export::{
    self, ExportError, ExportOptions, Exported, ImportError, Imported, Piece, Progress,
    ProgressStep, Source,
};
use crate::omemo::IdentitySecret;

/// Pieces written in one transaction, which is to be short: some ten milliseconds.
const BATCH_PIECES: usize = 256;
/// The same, counted in bytes of the file.
const BATCH_BYTES: usize = 1024 * 1024;

impl Store {
    /// Writes messages, conversations, trust and the device log into one encrypted file, see
    /// [the format](crate::export). It is one state of the database, whatever is committed meanwhile. Memory does not
    /// depend on how much there is, beside 128 MiB for a second, for the passphrase.
    ///
    /// `progress` is called now and then, and stops the export by `Break`. Write to a file beside the one that is
    /// wanted, and rename it when this has returned: a file that is there is then complete.
    ///
    /// # Errors
    /// [`ExportError`], by cause.
    ///
    /// # Examples
    /// ```
    /// use std::io::Cursor;
    /// use std::ops::ControlFlow;
    ///
    /// use eft_store::{
    ///     Batch, Content, ConversationRef, Durability, ExportOptions, NewMessage, Plaintext, Store,
    ///     StoreKey, StoreOptions,
    /// };
    /// use eft_types::{BareJid, Timestamp};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// let (own, juliet) = (BareJid::new("romeo@montague.example")?, BareJid::new("juliet@capulet.example")?);
    /// let create = |name: &str| {
    ///     let key = StoreKey::from_parts([7; 32], [8; 16]);
    ///     Store::create(&folder.path().join(name), &key, &own, &StoreOptions::app())
    /// };
    /// let old = create("old.db")?;
    /// let mut batch = Batch::new();
    /// batch.insert_message(NewMessage::incoming(
    ///     ConversationRef::direct(juliet.clone()),
    ///     juliet.clone().into(),
    ///     Content::Readable(Plaintext::text("Good night, good night!")),
    ///     Timestamp::from_millis(0),
    /// ));
    /// old.commit(&batch, Durability::Full)?;
    ///
    /// let mut file = Vec::new();
    /// let passphrase = "parting is such sweet sorrow";
    /// let now = Timestamp::from_millis(1);
    /// old.export(&mut file, passphrase, &ExportOptions::default(), now, &mut |_| ControlFlow::Continue(()))?;
    ///
    /// let new = create("new.db")?;
    /// let imported = new.import(Cursor::new(&file), passphrase, &mut |_| ControlFlow::Continue(()))?;
    /// assert_eq!(imported.inserted, 1);
    /// assert_eq!(new.timeline(&juliet, None, 10)?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn export<W: Write>(
        &self,
        output: W,
        passphrase: &str,
        options: &ExportOptions,
        now: Timestamp,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Exported, ExportError> {
        let lines = export::begin(output, passphrase)?;
        self.readers.read(|connection| {
            export::store_error(export::write(
                connection, lines, &self.own, options, now, progress,
            ))
        })?
    }

    /// Adds what an export of this account has and this database has not.
    ///
    /// A message that is here stays as it is, except that one which could not be read becomes readable. What is new
    /// stands before what is here, or behind the message that both have. A conversation keeps what was decided about
    /// it here; of two decisions about a key the later one stands; a device stays bound to the key that it showed
    /// here. What waited to be sent there failed here, and can be sent again.
    ///
    /// The file is first read to its end, so that a damaged one changes nothing; then it is written in short
    /// transactions, between which others can commit and the store can be suspended. Stopped in the middle, what was
    /// imported stays, and importing again completes it. What the caller remembers of engine records and archives may
    /// be old afterwards: read them anew. To be called by the holder of the lease, like every write.
    ///
    /// No keys of a device are installed: [`Imported::identity`] is the caller's to use, and the account gets a new
    /// device id in any case.
    ///
    /// # Errors
    /// [`ImportError`], by cause.
    pub fn import<R: Read + Seek>(
        &self,
        input: R,
        passphrase: &str,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Imported, ImportError> {
        let mut source = Source::open(input, passphrase, &self.own)?;
        source.report(ProgressStep::Checking, progress)?;
        while source
            .next_piece(ProgressStep::Checking, progress)?
            .is_some()
        {}
        source.rewind()?;
        source.report(ProgressStep::Importing, progress)?;
        let mut import = Import::default();
        let mut identity = None;
        loop {
            let batch = read_batch(&mut source, progress, &mut identity)?;
            if batch.is_empty() {
                break;
            }
            self.writer
                .write(&self.lease_file, Durability::Deferred, |transaction| {
                    batch
                        .iter()
                        .try_for_each(|piece| self.import_piece(transaction, &mut import, piece))
                })?;
        }
        self.sync()?;
        Ok(Imported {
            exported: source.exported,
            inserted: import.inserted,
            improved: import.improved,
            known: import.known,
            identity,
        })
    }

    fn import_piece(
        &self,
        transaction: &rusqlite::Transaction<'_>,
        import: &mut Import,
        piece: &Piece,
    ) -> Result<(), StoreError> {
        match piece {
            // The caller's to install.
            Piece::Identity(_) => Ok(()),
            Piece::Archive(archive) => import.archive(transaction, &self.own, archive),
            Piece::Conversation(conversation) => import::conversation(transaction, conversation),
            Piece::Trust(jid, decisions) => import::trust(transaction, jid, decisions),
            Piece::Device(device) => import::device(transaction, device),
            Piece::Message(message) => import.message(transaction, &self.own, message),
            Piece::DeviceEvent(event) => import::device_event(transaction, event),
        }
    }
}

/// What is written next, in one transaction. Empty at the end.
fn read_batch<R: Read + Seek>(
    source: &mut Source<'_, R>,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    identity: &mut Option<IdentitySecret>,
) -> Result<Vec<Piece>, ImportError> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while batch.len() < BATCH_PIECES && bytes < BATCH_BYTES {
        match source.next_piece(ProgressStep::Importing, progress)? {
            Some(Piece::Identity(secret)) => *identity = Some(secret),
            Some(piece) => {
                bytes += source.line_bytes();
                batch.push(piece);
            }
            None => break,
        }
    }
    Ok(batch)
}
