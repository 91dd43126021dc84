//! What takes network time. Jobs ask and parse; they touch neither the store nor the engine.

use eft_omemo::{Bundle, DeviceList, UnverifiedBundle, Version};
use eft_types::{BareJid, DeviceAddress, DeviceId};
use eft_xmpp::xep::carbons;
use eft_xmpp::xep::disco::{self, DiscoInfo};
use eft_xmpp::xep::pubsub::{self, AccessModel, MaxItems, NodeConfig};
use eft_xmpp::xep::push;
use eft_xmpp::xep::roster::{self, RosterAnswer, RosterItem};
use eft_xmpp::{Element, ns};

use super::connecting::Attempt;
use super::push_testing::Asked;
use super::request::{Question, RequestError, Requester};
use crate::command::Reply;
use crate::push::PushTarget;
use crate::report::ServerReport;
use crate::translate::encrypted;

/// What a job found out.
pub(crate) enum Finding {
    /// An attempt to connect ended.
    Connected(Box<Attempt>),
    /// The server was asked to push.
    PushEnabled(Result<(), RequestError>),
    /// The servers were asked before a self-test of pushes.
    PushTestAsked(Asked),
    /// The server was asked not to push any more.
    PushDisabled {
        result: Result<(), RequestError>,
        reply: Reply<()>,
    },
    /// What the server can do, for a report.
    Looked {
        server: Box<ServerReport>,
        reply: Reply<()>,
    },
    /// Whether the server answered that it is there; if not, the connection is over.
    Probed(bool),
    /// The contact list.
    Contacts(Result<Vec<RosterItem>, RequestError>),
    /// The session's first questions were answered.
    SetUp(Result<SetUp, RequestError>),
    /// An account's device list.
    List {
        jid: BareJid,
        version: Version,
        /// Whether a subscription to its node was confirmed.
        is_subscribed: bool,
        /// `None` if the account publishes none.
        result: Result<Option<DeviceList>, RequestError>,
    },
    /// An account's lists of every version, for a caller that waits.
    Lists {
        jid: BareJid,
        results: Vec<(Version, Result<Option<DeviceList>, RequestError>)>,
        reply: Reply<()>,
    },
    /// A device's bundle.
    Bundle {
        address: DeviceAddress,
        version: Version,
        /// `None` if there is none.
        result: Result<Option<UnverifiedBundle>, RequestError>,
    },
    /// Something was published, or not, for the action with this key.
    Published {
        action: Vec<u8>,
        result: Result<(), RequestError>,
    },
}

/// Answers to the session's first questions.
pub(crate) struct SetUp {
    /// The contact list.
    pub(crate) contacts: Vec<RosterItem>,
    /// Whether the account has an archive (XEP-0313).
    pub(crate) has_archive: bool,
    /// Whether the account's server pushes (XEP-0357).
    pub(crate) has_push: bool,
    /// The account's own device lists.
    pub(crate) own_lists: Vec<(Version, Option<DeviceList>)>,
    /// This device's bundles, as others find them.
    pub(crate) own_bundles: Vec<(Version, Option<UnverifiedBundle>)>,
}

/// How often a node whose configuration is wrong is mended before giving up: once, so that two
/// clients with other ideas about it do not fight (XEP-0384 §5.3).
const REPAIRS: u32 = 1;

/// The session's first questions, in the order in which their answers are needed.
pub(crate) async fn set_up(
    requester: &Requester,
    own: &DeviceAddress,
    has_carbons: bool,
) -> Result<SetUp, RequestError> {
    let contacts = contacts(requester).await?;
    // A server without carbons works; messages from our other devices then come by the archive.
    if !has_carbons && let Err(error) = requester.ask(Question::set(None, carbons::enable())).await
    {
        fatal_only(error)?;
    }
    let account = requester
        .ask(Question::get(
            Some(own.jid.clone().into()),
            disco::info_request(None),
        ))
        .await
        .map(|answer| DiscoInfo::parse(&answer));
    let account = match account {
        Ok(info) => info,
        Err(error) => {
            fatal_only(error)?;
            None
        }
    };
    let has = |feature| account.as_ref().is_some_and(|info| info.has(feature));
    let mut own_lists = Vec::new();
    let mut own_bundles = Vec::new();
    for version in Version::ALL {
        own_lists.push((version, fetch_list(requester, &own.jid, version).await?));
        let bundle = match fetch_bundle(requester, own, version).await {
            Ok(bundle) => bundle,
            // What cannot be read has to be published again just like what is not there.
            Err(RequestError::Malformed(_) | RequestError::Refused(_)) => None,
            Err(error) => return Err(error),
        };
        own_bundles.push((version, bundle));
    }
    Ok(SetUp {
        contacts,
        has_archive: has(ns::MAM),
        has_push: has(ns::PUSH),
        own_lists,
        own_bundles,
    })
}

