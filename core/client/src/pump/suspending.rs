//! Letting go of everything while the app sleeps, and coming back.

use eft_xmpp::driver::CloseStyle;
use tokio::task::JoinSet;

use super::Pump;
use crate::error::Error;
use crate::event::{ConnectionState, Event};

impl Pump {
    /// What runs is finished or given up, the server is told what is durable, TCP is closed and the stream left open, so
    /// that the server keeps it and begins to push; then the lease is given back and every file closed.
    pub(super) async fn suspend(&mut self) -> Result<(), Error> {
        self.retry_at = None;
        self.hang_up().await;
        self.answer_waiting(&Err(Error::Suspended));
        self.give_up_push_test(&Error::Suspended);
        self.holding.release();
        self.store.suspend()?;
        Ok(())
    }

    /// Opens everything again, and connects if the app wanted a connection.
    pub(super) fn resume(&mut self) -> Result<(), Error> {
        self.store.resume()?;
        if self.holding.was_overtaken(&self.store)? {
            self.kept = None;
            self.send_event(Event::Reset);
        }
        self.begin_connecting();
        Ok(())
    }

    /// Ends the connection so that its stream can be resumed. The wish for one stays.
    pub(super) async fn hang_up(&mut self) {
        self.is_connecting = false;
        // Every job asks through the connection.
        self.jobs = JoinSet::new();
        let Some(mut link) = self.link.take() else {
            return;
        };
        link.close(CloseStyle::LeaveOpen).await;
        self.kept = link.into_kept();
        self.send_event(ConnectionState::Disconnected.into());
    }
}
