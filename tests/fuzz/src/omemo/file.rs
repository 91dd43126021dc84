//! The cipher of files: keys, places to go on from, and whole files in any pieces.

use eft_omemo::{
    FILE_TAG_BYTES, FileCheckpoint, FileEncryptor, FileError, FileKey, FileKeyError, FileVerifier,
    UnverifiedFile, VerifiedFile,
};

use crate::input::{Input, Seed};

/// What is encrypted in any pieces is decrypted in any others, over any interruptions; what was changed anywhere is not
/// authentic, by both ways of reading alike.
pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 4 {
        0 => checkpoint(input.rest()),
        1 => key(&mut input),
        _ => file(&mut input),
    }
}

fn checkpoint(bytes: &[u8]) {
    match FileCheckpoint::from_bytes(bytes) {
        Ok(place) => {
            assert_eq!(place.to_bytes().as_slice(), bytes);
            let key = FileKey::new(&[1; 32], &[2; 12]).unwrap();
            // Wherever it is, going on is an answer, also at the end of the longest file.
            let mut verifier = FileVerifier::resume(&key, &place);
            assert_eq!(verifier.position(), place.position());
            let _ = verifier.update(&[0; 33]);
            if let Ok(mut file) = UnverifiedFile::resume(&key, &place) {
                let _ = file.decrypt(&mut [0; 33]).map(|bytes| bytes.release());
            }
        }
        Err(error) => assert_eq!(error, FileError::Checkpoint),
    }
}

fn key(input: &mut Input<'_>) {
    let (key, iv) = (input.block(), input.block());
    match FileKey::new(key, iv) {
        Ok(read) => {
            assert_eq!((read.key().as_slice(), read.iv()), (key, iv));
            assert_eq!(format!("{read:?}"), "FileKey(…)");
        }
        Err(FileKeyError::KeyLength { found }) => {
            assert!(found == key.len() && found != 32);
        }
        Err(FileKeyError::IvLength { found }) => {
            assert!(found == iv.len() && ![12, 16].contains(&found));
        }
    }
}

fn file(input: &mut Input<'_>) {
    let secret = [input.byte(); 32];
    let iv = [input.byte(); 16];
    let iv = &iv[..if input.flag() { 12 } else { 16 }];
    let key = FileKey::new(&secret, iv).unwrap();
    let content = input.block();

    let mut sealed = content.to_vec();
    let mut encryptor = FileEncryptor::new(&key).unwrap();
    in_pieces(&mut sealed, input, |piece| {
        encryptor.encrypt(piece).unwrap()
    });
    let tag = encryptor.finish();

    let verified = verify(&key, &sealed, &tag, input).unwrap();
    assert_eq!(reread(verified, &sealed, input).unwrap(), content);
    assert_eq!(
        decrypt_at_once(&key, &sealed, &tag, input).unwrap(),
        content
    );

    // The ciphertext with its tag, and what becomes of it on the way.
    let changed = input.changed(&[sealed.as_slice(), &tag].concat());
    let Some((other, other_tag)) = changed.split_last_chunk::<FILE_TAG_BYTES>() else {
        return;
    };
    if (other, other_tag) != (sealed.as_slice(), &tag) {
        let error = verify(&key, other, other_tag, input).unwrap_err();
        assert_eq!(error, FileError::NotAuthentic);
        let error = decrypt_at_once(&key, other, other_tag, input).unwrap_err();
        assert_eq!(error, FileError::NotAuthentic);
    }
    if other != sealed {
        // It was authentic when it was read first.
        let verified = verify(&key, &sealed, &tag, input).unwrap();
        let error = reread(verified, other, input).unwrap_err();
        assert_eq!(error, FileError::Changed);
    }
}

/// Pieces as the input says: the rest where it says nothing.
fn in_pieces(bytes: &mut [u8], input: &mut Input<'_>, mut take: impl FnMut(&mut [u8])) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = match input.byte() {
            0 => rest.len(),
            some => usize::from(some).min(rest.len()),
        };
        let (piece, left) = rest.split_at_mut(length);
        take(piece);
        rest = left;
    }
}

