//! The server's first message, and what it claims to see of the connection.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{Evidence, Hash, ScramError};
use crate::limits::{SCRAM_MAX_BYTES, SCRAM_MAX_ITERATIONS, SCRAM_MIN_ITERATIONS};

pub(super) struct ServerFirst<'a> {
    pub(super) nonce: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
    pub(super) claims: Claims<'a>,
}

/// Optional attributes behind `i=` by which the server tells what it sees.
#[derive(Default)]
pub(super) struct Claims<'a> {
    /// XEP-0474: digest of the offer.
    offer: Option<&'a str>,
    /// The same as XEP-0474 0.3 had it.
    old_offer: Option<&'a str>,
    /// XEP-0515: version of TLS.
    tls_version: Option<&'a str>,
}

impl<'a> Claims<'a> {
    /// Each attribute at most once: a second one would be a way to disagree about which counts.
    fn parse(attributes: impl Iterator<Item = &'a str>) -> Result<Self, ScramError> {
        let mut claims = Self::default();
        for attribute in attributes {
            let slot = match attribute.get(..2) {
                Some("h=") => &mut claims.offer,
                Some("d=") => &mut claims.old_offer,
                Some("t=") => &mut claims.tls_version,
                // RFC 5802 §5.1: unknown optional attributes are ignored.
                _ => continue,
            };
            if slot
                .replace(attribute.get(2..).unwrap_or_default())
                .is_some()
            {
                return Err(ScramError::Malformed);
            }
        }
        Ok(claims)
    }

    pub(super) fn check(&self, hash: Hash, evidence: Evidence<'_>) -> Result<(), ScramError> {
        let digest = |input: String| BASE64.encode(hash.h(input.as_bytes()));
        if let Some(claimed) = self.offer
            && claimed != digest(evidence.offer.digest_input())
        {
            return Err(ScramError::OfferAltered);
        }
        if let Some(claimed) = self.old_offer
            && evidence.offer.old_digest_input().map(digest).as_deref() != Some(claimed)
        {
            return Err(ScramError::OfferAltered);
        }
        if evidence.needs_digest && self.offer.is_none() && self.old_offer.is_none() {
            return Err(ScramError::OfferUnproven);
        }
        match (self.tls_version, evidence.tls_version) {
            (Some(claimed), Some(ours)) if claimed != ours.hex() => {
                Err(ScramError::TlsVersionAltered {
                    server: claimed.chars().take(8).collect(),
                })
            }
            _ => Ok(()),
        }
    }
}

impl<'a> ServerFirst<'a> {
    pub(super) fn parse(message: &'a [u8], client_nonce: &str) -> Result<Self, ScramError> {
        let text = bounded_text(message)?;
        let mut attributes = text.split(',');
        let nonce = match attributes.next() {
            Some(first) if first.starts_with("m=") => return Err(ScramError::MandatoryExtension),
            Some(first) => first.strip_prefix("r=").ok_or(ScramError::Malformed)?,
            None => return Err(ScramError::Malformed),
        };
        let salt = attributes
            .next()
            .and_then(|attribute| attribute.strip_prefix("s="))
            .ok_or(ScramError::Malformed)?;
        let iterations = attributes
            .next()
            .and_then(|attribute| attribute.strip_prefix("i="))
            .ok_or(ScramError::Malformed)?;

        let added = nonce.strip_prefix(client_nonce).ok_or(ScramError::Nonce)?;
        if added.is_empty() || !added.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ScramError::Nonce);
        }
        let salt = BASE64.decode(salt).map_err(|_| ScramError::Malformed)?;
        if salt.is_empty() {
            return Err(ScramError::Malformed);
        }
        if iterations.is_empty() || !iterations.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ScramError::Malformed);
        }
        // More digits than fit is a number as well, and too large.
        let got: u64 = iterations.parse().unwrap_or(u64::MAX);
        let iterations = u32::try_from(got)
            .ok()
            .filter(|count| (SCRAM_MIN_ITERATIONS..=SCRAM_MAX_ITERATIONS).contains(count))
            .ok_or(ScramError::Iterations { got })?;
        Ok(Self {
            nonce,
            salt,
            iterations,
            claims: Claims::parse(attributes)?,
        })
    }
}

pub(super) fn bounded_text(message: &[u8]) -> Result<&str, ScramError> {
    if message.len() > SCRAM_MAX_BYTES {
        return Err(ScramError::Malformed);
    }
    core::str::from_utf8(message).map_err(|_| ScramError::Malformed)
}
