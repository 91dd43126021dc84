//! Device lists and bundles: asked for when needed, handed to the engine when they come.

use eft_omemo::{
    Action, BundleError, Changes, DeviceList, Event, InitiateError, UnverifiedBundle, Version,
    device_list_received, doubt_new_own_devices, initiate, own_address,
};
use eft_types::{BareJid, DeviceAddress};
use rand::rngs::StdRng;
use tokio::time::Instant;

use super::Pump;
use super::freshness::Announced;
use super::inbound::bounds;
use super::job::{self, Finding};
use super::request::RequestError;
use crate::command::Reply;
use crate::error::Error;
use crate::unit::Unit;

impl Pump {
    /// Asks for an account's lists that are neither fresh nor on their way. Whether all are fresh.
    pub(super) fn ensure_lists(&mut self, jid: &BareJid) -> bool {
        let now = Instant::now();
        let mut all_fresh = true;
        for version in Version::ALL {
            let is_announced = self.announced(jid, version) != Announced::Never;
            let Some(link) = self.link.as_mut() else {
                return false;
            };
            if link.lists.is_fresh(jid, version, now) {
                continue;
            }
            all_fresh = false;
            if !link.lists.is_coming(jid, version, now) {
                link.lists.requested(jid.clone(), version);
                let (requester, jid) = (link.requester.clone(), jid.clone());
                let own = self.own.jid.clone();
                self.jobs.spawn(async move {
                    // Before the fetch, so that no change falls between the two.
                    let is_subscribed =
                        !is_announced && job::subscribe(&requester, &own, &jid, version).await;
                    let result = job::fetch_list(&requester, &jid, version).await;
                    Finding::List {
                        jid,
                        version,
                        is_subscribed,
                        result,
                    }
                });
            }
        }
        all_fresh
    }

    /// Who tells us when an account's list changes. PEP does so among contacts who both see each
    /// other's presence (XEP-0163 §4), and for subscribers of the node.
    pub(super) fn announced(&self, jid: &BareJid, version: Version) -> Announced {
        let Some(link) = &self.link else {
            return Announced::Never;
        };
        if *jid == self.own.jid {
            Announced::Always
        } else if link.is_mutual(jid) || link.lists.is_subscribed(jid, version) {
            Announced::Subscribed
        } else {
            Announced::Never
        }
    }

    /// Asks for a bundle, unless it is on its way.
    pub(super) fn request_bundle(&mut self, address: &DeviceAddress, version: Version) {
        let Some(link) = self.link.as_mut() else {
            return;
        };
        if link.bundle_is_coming(address, version) {
            return;
        }
        link.bundle_requested(address.clone(), version);
        let (requester, address) = (link.requester.clone(), address.clone());
        self.jobs.spawn(async move {
            let result = job::fetch_bundle(&requester, &address, version).await;
            Finding::Bundle {
                address,
                version,
                result,
            }
        });
    }