/// The contact list. Asking for it also asks for what changes in it (RFC 6121 §2.2).
pub(crate) async fn contacts(requester: &Requester) -> Result<Vec<RosterItem>, RequestError> {
    let answer = requester
        .ask(Question::get(None, roster::request(None)))
        .await?;
    Ok(match roster::parse_answer(&answer) {
        RosterAnswer::Full { items, .. } => items,
        // Only an answer to a version that we named; we name none.
        RosterAnswer::Unchanged => Vec::new(),
    })
}

/// Asks the server to push (XEP-0357 §5).
pub(crate) async fn enable_push(
    requester: &Requester,
    target: &PushTarget,
) -> Result<(), RequestError> {
    let enable = push::enable(&target.service, target.node.as_deref(), &target.options);
    requester.ask(Question::set(None, enable)).await.map(drop)
}

/// Asks it not to push any more (§6).
pub(crate) async fn disable_push(
    requester: &Requester,
    target: &PushTarget,
) -> Result<(), RequestError> {
    let disable = push::disable(&target.service, target.node.as_deref());
    requester.ask(Question::set(None, disable)).await.map(drop)
}

/// A refusal is an answer; a lost connection is not.
fn fatal_only(error: RequestError) -> Result<(), RequestError> {
    match error {
        RequestError::Refused(refusal) => {
            tracing::info!(%refusal, "the server lacks something");
            Ok(())
        }
        fatal => Err(fatal),
    }
}

/// Subscribes our account to an account's device list (XEP-0060 §6.1). Whether the service confirmed
/// it; where the node does not exist, or is not for everybody, it does not.
pub(crate) async fn subscribe(
    requester: &Requester,
    own: &BareJid,
    jid: &BareJid,
    version: Version,
) -> bool {
    let node = encrypted::devices_node(version);
    let subscribe = pubsub::subscribe(node, &own.clone().into());
    match requester
        .ask(Question::set(Some(jid.clone().into()), subscribe))
        .await
    {
        Ok(answer) => is_confirmed(&answer),
        Err(error) => {
            tracing::debug!(%error, "no subscription to a device list");
            false
        }
    }
}

/// Anything but "subscribed" still waits for somebody (XEP-0060 §6.1.3).
fn is_confirmed(answer: &Element) -> bool {
    answer
        .get_child("pubsub", ns::PUBSUB)
        .and_then(|pubsub| pubsub.get_child("subscription", ns::PUBSUB))
        .and_then(|subscription| subscription.attr("subscription"))
        == Some("subscribed")
}

/// An account's device list; `None` if it publishes none.
pub(crate) async fn fetch_list(
    requester: &Requester,
    jid: &BareJid,
    version: Version,
) -> Result<Option<DeviceList>, RequestError> {
    let node = encrypted::devices_node(version);
    // The newest item, whatever its id: not every client names it "current".
    let newest = newest_item(requester, jid, node, pubsub::items(node, &[], Some(1))).await?;
    Ok(newest.and_then(|payload| encrypted::device_list(version, &payload)))
}

/// A device's bundle; `None` if there is none.
pub(crate) async fn fetch_bundle(
    requester: &Requester,
    address: &DeviceAddress,
    version: Version,
) -> Result<Option<UnverifiedBundle>, RequestError> {
    let (node, item) = encrypted::bundle_item(version, address.device);
    let request = match version {
        Version::Omemo2 => pubsub::items(&node, &[&item], None),
        Version::Legacy => pubsub::items(&node, &[], Some(1)),
    };
    match newest_item(requester, &address.jid, &node, request).await? {
        None => Ok(None),
        Some(payload) => encrypted::bundle(version, address, &payload)
            .map(Some)
            .map_err(RequestError::Malformed),
    }
}

