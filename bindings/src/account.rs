//! One login.

use std::sync::Arc;

use ::eft::{DistrustedBy, TrustLevel, VerifiedBy};

use crate::conversation::Conversation;
use crate::device::Device;
use crate::error::{EftError, bare_jid, device_address, fingerprint};
use crate::event::{AccountObserver, Subscription};

/// An account on this device.
#[derive(Debug, uniffi::Object)]
pub struct Account {
    pub(crate) inner: ::eft::Account,
}

/// How the server is reached; the default asks the DNS.
#[derive(Clone, Debug, Default, uniffi::Record)]
pub struct ConnectOptions {
    /// Connect here instead of asking the DNS.
    #[uniffi(default)]
    pub server: Option<ServerAddress>,
    /// More certificate authorities to trust, PEM.
    #[uniffi(default)]
    pub extra_roots_pem: Option<String>,
    /// Allows SASL PLAIN, which hands the password to the server.
    #[uniffi(default)]
    pub allow_plain: bool,
}

/// A contact of the account, as the server keeps it (RFC 6121 §2).
#[derive(Clone, Debug, uniffi::Record)]
pub struct Contact {
    /// The contact's address.
    pub jid: String,
    /// The name that the user gave it.
    pub name: Option<String>,
    /// The groups that the user put it into.
    pub groups: Vec<String>,
    /// Whether the contact sees when we are online.
    pub sees_us: bool,
    /// Whether we see when the contact is online. If both see each other, we hear at once of its new devices.
    pub seen_by_us: bool,
}

impl From<::eft::Contact> for Contact {
    fn from(contact: ::eft::Contact) -> Self {
        Self {
            jid: contact.jid.to_string(),
            name: contact.name,
            groups: contact.groups,
            sees_us: contact.sees_us,
            seen_by_us: contact.seen_by_us,
        }
    }
}

/// A server's address given by hand.
#[derive(Clone, Debug, uniffi::Record)]
pub struct ServerAddress {
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS from the first byte instead of STARTTLS.
    pub direct_tls: bool,
}

impl From<ConnectOptions> for ::eft::ConnectOptions {
    fn from(options: ConnectOptions) -> Self {
        Self {
            server: options.server.map(|server| ::eft::ServerAddress {
                host: server.host,
                port: server.port,
                direct_tls: server.direct_tls,
            }),
            extra_roots_pem: options.extra_roots_pem,
            allow_plain: options.allow_plain,
            resource: None,
        }
    }
}

#[uniffi::export]
impl Account {
    /// The account's address.
    pub fn jid(&self) -> String {
        self.inner.jid().to_string()
    }

    /// Id of this device (XEP-0384).
    pub fn device_id(&self) -> u32 {
        self.inner.device_id().as_u32()
    }

