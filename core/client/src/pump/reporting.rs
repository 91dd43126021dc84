//! What is known of the account, in memory and on disk.

use eft_omemo::{RecordKey, RecordKind, Version, bundle};
use eft_store::SCHEMA_VERSION;

use super::Pump;
use crate::clock;
use crate::credential::Login;
use crate::devices;
use crate::error::Error;
use crate::event::ConnectionState;
use crate::push::{PushHealth, PushRecord};
use crate::report::redaction::{self, Redactor};
use crate::report::{
    ArchiveReport, ConnectionReport, DatabaseReport, EncryptionReport, Failure, LinkState,
    LoginReport, MessagesReport, PushReport, Report, SessionReport, VersionReport,
};
use crate::translate::read;
use crate::unit::Unit;

/// Entries of the outbox read at once.
const OUTBOX_AT_ONCE: usize = 200;

/// What the database says.
struct OnDisk {
    login: Option<LoginReport>,
    encryption: EncryptionReport,
    push: PushReport,
    messages: MessagesReport,
    database: DatabaseReport,
}

impl Pump {
    /// `Account::report`, its second half.
    pub(super) fn report(&self) -> Report {
        let redactor = self.redactor();
        let is_held_here = self.holding.is_held();
        let (fault, on_disk) = match self.on_disk(&redactor) {
            Ok(on_disk) => (None, Some(on_disk)),
            Err(error) => (Some(error.code()), None),
        };
        let connection = self.connection_report(&redactor, fault == Some(Error::Suspended.code()));
        let account = redactor.account();
        let at = clock::now();
        let server = self.server.clone();
        match on_disk {
            Some(on_disk) => Report {
                at,
                account,
                connection,
                login: on_disk.login,
                server,
                encryption: Some(on_disk.encryption),
                push: Some(on_disk.push),
                messages: Some(on_disk.messages),
                database: on_disk.database,
            },
            None => Report {
                at,
                account,
                connection,
                login: None,
                server,
                encryption: None,
                push: None,
                messages: None,
                database: DatabaseReport::unreadable(fault.unwrap_or_default(), is_held_here),
            },
        }
    }

    /// Knows every secret that somebody else could say to us.
    pub(super) fn redactor(&self) -> Redactor {
        let mut secrets = Vec::new();
        if let Ok(login) = self.login() {
            secrets.push(login.password());
        }
        if let Ok(Some(kept)) = self.store.push()
            && let Ok(record) = PushRecord::decode(&kept)
        {
            let values = record.target.options.into_iter().map(|(_, value)| value);
            secrets.extend(record.target.node.into_iter().chain(values).map(Into::into));
        }
        Redactor::new(self.own.jid.clone(), secrets)
    }

    fn connection_report(&self, redactor: &Redactor, is_suspended: bool) -> ConnectionReport {
        let state = match &self.standing.borrow().connection {
            _ if is_suspended => LinkState::Suspended,
            ConnectionState::Connecting => LinkState::Connecting,
            ConnectionState::Online => LinkState::Online,
            ConnectionState::Offline { retry_at, .. } => LinkState::Offline {
                retry_at: *retry_at,
            },
            ConnectionState::Disconnected => LinkState::Disconnected,
        };
        ConnectionReport {
            state,
            last_failure: self.last_failure.as_ref().map(|(at, error)| Failure {
                at: *at,
                code: error.code(),
                reason: redactor.text(&error.to_string()),
            }),
            session: self
                .link
                .as_ref()
                .map(|link| SessionReport::new(link.session(), link.on_disk.is_some())),
        }
    }

    fn on_disk(&self, redactor: &Redactor) -> Result<OnDisk, Error> {
        let account = self.store.account()?;
        // Without a password, or with one that cannot be read, the rest is worth telling all the more.
        let login = Login::decode(account.credential.as_ref(), clock::random_bytes()?)
            .ok()
            .map(|login| login.report());
        Ok(OnDisk {
            login,
            encryption: self.encryption_report()?,
            push: self.push_report(redactor)?,
            messages: self.messages_report()?,
            database: DatabaseReport {
                fault: None,
                schema: SCHEMA_VERSION,
                size_bytes: std::fs::metadata(self.store.path())
                    .ok()
                    .map(|found| found.len()),
                generation: Some(self.store.generation()?.as_u64()),
                is_held_here: self.holding.is_held(),
            },
        })
    }

    fn encryption_report(&self) -> Result<EncryptionReport, Error> {
        let sessions = self.store.scan(RecordKind::Session, &[])?;
        let mut unit = Unit::begin(&self.store, clock::now());
        let mut versions = Vec::new();
        for version in Version::ALL {
            let is_of = |key: &RecordKey| matches!(key, RecordKey::Session { version: of, .. } if *of == version);
            let published = unit.sure_step(|records| bundle(records, version))?;
            versions.push(VersionReport {
                version: read::version(version),
                pre_key_count: count(published.pre_keys.len()),
                session_count: count(sessions.iter().filter(|(key, _)| is_of(key)).count()),
                is_listed: devices::listed(&mut unit, &self.own.jid, version)?
                    .contains(&self.own.device),
            });
        }
        Ok(EncryptionReport {
            versions,
            due_action_count: count(self.store.actions()?.len()),
        })
    }

    fn push_report(&self, redactor: &Redactor) -> Result<PushReport, Error> {
        let kept = self.store.push()?;
        let record = kept.as_ref().map(PushRecord::decode).transpose()?;
        let health = record.as_ref().map(|record| match record.health() {
            PushHealth::Rejected { reason } => PushHealth::Rejected {
                reason: redactor.text(&reason),
            },
            health => health,
        });
        let service = record.map(|record| redaction::host(record.target.service.domain().as_str()));
        Ok(PushReport { health, service })
    }

    fn messages_report(&self) -> Result<MessagesReport, Error> {
        let mut report = MessagesReport {
            queued_count: 0,
            encrypted_count: 0,
            unacknowledged_count: 0,
            oldest: None,
            archive: self.archive_report()?,
        };
        let mut last = None;
        loop {
            let page = self.store.outbox(last, OUTBOX_AT_ONCE)?;
            let Some(end) = page.last() else {
                return Ok(report);
            };
            last = Some(end.id);
            for entry in &page {
                let state = match (entry.stream_sequence, &entry.stanza) {
                    (Some(_), _) => &mut report.unacknowledged_count,
                    (None, Some(_)) => &mut report.encrypted_count,
                    (None, None) => &mut report.queued_count,
                };
                *state = state.saturating_add(1);
                let oldest = report.oldest.unwrap_or(entry.queued);
                report.oldest = Some(oldest.min(entry.queued));
            }
        }
    }

    fn archive_report(&self) -> Result<Option<ArchiveReport>, Error> {
        let cursor = self.store.archive_cursor(&self.own.jid)?;
        Ok(cursor.map(|cursor| ArchiveReport {
            is_complete: cursor.at_end,
            gap_count: count(cursor.ranges.len()),
            complete_until: cursor.last.map(|(_, at)| at),
            is_paused: self.is_catch_up_paused,
        }))
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
