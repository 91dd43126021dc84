//! Why there is no connection, or no longer one.

use std::sync::Arc;

use eft_xmpp::driver::{CertificateProblem, CloseReason, ConnectError};
use eft_xmpp::stream::LoginError;

use crate::error::Error;
/// Why there is no connection, in the app's words.
pub(super) fn connect_error(error: ConnectError) -> Error {
    let reason = error.to_string();
    match error {
        ConnectError::Certificate {
            reason: problem, ..
        } => Error::CertificateRejected {
            reason: match problem {
                CertificateProblem::Expired => format!("{problem}; is the device's clock right?"),
                other => other.to_string(),
            },
        },
        ConnectError::Login(error) => login_error(error),
        ConnectError::InvalidDomain => Error::InvalidInput { reason },
        other => Error::Offline {
            reason: unreachable_reason(&other, reason),
            cause: Some(Arc::new(other)),
        },
    }
}

/// "Unreachable" with what was tried, so that a person can see which address was wrong.
fn unreachable_reason(error: &ConnectError, reason: String) -> String {
    let ConnectError::Unreachable { tried } = error else {
        return reason;
    };
    let tried: Vec<String> = tried
        .iter()
        .map(|attempt| format!("{}:{} ({})", attempt.host, attempt.port, attempt.error))
        .collect();
    if tried.is_empty() {
        reason
    } else {
        format!("no server answered: {}", tried.join(", "))
    }
}

pub(super) fn login_error(error: LoginError) -> Error {
    let reason = error.to_string();
    let is_temporary = error.is_temporary();
    match error {
        LoginError::TlsRequired | LoginError::UnsupportedVersion => {
            Error::ServerTooOld { feature: reason }
        }
        LoginError::AuthRejected { condition, text } if !is_temporary => Error::AuthRejected {
            reason: text.unwrap_or(condition),
        },
        LoginError::Downgraded(_) => Error::Downgraded { reason },
        LoginError::NoAcceptableMechanism { .. }
        | LoginError::Scram(_)
        | LoginError::UnprovenToken
        | LoginError::FurtherSteps { .. }
        | LoginError::NoCredentials
        | LoginError::UnpreparableCredentials
        | LoginError::NoLocalPart => Error::AuthRejected { reason },
        LoginError::BindRejected { .. } | LoginError::Stream(_) if !is_temporary => {
            Error::NotAllowed { reason }
        }
        other => Error::Offline {
            reason,
            cause: Some(Arc::new(other)),
        },
    }
}

/// Why a connection ended, in the app's words.
pub(in crate::pump) fn closed_error(reason: &CloseReason) -> Error {
    match reason {
        // Another client of ours took the resource, or the account is gone: trying again would
        // start a fight, or be useless.
        CloseReason::StreamError(error)
            if matches!(
                error.condition.as_str(),
                "conflict" | "not-authorized" | "host-gone" | "host-unknown"
            ) =>
        {
            Error::NotAllowed {
                reason: error.to_string(),
            }
        }
        other => Error::Offline {
            reason: other.to_string(),
            cause: Some(Arc::new(other.clone())),
        },
    }
}
