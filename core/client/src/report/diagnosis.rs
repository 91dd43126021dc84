//! What is wrong, by what is known.

use super::{DeviceListing, LinkState, Problem, Report};
use crate::push::PushHealth;

/// Fewer prekeys than this on the server, and others may soon have to begin sessions without one.
const FEW_PRE_KEYS: u32 = 10;

/// What waits for less is on its way.
const LONG_MILLIS: i64 = 10 * 60 * 1000;

pub(super) fn find(report: &Report) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(code) = report.database.fault
        && !matches!(
            report.connection.state,
            LinkState::Suspended | LinkState::Closed
        )
    {
        problems.push(Problem::DatabaseUnreadable { code });
    }
    if let (LinkState::Offline { .. }, Some(failure)) =
        (report.connection.state, &report.connection.last_failure)
    {
        problems.push(Problem::NotConnected {
            code: failure.code,
            reason: failure.reason.clone(),
        });
    }
    of_server(report, &mut problems);
    of_encryption(report, &mut problems);
    of_push(report, &mut problems);
    of_messages(report, &mut problems);
    problems
}

fn of_server(report: &Report, problems: &mut Vec<Problem>) {
    if report
        .connection
        .session
        .as_ref()
        .is_some_and(|session| !session.is_resumable)
    {
        problems.push(Problem::NoResumption);
    }
    let Some(server) = &report.server else {
        return;
    };
    let lacks = [
        (server.has_archive, Problem::NoArchive),
        (server.has_carbons, Problem::NoCarbons),
        (server.has_personal_eventing, Problem::NoPersonalEventing),
        (server.has_publish_options, Problem::NoPublishOptions),
    ];
    for (has, problem) in lacks {
        if has == Some(false) {
            problems.push(problem);
        }
    }
}

fn of_encryption(report: &Report, problems: &mut Vec<Problem>) {
    for published in report.server.iter().flat_map(|server| &server.published) {
        let version = published.version;
        if matches!(
            published.list,
            DeviceListing::NotListed | DeviceListing::Absent
        ) {
            problems.push(Problem::DeviceNotListed { version });
        }
        if published.has_bundle == Some(false) {
            problems.push(Problem::BundleMissing { version });
        }
    }
    for version in report.encryption.iter().flat_map(|found| &found.versions) {
        if version.pre_key_count < FEW_PRE_KEYS {
            problems.push(Problem::FewPreKeys {
                version: version.version,
                count: version.pre_key_count,
            });
        }
    }
}

fn of_push(report: &Report, problems: &mut Vec<Problem>) {
    let Some(push) = &report.push else {
        return;
    };
    let server = report.server.as_ref();
    match &push.health {
        Some(PushHealth::Proven { .. }) => {}
        Some(PushHealth::Unsupported) => problems.push(Problem::PushUnsupported),
        Some(PushHealth::Rejected { reason }) => problems.push(Problem::PushRejected {
            reason: reason.clone(),
        }),
        Some(PushHealth::Stale) => problems.push(Problem::PushStale),
        Some(PushHealth::Waiting) => problems.push(Problem::PushNotAgreed),
        Some(PushHealth::Registered { .. }) => problems.push(Problem::PushUnproven),
        None if server.and_then(|server| server.has_push) == Some(false) => {
            problems.push(Problem::PushUnsupported);
        }
        None => problems.push(Problem::PushNotRegistered),
    }
    let pushes = matches!(
        push.health,
        Some(PushHealth::Proven { .. } | PushHealth::Registered { .. } | PushHealth::Stale)
    );
    if pushes
        && let Some(server) = server
        && server.knows_omemo2 != Some(true)
        && let Some(software) = &server.software
        && is_known_to_fall_short(software)
    {
        problems.push(Problem::PushUnimportant {
            software: software.clone(),
        });
    }
}

/// From the tables of `docs/push.md`.
fn is_known_to_fall_short(software: &str) -> bool {
    software
        .split_whitespace()
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case("prosody"))
}

fn of_messages(report: &Report, problems: &mut Vec<Problem>) {
    let Some(messages) = &report.messages else {
        return;
    };
    if let Some(oldest) = messages.oldest
        && report.at.millis_since(oldest) > LONG_MILLIS
    {
        problems.push(Problem::MessagesStuck {
            count: messages.waiting_count(),
        });
    }
    if let Some(archive) = &messages.archive
        && archive.gap_count > 0
    {
        problems.push(Problem::ArchiveIncomplete {
            is_paused: archive.is_paused,
        });
    }
}
