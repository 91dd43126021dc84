//! The parts of GCM (NIST SP 800-38D §7): the key stream and the hash, each at its own place in the file.
//!
//! ```text
//! H = E(K, 0 * 16)
//! J0 = IV || 1                                          an IV of 12 bytes
//! J0 = GHASH(IV || padding || 0 * 8 || bits of the IV)   any other
//! C = P ^ CTR32(K, J0 + 1)
//! S = GHASH(C || padding || 0 * 8 || bits of C)          (no associated data)
//! tag = S ^ E(K, J0)
//! ```

use aes::Aes256;
use aes::cipher::{Array, BlockCipherEncrypt as _, InnerIvInit as _, KeyInit as _};
use aes::cipher::{StreamCipher as _, StreamCipherSeek as _};
use ctr::{Ctr32BE, CtrCore};
use ghash::universal_hash::UniversalHash as _;
use ghash::{Block, GHash};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::{FILE_TAG_BYTES, FileError, FileKey, MAX_FILE_BYTES};

/// Bytes of a block of AES.
const BLOCK: usize = 16;

/// The key stream of a file.
pub(super) struct KeyStream(Ctr32BE<Aes256>);

impl KeyStream {
    /// From a place in the file.
    pub(super) fn new(key: &FileKey, position: u64) -> Result<Self, FileError> {
        let cipher = Aes256::new(key.key().into());
        let start = first_counter(&cipher, key.iv());
        let core = CtrCore::inner_iv_init(cipher, &Array::from(*start));
        let mut stream = Ctr32BE::from_core(core);
        // J0 itself makes the tag; the file begins one block behind.
        let place = position.checked_add(16).ok_or(FileError::TooLong)?;
        stream.try_seek(place).map_err(|_| FileError::TooLong)?;
        Ok(Self(stream))
    }

    /// Encrypts or decrypts what comes next.
    pub(super) fn apply(&mut self, bytes: &mut [u8]) -> Result<(), FileError> {
        self.0
            .try_apply_keystream(bytes)
            .map_err(|_| FileError::TooLong)
    }
}

/// `J0`.
fn first_counter(cipher: &Aes256, iv: &[u8]) -> Zeroizing<[u8; BLOCK]> {
    let mut start = Zeroizing::new([0; BLOCK]);
    if iv.len() == 12 {
        for (to, from) in start.iter_mut().zip(iv) {
            *to = *from;
        }
        start[BLOCK - 1] = 1;
    } else {
        let mut hash = new_hash(cipher);
        hash.update_padded(iv);
        hash.update(&[Array::from(lengths(
            u64::try_from(iv.len()).unwrap_or(u64::MAX),
        ))]);
        start.copy_from_slice(&hash.finalize());
    }
    start
}

fn new_hash(cipher: &Aes256) -> GHash {
    let mut h = Array::from([0; BLOCK]);
    cipher.encrypt_block(&mut h);
    let hash = GHash::new(&h);
    h.zeroize();
    hash
}

/// The last block under the hash: no associated data, and so many bytes.
fn lengths(bytes: u64) -> [u8; BLOCK] {
    // The longest file has fewer than 2³⁹ bits.
    let bits = bytes.saturating_mul(8).to_be_bytes();
    let mut block = [0; BLOCK];
    for (to, from) in block.iter_mut().skip(8).zip(bits) {
        *to = from;
    }
    block
}

/// The hash over the ciphertext, and how much of it there was.
pub(super) struct FileHash {
    hash: GHash,
    /// What is to be mixed into the next block: the state that the hash goes on from.
    ///
    /// `Y' = (Y ^ X) · H` is one step of it, so that to begin with zero and take `Y ^ X` is to go on from `Y` with `X`.
    carry: Zeroizing<[u8; BLOCK]>,
    /// `E(K, J0)`, which hides the hash in the tag.
    mask: Zeroizing<[u8; BLOCK]>,
    /// Bytes that are no whole block yet.
    rest: [u8; BLOCK],
    length: u64,
}

