//! Asking the server to push (XEP-0357), anew on every stream that is bound: servers forget it with the session.

use eft_store::Opaque;

use super::Pump;
use super::job::{self, Finding};
use super::link::Phase;
use super::request::RequestError;
use crate::clock;
use crate::command::Reply;
use crate::error::Error;
use crate::push::{PushHealth, PushRecord, PushTarget};

/// How long a push stands for the next ones: a commit per push would say nothing more.
const PROOF_HOLDS_MILLIS: i64 = 3_600_000;

impl Pump {
    /// `Account::register_push`: kept first, and asked for as soon as there is a connection.
    pub(super) fn register_push(&mut self, target: PushTarget) -> Result<(), Error> {
        self.keep_push(Some(&PushRecord::new(target)))?;
        let is_online = |link: &super::Link| link.phase == Phase::Online;
        if self.link.as_ref().is_some_and(is_online) {
            self.enable_push(None)?;
        }
        Ok(())
    }

    /// `Account::unregister_push`: what the server still sends wakes nobody from here on.
    pub(super) fn unregister_push(&mut self, reply: Reply<()>) {
        let record = match self.push_record() {
            Ok(record) => record,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        let (Some(record), Some(link)) = (record, &self.link) else {
            let _ = reply.send(self.keep_push(None));
            return;
        };
        let requester = link.requester.clone();
        self.jobs.spawn(async move {
            let result = job::disable_push(&requester, &record.target).await;
            Finding::PushDisabled { result, reply }
        });
    }

    pub(super) fn handle_push_disabled(
        &mut self,
        result: Result<(), RequestError>,
        reply: Reply<()>,
    ) {
        let result = match result {
            // A server that does not know of it does not push.
            Ok(()) | Err(RequestError::Refused(_)) => self.keep_push(None),
            Err(error) => Err(error.into()),
        };
        let _ = reply.send(result);
    }

    /// A stream was bound. `is_offered`: whether the server says that it pushes, where it was asked.
    pub(super) fn enable_push(&mut self, is_offered: Option<bool>) -> Result<(), Error> {
        let Some(record) = self.push_record()? else {
            return Ok(());
        };
        if is_offered == Some(false) {
            return self.keep_push(Some(&record.with(PushHealth::Unsupported)));
        }
        if let Some(link) = &self.link {
            let requester = link.requester.clone();
            self.jobs.spawn(async move {
                Finding::PushEnabled(job::enable_push(&requester, &record.target).await)
            });
        }
        Ok(())
    }

    pub(super) fn handle_push_enabled(
        &mut self,
        result: Result<(), RequestError>,
    ) -> Result<(), Error> {
        let Some(record) = self.push_record()? else {
            return Ok(());
        };
        let record = match result {
            Ok(()) => record.agreed(clock::now()),
            Err(RequestError::Refused(error)) if error.is_not_implemented() => {
                record.with(PushHealth::Unsupported)
            }
            Err(error) if error.is_final() => record.with(PushHealth::Rejected {
                reason: error.to_string(),
            }),
            // Asked again on the next stream.
            Err(_) => return Ok(()),
        };
        self.keep_push(Some(&record))
    }

    /// A push came.
    pub(super) fn note_push(&mut self) -> Result<(), Error> {
        let Some(record) = self.push_record()? else {
            return Ok(());
        };
        let now = clock::now();
        match record.health() {
            PushHealth::Proven { at }
                if now.millis_since(at) < PROOF_HOLDS_MILLIS && !record.is_awaited() => {}
            _ => self.keep_push(Some(&record.proven(now)))?,
        }
        self.note_awaited_push();
        Ok(())
    }

    /// The app was opened and found messages, of which no push had told.
    pub(super) fn note_missed_push(&mut self) -> Result<(), Error> {
        match self.push_record()? {
            Some(record) => self.keep_push(Some(&record.missed())),
            None => Ok(()),
        }
    }

    pub(super) fn push_record(&self) -> Result<Option<PushRecord>, Error> {
        let kept = self.store.push()?;
        kept.as_ref().map(PushRecord::decode).transpose()
    }

    pub(super) fn keep_push(&mut self, record: Option<&PushRecord>) -> Result<(), Error> {
        let bytes: Option<Opaque> = record.map(PushRecord::encode);
        self.commit(|unit, _| {
            unit.batch.set_push(bytes);
            Ok(())
        })
    }
}
