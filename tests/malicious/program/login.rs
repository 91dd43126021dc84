//! Ways to let a client in, and to try its patience.

use super::middle::{self, Middle};
use super::offer::Offer;
use super::scram::Fault;

/// What awaits the next client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// Honest, with this offer.
    Honest(Offer),
    /// No STARTTLS is offered, but a password would be taken.
    StartTlsMissing,
    /// STARTTLS is refused.
    StartTlsFailure,
    /// Bytes stand behind `<proceed/>` in the clear.
    StartTlsInjected,
    /// The certificate is of an authority that nobody trusts.
    StrangersCertificate,
    /// The certificate is for another domain.
    OtherDomain,
    /// Only PLAIN.
    PlainOnly,
    /// Only mechanisms that are given up.
    OldOnly,
    /// Success without any proof.
    NoProof,
    /// SCRAM with a fault.
    Scram(Fault),
    /// Somebody between.
    Middle(Middle),
}

impl Login {
    /// What the server offers behind TLS.
    pub(crate) const fn offer(self) -> Offer {
        match self {
            Self::Honest(offer) => offer,
            Self::Middle(middle) => middle.made,
            Self::PlainOnly => Offer::SASL1.only_sasl1(&["PLAIN"]),
            Self::OldOnly => {
                Offer::SASL1.only_sasl1(&["DIGEST-MD5", "CRAM-MD5", "ANONYMOUS", "EXTERNAL"])
            }
            Self::Scram(Fault::OtherOffer | Fault::TwoOffers | Fault::OtherTls) => Offer::HASHED,
            _ => Offer::SASL1,
        }
    }
}

/// A way by its name.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) login: Login,
    /// What a careful client does.
    pub(crate) careful: &'static str,
    /// The login by which the same server is visited with nobody between.
    pub(crate) honest: Option<&'static str>,
}

/// All ways that there are.
pub(crate) fn all() -> Vec<Named> {
    let alone = LOGINS.iter().map(|(name, login, careful)| Named {
        name: (*name).to_owned(),
        login: *login,
        careful,
        honest: None,
    });
    let between = middle::logins()
        .into_iter()
        .map(|(name, login, careful, honest)| Named {
            name,
            login,
            careful,
            honest: Some(honest),
        });
    alone.chain(between).collect()
}

/// Those in which nobody stands between, by name, with what a careful client does.
const LOGINS: [(&str, Login, &str); 24] = [
    ("sasl2", Login::Honest(Offer::SASL2), "logs in"),
    ("sasl1", Login::Honest(Offer::SASL1), "logs in"),
    (
        "plus",
        Login::Honest(Offer::BOUND),
        "logs in, bound to the connection",
    ),
    (
        "plus-hashed",
        Login::Honest(Offer::HASHED),
        "logs in, bound to the connection",
    ),
    (
        "plus-sasl1",
        Login::Honest(Offer::BOUND_SASL1),
        "logs in, bound to the connection",
    ),
    (
        "plus-end-point",
        Login::Honest(Offer::END_POINT),
        "logs in, bound to the certificate",
    ),
    (
        "scram-offer-other",
        Login::Scram(Fault::OtherOffer),
        "leaves without a proof of its password",
    ),
    (
        "scram-offer-twice",
        Login::Scram(Fault::TwoOffers),
        "leaves without a proof of its password",
    ),
    (
        "scram-tls-other",
        Login::Scram(Fault::OtherTls),
        "leaves without a proof of its password",
    ),
    (
        "starttls-missing",
        Login::StartTlsMissing,
        "leaves, and has named no account in the clear",
    ),
    (
        "starttls-failure",
        Login::StartTlsFailure,
        "leaves, and has named no account in the clear",
    ),
    (
        "starttls-injected",
        Login::StartTlsInjected,
        "leaves before TLS begins",
    ),
    (
        "certificate-stranger",
        Login::StrangersCertificate,
        "leaves without a word behind TLS",
    ),
    (
        "certificate-domain",
        Login::OtherDomain,
        "leaves without a word behind TLS",
    ),
    (
        "plain-only",
        Login::PlainOnly,
        "leaves without having said its password",
    ),
    ("old-only", Login::OldOnly, "leaves without having begun"),
    (
        "no-proof",
        Login::NoProof,
        "leaves: the server never proved that it knows the password",
    ),
    (
        "scram-iterations-1",
        Login::Scram(Fault::Iterations(1)),
        "leaves without a proof of its password",
    ),
    (
        "scram-iterations-4095",
        Login::Scram(Fault::Iterations(4095)),
        "leaves without a proof of its password",
    ),
    (
        "scram-iterations-1000000000",
        Login::Scram(Fault::Iterations(1_000_000_000)),
        "leaves at once",
    ),
    (
        "scram-nonce-foreign",
        Login::Scram(Fault::ForeignNonce),
        "leaves without a proof of its password",
    ),
    (
        "scram-nonce-reused",
        Login::Scram(Fault::ReusedNonce),
        "leaves without a proof of its password",
    ),
    (
        "scram-signature-wrong",
        Login::Scram(Fault::WrongSignature),
        "leaves and uses nothing of the session",
    ),
    (
        "scram-signature-missing",
        Login::Scram(Fault::NoSignature),
        "leaves and uses nothing of the session",
    ),
];
