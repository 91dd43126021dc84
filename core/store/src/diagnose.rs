//! Why a database does not open: wrong key, or damaged file.
//!
//! SQLCipher answers both with the same "file is not a database". But every page carries an HMAC
//! under a key derived from the raw key and the salt, so a single page that verifies proves the key
//! right and the file damaged, and if none verifies the key is not the file's.

use rusqlite::Connection;
use zeroize::Zeroizing;

use crate::cipher_provider::{Hash, RawFile, hmac, pbkdf2};
use crate::connection::{PAGE_BYTES, PLAIN_HEADER_BYTES};
use crate::key::{KEY_BYTES, StoreKey};

/// What is wrong with a file that does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Diagnosis {
    /// No page belongs to the key.
    WrongKey,
    /// The key is right, or the file was never a database; with what was seen.
    Corrupt(&'static str),
}

/// First bytes of every SQLite database; in the clear in ours.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// End of each page that SQLCipher keeps for itself: initialisation vector and HMAC-SHA-512.
const RESERVED_BYTES: usize = 16 + MAC_BYTES;
const MAC_BYTES: usize = 64;
/// SQLCipher's distance between the two salts (`HMAC_SALT_MASK`) and its rounds for the second key
/// (`FAST_PBKDF2_ITER`).
const MAC_SALT_MASK: u8 = 0x3a;
const MAC_KEY_ROUNDS: u32 = 2;
/// Pages looked at in a large file. At 6 µs each this is not noticed, and damage that takes all of
/// them, evenly spread, leaves nothing to be saved.
const MAX_PAGES_READ: u64 = 512;

/// Looks at the file of a connection that could not read it under `key`. `None` if the file cannot be
/// read at all.
pub(crate) fn diagnose(connection: &Connection, key: &StoreKey) -> Option<Diagnosis> {
    let file = RawFile::of(connection);
    let pages = file.bytes()? / PAGE_BYTES as u64;
    let mut page = vec![0; PAGE_BYTES];
    if pages == 0 {
        return Some(Diagnosis::Corrupt("shorter than a page"));
    }
    file.read(0, &mut page)?;
    if !page.starts_with(MAGIC) {
        return Some(Diagnosis::Corrupt("does not begin like a database"));
    }
    let mac_key = mac_key(key)?;
    let step = pages.div_ceil(MAX_PAGES_READ).max(1);
    let mut index = 0;
    while index < pages {
        file.read(index * PAGE_BYTES as u64, &mut page)?;
        if belongs(&mac_key, index, &page) {
            return Some(Diagnosis::Corrupt(match index {
                0 => "its pages do not fit together",
                _ => "its first page was changed",
            }));
        }
        index += step;
    }
    Some(Diagnosis::WrongKey)
}

fn mac_key(key: &StoreKey) -> Option<Zeroizing<Vec<u8>>> {
    let salt = key.salt().map(|byte| byte ^ MAC_SALT_MASK);
    pbkdf2(Hash::Sha512, key.key(), &salt, MAC_KEY_ROUNDS, KEY_BYTES).ok()
}

/// Whether a page carries its HMAC: over the encrypted part, the initialisation vector, and the page
/// number (from 1, little-endian).
fn belongs(mac_key: &[u8], index: u64, page: &[u8]) -> bool {
    let plain = if index == 0 { PLAIN_HEADER_BYTES } else { 0 };
    let signed_end = PAGE_BYTES - MAC_BYTES;
    let (Some(signed), Some(found), Ok(number)) = (
        page.get(plain..signed_end),
        page.get(signed_end..PAGE_BYTES),
        u32::try_from(index + 1),
    ) else {
        return false;
    };
    const { assert!(PAGE_BYTES > RESERVED_BYTES + PLAIN_HEADER_BYTES) };
    hmac(Hash::Sha512, mac_key, signed, &number.to_le_bytes()).is_ok_and(|mac| mac == found)
}
