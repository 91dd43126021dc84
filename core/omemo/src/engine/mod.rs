//! The steps. Each borrows the caller's [`Records`](crate::Records) and returns its effects as a value;
//! none changes anything by itself. A step that lacks records says which, and is called again.

mod catch_up;
mod device_list;
mod forget;
mod initiate;
mod install;
mod known_device;
mod own_devices;
mod peer;
mod pre_keys;
mod receive;
mod retire;
mod send;
mod step;
mod store_session;

pub use catch_up::finish_catch_up;
pub use device_list::{Reach, device_list, device_list_received, own_device_list, reach};
pub use forget::forget_device;
pub use initiate::initiate;
pub use install::{identity_secret, install, install_imported, own_address, own_fingerprint};
pub use known_device::{KnownDevice, known_device, restore_device};
pub use own_devices::doubt_new_own_devices;
pub use peer::{has_session, peer_identity, unanswered_count};
pub use pre_keys::{bundle, maintain, renew_pre_keys, rotate_signed_pre_key};
pub use receive::{ReceiveContext, needs, receive};
pub use retire::retire_sessions;
pub use send::{Encrypted, encrypt, encrypt_empty, encrypt_needs};
pub(crate) use step::Step;

#[cfg(test)]
mod tests;
