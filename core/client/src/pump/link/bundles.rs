//! Bundles that were asked for on a connection.

use std::time::Duration;

use eft_omemo::Version;
use eft_types::DeviceAddress;
use tokio::time::Instant;

use super::Link;

/// How long until a bundle that could not be had is asked for again: a device that has just
/// appeared may publish its list before its bundle.
const BUNDLE_RETRY: Duration = Duration::from_secs(30);

/// A bundle that was needed for a session.
pub(super) enum BundleState {
    Fetching,
    Unavailable { since: Instant },
}

impl Link {
    /// Whether it makes no sense to ask for a bundle now: it was asked for, or just refused.
    pub(crate) fn bundle_is_coming(&self, address: &DeviceAddress, version: Version) -> bool {
        matches!(
            self.bundles.get(&(address.clone(), version)),
            Some(BundleState::Fetching)
        )
    }

    /// Whether a bundle could not be had a moment ago.
    pub(crate) fn bundle_is_unavailable(&self, address: &DeviceAddress, version: Version) -> bool {
        matches!(
            self.bundles.get(&(address.clone(), version)),
            Some(BundleState::Unavailable { since }) if since.elapsed() < BUNDLE_RETRY
        )
    }

    /// A fetch of a bundle began.
    pub(crate) fn bundle_requested(&mut self, address: DeviceAddress, version: Version) {
        self.bundles
            .insert((address, version), BundleState::Fetching);
    }

    /// A fetch of a bundle ended.
    pub(crate) fn bundle_settled(
        &mut self,
        address: DeviceAddress,
        version: Version,
        usable: bool,
    ) {
        let key = (address, version);
        if usable {
            self.bundles.remove(&key);
        } else {
            let since = Instant::now();
            self.bundles.insert(key, BundleState::Unavailable { since });
        }
    }
}
