//! Ways to let a client in, and to try its patience.

use super::scram::Fault;

/// What awaits the next client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// Honest, by SASL2 and Bind 2 (XEP-0388, XEP-0386).
    Sasl2,
    /// Honest, by SASL and bind of RFC 6120.
    Sasl1,
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
}

/// All, by name, with what a careful client does.
pub(crate) const LOGINS: [(&str, Login, &str); 17] = [
    ("sasl2", Login::Sasl2, "logs in"),
    ("sasl1", Login::Sasl1, "logs in"),
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