/// The hash after a whole number of blocks.
pub(super) struct HashState {
    pub(super) length: u64,
    pub(super) hash: Zeroizing<[u8; BLOCK]>,
}

impl FileHash {
    pub(super) fn new(key: &FileKey) -> Self {
        let cipher = Aes256::new(key.key().into());
        let mut mask = first_counter(&cipher, key.iv());
        let mut block = Array::from(*mask);
        cipher.encrypt_block(&mut block);
        mask.copy_from_slice(&block);
        block.zeroize();
        Self {
            hash: new_hash(&cipher),
            carry: Zeroizing::new([0; BLOCK]),
            mask,
            rest: [0; BLOCK],
            length: 0,
        }
    }

    /// Goes on from a state of the same file and key.
    pub(super) fn resume(key: &FileKey, state: &HashState) -> Self {
        Self {
            carry: state.hash.clone(),
            length: state.length,
            ..Self::new(key)
        }
    }

    /// Bytes so far.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// How long the file is with so many bytes more.
    pub(super) fn length_with(&self, bytes: usize) -> Result<u64, FileError> {
        u64::try_from(bytes)
            .ok()
            .and_then(|bytes| self.length.checked_add(bytes))
            .filter(|length| *length <= MAX_FILE_BYTES)
            .ok_or(FileError::TooLong)
    }

    /// Takes ciphertext. After an error nothing has been taken.
    pub(super) fn update(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let length = self.length_with(bytes.len())?;
        let held = self.held();
        self.length = length;
        // First what was left over, filled up to a block.
        let head = if held == 0 { 0 } else { BLOCK - held };
        let (head, bytes) = bytes.split_at(head.min(bytes.len()));
        for (to, from) in self.rest.iter_mut().skip(held).zip(head) {
            *to = *from;
        }
        if held + head.len() == BLOCK {
            self.absorb(&[Array::from(self.rest)]);
        }
        let (blocks, rest) = Array::slice_as_chunks(bytes);
        self.absorb(blocks);
        for (to, from) in self.rest.iter_mut().zip(rest) {
            *to = *from;
        }
        Ok(())
    }

    fn absorb(&mut self, blocks: &[Block]) {
        let Some((first, others)) = blocks.split_first() else {
            return;
        };
        if *self.carry == [0; BLOCK] {
            self.hash.update(blocks);
            return;
        }
        let mut first = *first;
        for (byte, carried) in first.iter_mut().zip(self.carry.iter_mut()) {
            *byte ^= core::mem::take(carried);
        }
        self.hash.update(&[first]);
        self.hash.update(others);
    }

    /// Bytes in `rest`.
    fn held(&self) -> usize {
        usize::try_from(self.length % 16).unwrap_or_default()
    }

    /// The tag of all that was taken.
    pub(super) fn finish(mut self) -> [u8; FILE_TAG_BYTES] {
        let held = self.held();
        if held > 0 {
            for byte in self.rest.iter_mut().skip(held) {
                *byte = 0;
            }
            self.absorb(&[Array::from(self.rest)]);
        }
        self.absorb(&[Array::from(lengths(self.length))]);
        let mut tag = [0; FILE_TAG_BYTES];
        for ((to, hash), mask) in tag.iter_mut().zip(self.hash.finalize()).zip(*self.mask) {
            *to = hash ^ mask;
        }
        tag
    }

    /// Whether this is the tag of all that was taken; takes the same time wherever they differ.
    pub(super) fn matches(self, tag: &[u8; FILE_TAG_BYTES]) -> bool {
        self.finish().ct_eq(tag).into()
    }

    /// The state after the last whole block.
    pub(super) fn state(&self) -> HashState {
        let mut hash = self.carry.clone();
        // Of the two, one is zero.
        for (to, from) in hash.iter_mut().zip(self.hash.clone().finalize()) {
            *to ^= from;
        }
        HashState {
            length: self.length - self.length % 16,
            hash,
        }
    }
}