fn verify(
    key: &FileKey,
    sealed: &[u8],
    tag: &[u8; FILE_TAG_BYTES],
    input: &mut Input<'_>,
) -> Result<VerifiedFile, FileError> {
    let mut verifier = FileVerifier::new(key);
    let mut at = 0;
    while at < sealed.len() {
        let (length, stops) = step(sealed.len() - at, input);
        verifier.update(&sealed[at..at + length])?;
        at += length;
        if stops {
            let place = stored(&verifier.checkpoint(), at);
            verifier = FileVerifier::resume(key, &place);
            at = usize::try_from(place.position()).unwrap();
        }
    }
    verifier.finish(tag)
}

/// The second reading.
fn reread(
    mut file: VerifiedFile,
    sealed: &[u8],
    input: &mut Input<'_>,
) -> Result<Vec<u8>, FileError> {
    let mut content = sealed.to_vec();
    let mut error = None;
    in_pieces(&mut content, input, |piece| {
        let before = piece.to_vec();
        if error.is_none() {
            error = file.decrypt(piece).err();
            assert!(error.is_none() || before == piece, "refused, and changed");
        }
    });
    error.map_or_else(|| file.finish(), Err).map(|()| content)
}

fn decrypt_at_once(
    key: &FileKey,
    sealed: &[u8],
    tag: &[u8; FILE_TAG_BYTES],
    input: &mut Input<'_>,
) -> Result<Vec<u8>, FileError> {
    let mut file = UnverifiedFile::new(key)?;
    let mut content = sealed.to_vec();
    let mut at = 0;
    while at < sealed.len() {
        let (length, stops) = step(sealed.len() - at, input);
        let piece = &mut content[at..at + length];
        // After an interruption some bytes come again.
        piece.copy_from_slice(&sealed[at..at + length]);
        let _content = file.decrypt(piece)?.release();
        at += length;
        if stops {
            let place = stored(&file.checkpoint(), at);
            file = UnverifiedFile::resume(key, &place)?;
            at = usize::try_from(place.position()).unwrap();
        }
    }
    file.finish(tag).map(|()| content)
}

/// How many bytes come next, and whether reading is interrupted behind them. Fewer than a block never are: going on
/// from the same place would end nowhere.
fn step(left: usize, input: &mut Input<'_>) -> (usize, bool) {
    let length = match input.byte() {
        0 => left,
        some => usize::from(some).min(left),
    };
    (length, length > 16 && input.flag())
}

/// A place to go on from, by way of the store.
fn stored(place: &FileCheckpoint, at: usize) -> FileCheckpoint {
    let position = usize::try_from(place.position()).unwrap();
    assert!(position <= at && at - position < 16);
    FileCheckpoint::from_bytes(&place.to_bytes()).unwrap()
}

/// Places, keys, and files of lengths around a block's, read in pieces and changed in each part.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let key = FileKey::new(&[1; 32], &[2; 12]).unwrap();
    let mut verifier = FileVerifier::new(&key);
    verifier.update(&[3; 50]).unwrap();
    let place = verifier.checkpoint().to_bytes();
    let mut seeds = vec![Seed::new().byte(0).rest(&place).into_bytes()];
    for iv in [12, 16, 13] {
        let seed = Seed::new().byte(1).block(&[1; 32]).block(&vec![2; iv]);
        seeds.push(seed.into_bytes());
    }
    for (length, flips) in [(0, 0), (15, 1), (16, 0), (17, 1), (100, 1), (300, 2)] {
        let mut seed = Seed::new().byte(2).byte(7).byte(9).byte(1);
        seed = seed.block(&vec![5; length]);
        for _ in 0..12 {
            seed = seed.byte(33).byte(1);
        }
        for at in 0..flips {
            // A bit at a place; see `Input::changed`.
            seed = seed.byte(1).byte(0).byte(0).byte(at).byte(4);
        }
        seeds.push(seed.into_bytes());
    }
    seeds
}
