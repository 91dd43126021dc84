//! The clock and the randomness of the core: below this crate both are arguments.

use std::time::{SystemTime, UNIX_EPOCH};

use eft_types::Timestamp;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::error::Error;

/// Now, by the device's clock.
pub(crate) fn now() -> Timestamp {
    let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        // A device whose clock stands before 1970.
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    };
    Timestamp::from_millis(millis)
}

/// Random bytes from the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::bug(format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// A cryptographic generator seeded by the operating system.
pub(crate) fn rng() -> Result<StdRng, Error> {
    Ok(StdRng::from_seed(random_bytes()?))
}
