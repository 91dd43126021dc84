//! Letting go of everything while the app sleeps.

use super::Store;
use super::open::open_writer;
use super::settings::Settings;
use crate::cipher_provider::enter;
use crate::error::{OpenError, StoreError};

impl Store {
    /// Lets go of everything that the system may hold against a sleeping app: reads that run are
    /// interrupted, a commit that runs is finished, the lease is given back, the log is written
    /// back and emptied, every file is closed. iOS ends an app that is suspended with a lock in its hands
    /// (0xdead10cc). Until [`Store::resume`], everything answers [`StoreError::Suspended`].
    ///
    /// It takes as long as the commit that runs: at most
    /// [`StoreOptions::busy_timeout`](crate::StoreOptions::busy_timeout) more if that one waits for another
    /// process. Of a store that is suspended already this does nothing.
    ///
    /// # Errors
    /// [`StoreError`] if the log could not be written back. Everything is closed and nothing is lost
    /// all the same: the next one to open the database does it.
    pub fn suspend(&self) -> Result<(), StoreError> {
        self.close_everything()
    }

    /// Opens everything again. The lease is to be taken anew, and what the caller remembers of the
    /// database may be old: another process may have written. Of a store that is not suspended
    /// this does nothing.
    ///
    /// # Errors
    /// [`OpenError`], as [`Store::open`]; the store stays suspended.
    pub fn resume(&self) -> Result<(), OpenError> {
        let _inside = enter()?;
        if !self.writer.is_suspended() {
            return Ok(());
        }
        let Settings { path, options, .. } = &*self.settings;
        let opened = open_writer(path, &self.settings.key(), options)?;
        if opened.own != self.own {
            return Err(OpenError::Corrupt {
                detail: "it belongs to another account now",
            });
        }
        self.lease_file.reopen();
        self.writer.resume(opened.connection);
        self.readers.resume();
        Ok(())
    }

    pub(super) fn close_everything(&self) -> Result<(), StoreError> {
        let _inside = enter()?;
        // The last connection to close is the one that may write the log back.
        self.readers.suspend();
        let closed = self.writer.suspend();
        self.lease_file.close();
        closed
    }
}
