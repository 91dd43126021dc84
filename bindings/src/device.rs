//! Records of devices and trust.

/// A device of an account.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Device {
    /// The account.
    pub jid: String,
    /// Its id within the account.
    pub id: u32,
    /// Whether it is this one.
    pub this_device: bool,
    /// Whether the account's list names it now.
    pub listed: bool,
    /// The label that its owner signed, if any.
    pub label: Option<String>,
    /// Eight groups of eight hexadecimal digits, once known.
    pub fingerprint: Option<String>,
    /// How far it is trusted.
    pub trust: Trust,
    /// Messages written to it since anything came back. A device that is read now and then answers by itself after 53:
    /// far above that it is asleep for good, most likely.
    pub unanswered_count: u32,
}

/// How far a device is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Trust {
    /// Nothing decided; nothing is encrypted to it.
    Undecided,
    /// Trusted on first sight.
    BlindlyTrusted,
    /// Its fingerprint was compared.
    Verified,
    /// The user does not trust it.
    Distrusted,
}

impl From<::eft::DeviceInfo> for Device {
    fn from(device: ::eft::DeviceInfo) -> Self {
        Self {
            jid: device.address.jid.to_string(),
            id: device.address.device.as_u32(),
            this_device: device.this_device,
            listed: device.listed,
            label: device.label,
            fingerprint: device
                .fingerprint
                .map(|fingerprint| fingerprint.to_string()),
            trust: device.trust.into(),
            unanswered_count: device.unanswered_count,
        }
    }
}

impl From<::eft::Trust> for Trust {
    fn from(trust: ::eft::Trust) -> Self {
        match trust {
            ::eft::Trust::Undecided => Self::Undecided,
            ::eft::Trust::BlindlyTrusted => Self::BlindlyTrusted,
            ::eft::Trust::Verified => Self::Verified,
            ::eft::Trust::Distrusted => Self::Distrusted,
        }
    }
}
