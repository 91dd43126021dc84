//! Known answers, through the C border.

use super::*;

fn table() -> SqlcipherProvider {
    let mut table = std::mem::MaybeUninit::uninit();
    // SAFETY: room for one table; initialised when the setup says OK.
    unsafe {
        assert_eq!(eft_sqlcipher_provider_setup(table.as_mut_ptr()), SQLITE_OK);
        table.assume_init()
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn call_hmac(algorithm: c_int, key: &[u8], first: &[u8], second: Option<&[u8]>) -> Option<Vec<u8>> {
    let table = table();
    let mut out = vec![0; (table.get_hmac_sz)(ptr::null_mut(), algorithm) as usize];
    // SAFETY: slices with their own lengths.
    let code = unsafe {
        (table.hmac)(
            ptr::null_mut(),
            algorithm,
            key.as_ptr(),
            key.len() as c_int,
            first.as_ptr(),
            first.len() as c_int,
            second.map_or(ptr::null(), <[u8]>::as_ptr),
            second.map_or(77, <[u8]>::len) as c_int,
            out.as_mut_ptr(),
        )
    };
    (code == SQLITE_OK).then_some(out)
}

fn call_kdf(
    algorithm: c_int,
    password: &[u8],
    salt: &[u8],
    rounds: c_int,
    bytes: usize,
) -> Option<Vec<u8>> {
    let mut out = vec![0; bytes];
    // SAFETY: slices with their own lengths.
    let code = unsafe {
        (table().kdf)(
            ptr::null_mut(),
            algorithm,
            password.as_ptr(),
            password.len() as c_int,
            salt.as_ptr(),
            salt.len() as c_int,
            rounds,
            bytes as c_int,
            out.as_mut_ptr(),
        )
    };
    (code == SQLITE_OK).then_some(out)
}

fn call_cipher(mode: c_int, key: &[u8], iv: &[u8; 16], data: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0; data.len()];
    // SAFETY: slices with their own lengths; the vector has the length of a block.
    let code = unsafe {
        (table().cipher)(
            ptr::null_mut(),
            mode,
            key.as_ptr(),
            key.len() as c_int,
            iv.as_ptr(),
            data.as_ptr(),
            data.len() as c_int,
            out.as_mut_ptr(),
        )
    };
    (code == SQLITE_OK).then_some(out)
}

/// NIST SP 800-38A, F.2.5 and F.2.6.
#[test]
fn aes_256_cbc_gives_the_vectors_of_sp_800_38a() {
    let key = hex("603deb1015ca71be2b73aef0857d7781 1f352c073b6108d72d9810a30914dff4");
    let iv: [u8; 16] = hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
    let plain = hex(
        "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
                     30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710",
    );
    let cipher = hex(
        "f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d
                      39f23369a9d9bacfa530e26304231461 b2eb05e2c39be9fcda6c19078c6a9d1b",
    );
    assert_eq!(call_cipher(1, &key, &iv, &plain), Some(cipher.clone()));
    assert_eq!(call_cipher(0, &key, &iv, &cipher), Some(plain));
}

#[test]
fn cipher_works_in_place_and_with_the_vector_behind_the_output() {
    let key = [7; 32];
    let iv = [9; 16];
    let plain: Vec<u8> = (0..64).collect();
    let expected = call_cipher(1, &key, &iv, &plain).unwrap();
    let mut page = plain.clone();
    page.extend_from_slice(&iv);
    let data = page.as_mut_ptr();
    // SAFETY: 64 bytes of data and 16 behind them, all from one pointer, as SQLCipher lays out a page.
    let code = unsafe {
        (table().cipher)(
            ptr::null_mut(),
            1,
            key.as_ptr(),
            32,
            data.add(64),
            data,
            64,
            data,
        )
    };
    assert_eq!(code, SQLITE_OK);
    assert_eq!(page[..64], expected);
    assert_eq!(page[64..], iv);
}

/// RFC 2202 case 2, RFC 4231 case 2.
#[test]
fn hmac_gives_the_vectors_of_rfc_2202_and_4231() {
    let (key, data) = (b"Jefe", b"what do ya want for nothing?");
    let expected = [
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554
         9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ];
    for (algorithm, expected) in (0..).zip(expected) {
        assert_eq!(call_hmac(algorithm, key, data, None), Some(hex(expected)));
        // In two parts, as SQLCipher passes page and page number.
        let (first, second) = data.split_at(10);
        assert_eq!(
            call_hmac(algorithm, key, first, Some(second)),
            Some(hex(expected))
        );
    }
}

/// RFC 6070 case 2 (SHA-1); the same input with SHA-256 and SHA-512 as computed by Python's hashlib.
#[test]
fn pbkdf2_gives_known_answers() {
    let expected = [
        "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957",
        "ae4d0c95af6b46d32d0adff928f06dd02a303f8e",
        "e1d9c16aa681708a45f5c7c4e215ceb66e011a2e",
    ];
    for (algorithm, expected) in (0..).zip(expected) {
        assert_eq!(
            call_kdf(algorithm, b"password", b"salt", 2, 20),
            Some(hex(expected))
        );
    }
}

#[test]
fn impossible_arguments_are_refused() {
    let (key, iv, data) = ([1; 32], [2; 16], [3; 32]);
    assert_eq!(call_cipher(2, &key, &iv, &data), None, "no such mode");
    assert_eq!(call_cipher(1, &key[..16], &iv, &data), None, "AES-128 key");
    assert_eq!(call_cipher(1, &key, &iv, &data[..31]), None, "half a block");
    assert_eq!(call_hmac(3, &key, &data, None), None, "no such hash");
    assert_eq!(call_hmac(0, &key, &[], None), None, "nothing to sign");
    assert_eq!(call_kdf(3, b"p", b"s", 1, 32), None, "no such hash");
    assert_eq!(call_kdf(0, b"p", b"s", 0, 32), None, "no rounds");
    assert_eq!(call_kdf(0, b"p", b"s", -1, 32), None, "negative rounds");
    assert_eq!(call_kdf(0, b"p", b"s", 1, 0), None, "no output");
    assert_eq!(call_kdf(0, b"p", b"s", 1, 65), None, "more than a key has");
    let table = table();
    let (null, some) = (ptr::null(), key.as_ptr());
    let mut out = [0; 64];
    let to = out.as_mut_ptr();
    // SAFETY: pointers are NULL or valid for the lengths given; negative ones are to be refused.
    unsafe {
        let none = ptr::null_mut();
        assert_eq!((table.random)(none, none, 8), SQLITE_ERROR);
        assert_eq!((table.random)(none, to.cast(), -1), SQLITE_ERROR);
        assert_eq!((table.random)(none, none, 0), SQLITE_OK);
        for (key, bytes, data, data_bytes, to) in [
            (null, 32, some, 32, to),
            (some, -32, some, 32, to),
            (some, 32, null, 32, to),
            (some, 32, some, -32, to),
            (some, 32, some, 32, ptr::null_mut()),
        ] {
            let code = (table.hmac)(none, 0, key, bytes, data, data_bytes, null, 0, to);
            assert_eq!(code, SQLITE_ERROR);
            let code = (table.cipher)(none, 1, key, bytes, some, data, data_bytes, to);
            assert_eq!(code, SQLITE_ERROR);
            let code = (table.kdf)(none, 0, key, bytes, data, data_bytes, 1, 32, to);
            assert_eq!(code, SQLITE_ERROR);
        }
        let code = (table.cipher)(none, 1, some, 32, null, some, 32, to);
        assert_eq!(code, SQLITE_ERROR);
        assert_eq!(eft_sqlcipher_provider_setup(ptr::null_mut()), SQLITE_ERROR);
    }
    assert_eq!(out, [0; 64], "a refused call writes nothing");
}

#[test]
fn a_panic_becomes_an_error_code() {
    assert_eq!(guarded(|| panic!("must not unwind into C")), SQLITE_ERROR);
}

#[test]
fn random_bytes_differ() {
    let (mut a, mut b) = ([0_u8; 48], [0_u8; 48]);
    // SAFETY: arrays with their lengths.
    unsafe {
        let random = table().random;
        assert_eq!(
            random(ptr::null_mut(), a.as_mut_ptr().cast(), 48),
            SQLITE_OK
        );
        assert_eq!(
            random(ptr::null_mut(), b.as_mut_ptr().cast(), 48),
            SQLITE_OK
        );
    }
    assert_ne!(a, b);
    assert!(a.iter().any(|byte| *byte != 0));
}

#[test]
fn sizes_are_those_of_aes_256_cbc() {
    let table = table();
    let none = ptr::null_mut();
    assert_eq!((table.get_key_sz)(none), 32);
    assert_eq!((table.get_iv_sz)(none), 16);
    assert_eq!((table.get_block_sz)(none), 16);
    let sizes = [-1, 0, 1, 2, 3].map(|algorithm| (table.get_hmac_sz)(none, algorithm));
    assert_eq!(sizes, [0, 20, 32, 64, 0]);
}

#[test]
fn sqlcipher_uses_this_provider() {
    let connection = Connection::open_in_memory().unwrap();
    assert_eq!(set_key(&connection, b"x"), SQLITE_OK);
    let name: String = connection
        .query_row("PRAGMA cipher_provider", [], |row| row.get(0))
        .unwrap();
    assert_eq!(name.as_bytes(), NAME.to_bytes());
}
