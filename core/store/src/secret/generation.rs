//! The generation of a database's lease, as it is kept beside the key.

use super::{SecretError, SecretName, SecretStore};
use crate::key::StoreKeyError;

const MAGIC: &[u8; 4] = b"EFTG";
const FORMAT: u8 = 1;

/// Reads the generation; `None` if none was ever kept.
pub(crate) fn load(
    secrets: &dyn SecretStore,
    name: &SecretName,
) -> Result<Option<u64>, SecretError> {
    match secrets.load(&name.of_generation()) {
        Ok(secret) => read(&secret).map(Some).map_err(SecretError::Corrupt),
        Err(SecretError::Lost) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps the generation, durably.
pub(crate) fn store(
    secrets: &dyn SecretStore,
    name: &SecretName,
    generation: u64,
) -> Result<(), SecretError> {
    secrets.store(&name.of_generation(), &write(generation))
}

/// `"EFTG" | format (1) | generation (8, little-endian) | its complement (8)`. The complement tells a damaged
/// number from an old one.
fn write(generation: u64) -> Vec<u8> {
    let mut secret = MAGIC.to_vec();
    secret.push(FORMAT);
    secret.extend_from_slice(&generation.to_le_bytes());
    secret.extend_from_slice(&(!generation).to_le_bytes());
    secret
}

fn read(secret: &[u8]) -> Result<u64, StoreKeyError> {
    let not_one = StoreKeyError::NotAKey {
        found_bytes: secret.len(),
    };
    let rest = secret.strip_prefix(MAGIC).ok_or(not_one)?;
    let (format, rest) = rest.split_first().ok_or(not_one)?;
    if *format != FORMAT {
        return Err(StoreKeyError::UnknownFormat {
            found: *format,
            known: FORMAT,
        });
    }
    let (number, rest) = rest.split_first_chunk::<8>().ok_or(not_one)?;
    let complement: &[u8; 8] = rest.try_into().map_err(|_| not_one)?;
    let generation = u64::from_le_bytes(*number);
    if u64::from_le_bytes(*complement) != !generation {
        return Err(StoreKeyError::Damaged);
    }
    Ok(generation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::MemorySecretStore;

    #[test]
    fn a_generation_is_kept_beside_the_key_and_not_in_its_place() {
        let (secrets, name) = (MemorySecretStore::new(), SecretName::new("db").unwrap());
        secrets.store(&name, b"the key").unwrap();
        assert_eq!(load(&secrets, &name), Ok(None));
        for generation in [1, 2, u64::MAX] {
            store(&secrets, &name, generation).unwrap();
            assert_eq!(load(&secrets, &name), Ok(Some(generation)));
        }
        assert_eq!(secrets.load(&name).unwrap().as_slice(), b"the key");
    }

    #[test]
    fn a_damaged_generation_is_no_other_generation() {
        let good = write(0x0102_0304_0506);
        for position in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[position / 8] ^= 1 << (position % 8);
            assert!(read(&bad).is_err(), "bit {position}");
        }
        for length in 0..good.len() {
            assert!(read(&good[..length]).is_err(), "{length}");
        }
    }
}