async fn newest_item(
    requester: &Requester,
    jid: &BareJid,
    node: &str,
    request: Element,
) -> Result<Option<Element>, RequestError> {
    let answer = match requester
        .ask(Question::get(Some(jid.clone().into()), request))
        .await
    {
        Ok(answer) => answer,
        Err(error) if error.is_item_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let items = pubsub::parse_items(&answer, node)
        .ok_or_else(|| RequestError::Malformed(format!("no items of {node}")))?;
    Ok(items.into_iter().rev().find_map(|item| item.payload))
}

/// Publishes our device list.
pub(crate) async fn publish_list(
    requester: &Requester,
    version: Version,
    list: DeviceList,
) -> Result<(), RequestError> {
    let item = Publication {
        node: encrypted::devices_node(version).to_owned(),
        item: encrypted::devices_item(version).to_owned(),
        payload: encrypted::device_list_element(version, &list),
        config: open_node(None),
    };
    item.publish(requester).await
}

/// Publishes our bundle.
pub(crate) async fn publish_bundle(
    requester: &Requester,
    device: DeviceId,
    bundle: Bundle,
) -> Result<(), RequestError> {
    let version = bundle.version;
    let (node, item) = encrypted::bundle_item(version, device);
    let item = Publication {
        node,
        item,
        payload: encrypted::bundle_element(bundle),
        // XEP-0384 §5.3.2: one item per device in one node.
        config: open_node((version == Version::Omemo2).then_some(MaxItems::Max)),
    };
    item.publish(requester).await
}

/// XEP-0384 §5.3: everybody may read. As few demands as possible, or clients with other habits
/// fight over the node.
const fn open_node(max_items: Option<MaxItems>) -> NodeConfig {
    NodeConfig {
        access_model: Some(AccessModel::Open),
        max_items,
        persist_items: None,
    }
}

/// An item on its way into a node of ours.
struct Publication {
    node: String,
    item: String,
    payload: Element,
    config: NodeConfig,
}

impl Publication {
    /// Publishes; mends the node's configuration where it is in the way.
    async fn publish(mut self, requester: &Requester) -> Result<(), RequestError> {
        let mut repairs = 0;
        loop {
            let request = pubsub::publish(
                &self.node,
                Some(&self.item),
                self.payload.clone(),
                Some(&self.config),
            );
            let error = match requester.ask(Question::set(None, request)).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let RequestError::Refused(refusal) = &error else {
                return Err(error);
            };
            if refusal.is_precondition_not_met() && repairs < REPAIRS {
                repairs += 1;
                self.configure(requester).await?;
            } else if let Some(fewer) = fewer_items(self.config.max_items) {
                // Servers before XEP-0060 1.18 do not know "max", and some bound the number.
                self.config.max_items = fewer;
            } else {
                return Err(error);
            }
        }
    }

    /// Gives the node the configuration that we need (XEP-0060 §8.2), and leaves the rest of it.
    async fn configure(&self, requester: &Requester) -> Result<(), RequestError> {
        let answer = requester
            .ask(Question::get(
                None,
                pubsub::configuration_request(&self.node),
            ))
            .await?;
        let form = pubsub::parse_configuration(&answer)
            .ok_or_else(|| RequestError::Malformed("no configuration form".to_owned()))?;
        if self.config.is_met_by(&form) {
            return Ok(());
        }
        let form = self.config.apply_to(form);
        requester
            .ask(Question::set(None, pubsub::configure(&self.node, &form)))
            .await
            .map(drop)
    }
}

/// What to ask for where a number of items was refused; `None` when nothing is left to give up.
fn fewer_items(refused: Option<MaxItems>) -> Option<Option<MaxItems>> {
    match refused? {
        MaxItems::Max => Some(Some(MaxItems::Count(1000))),
        MaxItems::Count(1000) => Some(Some(MaxItems::Count(100))),
        MaxItems::Count(100) => Some(Some(MaxItems::Count(10))),
        MaxItems::Count(_) => Some(None),
    }
}

#[cfg(test)]
mod tests;
