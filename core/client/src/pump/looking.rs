//! Asking the server what it can do, for a report: everything at once, and what is not answered in time is not known.

use std::time::Duration;

use eft_omemo::Version;
use eft_types::{BareJid, DeviceAddress, Jid};
use eft_xmpp::ns;
use eft_xmpp::xep::disco::{self, DiscoInfo};
use eft_xmpp::xep::version;
use tokio::time::timeout;

use super::Pump;
use super::job::{self, Finding};
use super::request::{Question, RequestError, Requester};
use crate::clock;
use crate::command::Reply;
use crate::report::redaction::Redactor;
use crate::report::{DeviceListing, PublishedReport, ServerReport};
use crate::translate::read;

/// How long a person may have to wait for a report.
const PATIENCE: Duration = Duration::from_secs(5);

impl Pump {
    /// `Account::report`, its first half.
    pub(super) fn look_at_server(&mut self, reply: Reply<()>) {
        let requester = match self.online_requester() {
            Ok(requester) => requester,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        let own = self.own.clone();
        // A server's name for itself may be anything.
        let redactor = self.redactor();
        self.jobs.spawn(async move {
            let server = Box::new(look(&requester, &own, &redactor).await);
            Finding::Looked { server, reply }
        });
    }
}

async fn look(requester: &Requester, own: &DeviceAddress, redactor: &Redactor) -> ServerReport {
    let server = Jid::from(BareJid::from_parts(None, own.jid.domain()));
    let (account, host, software, omemo2, legacy) = tokio::join!(
        info(requester, own.jid.clone().into()),
        info(requester, server.clone()),
        answer(requester.ask(Question::get(Some(server), version::request()))),
        published(requester, own, Version::Omemo2),
        published(requester, own, Version::Legacy),
    );
    let has = |info: &Option<DiscoInfo>, feature| info.as_ref().map(|info| info.has(feature));
    let software = software
        .and_then(|answer| version::parse(&answer))
        .map(|found| match found.version {
            Some(version) => format!("{} {version}", found.name),
            None => found.name,
        })
        .or_else(|| self_given_name(host.as_ref()?));
    ServerReport {
        software: software.map(|software| redactor.text(&software)),
        has_archive: has(&account, ns::MAM),
        has_push: has(&account, ns::PUSH),
        has_personal_eventing: account.as_ref().map(|info| info.is("pubsub", "pep")),
        has_publish_options: has(&account, ns::PUBSUB_PUBLISH_OPTIONS),
        has_carbons: has(&host, ns::CARBONS),
        knows_omemo2: has(&host, ns::OMEMO_2),
        published: vec![omemo2, legacy],
        ..ServerReport::new(clock::now())
    }
}

/// What an answer that came in time says; a refusal says nothing.
async fn answer<T>(asked: impl Future<Output = Result<T, RequestError>>) -> Option<T> {
    timeout(PATIENCE, asked).await.ok()?.ok()
}

async fn info(requester: &Requester, of: Jid) -> Option<DiscoInfo> {
    let question = Question::get(Some(of), disco::info_request(None));
    DiscoInfo::parse(&answer(requester.ask(question)).await?)
}

/// For servers that keep their version to themselves.
fn self_given_name(info: &DiscoInfo) -> Option<String> {
    let server = info
        .identities
        .iter()
        .find(|identity| identity.category == "server")?;
    server.name.clone()
}

/// What others find of this device.
async fn published(
    requester: &Requester,
    own: &DeviceAddress,
    version: Version,
) -> PublishedReport {
    let (list, bundle) = tokio::join!(
        answer(job::fetch_list(requester, &own.jid, version)),
        answer(job::fetch_bundle(requester, own, version)),
    );
    PublishedReport {
        version: read::version(version),
        list: match list {
            None => DeviceListing::Unknown,
            Some(None) => DeviceListing::Absent,
            Some(Some(list)) if list.ids().any(|id| id == own.device) => DeviceListing::Listed,
            Some(Some(_)) => DeviceListing::NotListed,
        },
        has_bundle: bundle.map(|bundle| bundle.is_some()),
    }
}