    /// `Account::refresh_devices`.
    pub(super) fn refresh_devices(&mut self, jid: &BareJid, reply: Reply<()>) {
        let requester = match self.online_requester() {
            Ok(requester) => requester,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        let jid = jid.clone();
        self.jobs.spawn(async move {
            let mut results = Vec::new();
            for version in Version::ALL {
                results.push((version, job::fetch_list(&requester, &jid, version).await));
            }
            Finding::Lists {
                jid,
                results,
                reply,
            }
        });
    }

    /// A list was asked for, and this is what came.
    pub(super) fn handle_list(
        &mut self,
        jid: BareJid,
        version: Version,
        result: Result<Option<DeviceList>, RequestError>,
    ) -> Result<(), Error> {
        let is_known = match result {
            // An account without the node has no devices of that version.
            Ok(list) => {
                let list = list.unwrap_or_default();
                self.commit(|unit, _| apply_list(unit, &jid, version, &list))?;
                true
            }
            // The list that is stored is the best there is: a contact's server may be down, and
            // that must not stop messages to the devices that we know. Where there is none, a
            // refusal is an answer, and anything else is waited for.
            Err(error) => {
                tracing::info!(%error, "a device list could not be fetched");
                error.is_final() || self.has_list(&jid, version)?
            }
        };
        let announced = self.announced(&jid, version);
        if let Some(link) = self.link.as_mut() {
            link.actions_begun.remove(
                &Action::RefreshDeviceList {
                    jid: jid.clone(),
                    version,
                }
                .key(),
            );
            if is_known {
                link.lists.received(jid, version, announced, Instant::now());
            } else {
                link.lists.unavailable(jid, version, Instant::now());
            }
        }
        Ok(())
    }

    /// Whether a list of this account was ever received.
    fn has_list(&mut self, jid: &BareJid, version: Version) -> Result<bool, Error> {
        self.commit(|unit, _| {
            Ok(unit
                .sure_step(|records| eft_omemo::device_list(records, jid, version))?
                .is_some())
        })
    }

    /// The lists that a caller asked for.
    pub(super) fn handle_lists(
        &mut self,
        jid: &BareJid,
        results: Vec<(Version, Result<Option<DeviceList>, RequestError>)>,
        reply: Reply<()>,
    ) -> Result<(), Error> {
        let mut answer = Ok(());
        for (version, result) in results {
            if let Err(error) = &result {
                answer = Err(Error::offline(error.to_string()));
            }
            self.handle_list(jid.clone(), version, result)?;
        }
        let _ = reply.send(answer);
        Ok(())
    }

    /// A bundle was asked for, and this is what came.
    pub(super) fn handle_bundle(
        &mut self,
        address: &DeviceAddress,
        version: Version,
        result: Result<Option<UnverifiedBundle>, RequestError>,
    ) -> Result<(), Error> {
        let usable = match result {
            Ok(Some(bundle)) => self.commit(|unit, rng| begin_session(unit, rng, bundle))?,
            Ok(None) => Err(Unusable::None),
            Err(error) => Err(Unusable::NotFetched(error)),
        };
        if let Err(error) = &usable {
            tracing::warn!(%error, device = address.device.as_u32(), "no session can be made");
        }
        self.bundle_actions_done(address, version, usable.is_ok())?;
        if let Some(link) = self.link.as_mut() {
            link.bundle_settled(address.clone(), version, usable.is_ok());
        }
        Ok(())
    }
}

/// Why a bundle gives no session.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("the device publishes no bundle")]
    None,
    #[error(transparent)]
    NotFetched(RequestError),
    #[error(transparent)]
    Invalid(BundleError),
    #[error(transparent)]
    Refused(InitiateError),
}

/// Hands a list to the engine.
pub(super) fn apply_list(
    unit: &mut Unit<'_>,
    jid: &BareJid,
    version: Version,
    list: &DeviceList,
) -> Result<(), Error> {
    let now = unit.now;
    if *jid == unit.sure_step(own_address)?.jid {
        let doubts =
            unit.sure_step(|records| doubt_new_own_devices(records, version, list, now))?;
        unit.apply(doubts);
    }
    let effects =
        unit.sure_step(|records| device_list_received(records, jid, version, list, now))?;
    unit.absorb(effects.changes, effects.actions, effects.events);
    Ok(())
}

/// Checks a bundle and makes a session from it. The inner error is the bundle's fault.
fn begin_session(
    unit: &mut Unit<'_>,
    rng: &mut StdRng,
    bundle: UnverifiedBundle,
) -> Result<Result<(), Unusable>, Error> {
    let bundle = match bundle.verify() {
        Ok(bundle) => bundle,
        Err(error) => return Ok(Err(Unusable::Invalid(error))),
    };
    let now = unit.now;
    match unit.step(|records| initiate(records, &bundle, now, rng))? {
        Ok(effects) => {
            unit.absorb(effects.changes, effects.actions, effects.events);
            Ok(Ok(()))
        }
        Err(InitiateError::Step(error)) => Err(Error::bug(error.to_string())),
        Err(error) => {
            // As in a message: that somebody published other keys is for the user to know.
            if let InitiateError::IdentityChanged {
                address,
                known,
                found,
            } = &error
                && !bounds::is_logged_today(unit, address)?
            {
                let refused = Event::IdentityChangeRefused {
                    address: address.clone(),
                    known: *known,
                    found: *found,
                };
                unit.absorb(Changes::new(), Vec::new(), vec![refused]);
            }
            Ok(Err(Unusable::Refused(error)))
        }
    }
}