    /// Fingerprint of this device: eight groups of eight hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        self.inner.fingerprint().to_string()
    }

    /// Connects and stays connected until `disconnect`. Returns once the device is published.
    ///
    /// # Errors
    /// `Offline`, `AuthRejected`, `CertificateRejected`, `ServerTooOld`.
    pub async fn connect(&self, options: ConnectOptions) -> Result<(), EftError> {
        Ok(self.inner.connect(options.into()).await?)
    }

    /// Ends the connection; what was not acknowledged stays queued.
    pub async fn disconnect(&self) {
        self.inner.disconnect().await;
    }

    /// Ends the connection and closes the database. Every later call gets `Suspended`.
    pub async fn shut_down(&self) {
        self.inner.shut_down().await;
    }

    /// The one-to-one conversation with `peer`.
    ///
    /// # Errors
    /// `InvalidInput` for what is no address.
    pub fn conversation(&self, peer: String) -> Result<Arc<Conversation>, EftError> {
        Ok(Arc::new(Conversation {
            inner: self.inner.conversation(bare_jid(&peer)?),
        }))
    }

    /// The devices known of an account, this one included for the own account.
    ///
    /// # Errors
    /// `InvalidInput`, `Suspended`.
    pub async fn devices(&self, jid: String) -> Result<Vec<Device>, EftError> {
        let devices = self.inner.devices(&bare_jid(&jid)?).await?;
        Ok(devices.into_iter().map(Into::into).collect())
    }

    /// The contact list, in the order of the addresses.
    ///
    /// # Errors
    /// `Offline`: the server keeps the list. `Suspended`.
    pub async fn contacts(&self) -> Result<Vec<Contact>, EftError> {
        let contacts = self.inner.contacts().await?;
        Ok(contacts.into_iter().map(Into::into).collect())
    }

    /// Asks the server for an account's device lists; `devices` then tells what it said.
    ///
    /// # Errors
    /// `InvalidInput`, `Offline`, `Suspended`.
    pub async fn refresh_devices(&self, jid: String) -> Result<(), EftError> {
        Ok(self.inner.refresh_devices(&bare_jid(&jid)?).await?)
    }

    /// Accepts a fingerprint that the user compared with `jid`, digit by digit. From then on every other new
    /// device of `jid` waits for a decision. The device may appear later: a scanned code may come first.
    ///
    /// # Errors
    /// `InvalidInput` for what is no address or no fingerprint, and for this device's own; `Suspended`,
    /// `StoreDamaged`.
    pub async fn verify(&self, jid: String, fingerprint: String) -> Result<(), EftError> {
        let level = TrustLevel::Verified {
            by: VerifiedBy::Fingerprint,
        };
        self.decide(&jid, &fingerprint, level).await
    }

    /// Rejects a fingerprint: nothing is encrypted to a device that shows it.
    ///
    /// # Errors
    /// As for `verify`.
    pub async fn distrust(&self, jid: String, fingerprint: String) -> Result<(), EftError> {
        let level = TrustLevel::Distrusted {
            by: DistrustedBy::User,
        };
        self.decide(&jid, &fingerprint, level).await
    }

    /// Accepts that a device that spoke `urn:xmpp:omemo:2` before is written to in the older version: the user's
    /// answer to `DeviceDowngraded`. Holds until the device is downgraded anew.
    ///
    /// # Errors
    /// `InvalidInput` for what is no address or no device id, and if the device is not downgraded; `Suspended`,
    /// `StoreDamaged`.
    pub async fn accept_legacy(&self, jid: String, device: u32) -> Result<(), EftError> {
        let device = device_address(&jid, device)?;
        Ok(self.inner.accept_legacy(&device).await?)
    }

    /// Accepts that the server offers weaker mechanisms than it once did: the user's answer where a login was refused
    /// for that (`AuthRejected`), and the server's operator says that it is so.
    ///
    /// # Errors
    /// `StoreLocked`, `Suspended`, `StoreDamaged`.
    pub async fn accept_downgrade(&self) -> Result<(), EftError> {
        Ok(self.inner.accept_downgrade().await?)
    }

    /// Makes new sessions with every device of `jid`, or of everybody: the user's own remedy when messages cannot be
    /// decrypted. Returns how many will be made.
    ///
    /// # Errors
    /// `InvalidInput`, `Suspended`, `StoreDamaged`.
    pub async fn reset_sessions(&self, jid: Option<String>) -> Result<u32, EftError> {
        let jid = jid.as_deref().map(bare_jid).transpose()?;
        let count = self.inner.reset_sessions(jid.as_ref()).await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Tells `observer` what happens from now on, until the subscription is released or the account is closed.
    pub fn subscribe(&self, observer: Arc<dyn AccountObserver>) -> Arc<Subscription> {
        Arc::new(Subscription::start(self.inner.events(), observer))
    }
}

impl Account {
    async fn decide(&self, jid: &str, shown: &str, level: TrustLevel) -> Result<(), EftError> {
        let jid = bare_jid(jid)?;
        Ok(self
            .inner
            .set_trust(&jid, fingerprint(shown)?, level)
            .await?)
    }
}
