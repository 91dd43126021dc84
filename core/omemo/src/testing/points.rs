//! Bytes that are no keys, though they have the length of one.

use super::unhex;

/// The twelve encodings of points of small order on Curve25519 and its twist that fit in 32 bytes with a value
/// below 2(2²⁵⁵−19)+2: those that are published as the list to check against (D. J. Bernstein, "Curve25519: new
/// Diffie-Hellman speed records", notes on its page).
const SMALL_ORDER: [&str; 12] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
    "4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
    "d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

/// Montgomery form: points of small order, and every kind of number that is not reduced.
pub(crate) fn bad_montgomery() -> Vec<[u8; 32]> {
    let listed = SMALL_ORDER.map(|hex| unhex(hex).try_into().unwrap());
    let with_top_bit = listed.map(|mut point: [u8; 32]| {
        point[31] |= 0x80;
        point
    });
    let mut all: Vec<_> = listed.into_iter().chain(with_top_bit).collect();
    all.extend(past_the_prime());
    // A good key, the base point, written with the bit that RFC 7748 masks.
    let mut masked = [0; 32];
    (masked[0], masked[31]) = (9, 0x80);
    all.push(masked);
    all.sort_unstable();
    all.dedup();
    all
}

/// Ed25519 form: the torsion points under either sign, and every `y` that is not reduced, under either sign.
pub(crate) fn bad_edwards() -> Vec<[u8; 32]> {
    let torsion =
        curve25519_dalek::constants::EIGHT_TORSION.map(|point| point.compress().to_bytes());
    let mut all: Vec<_> = torsion
        .into_iter()
        .chain(past_the_prime())
        .flat_map(|point| {
            [0, 0x80].map(|sign| {
                let mut signed = point;
                signed[31] = (point[31] & 0x7F) | sign;
                signed
            })
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The nineteen numbers from 2²⁵⁵−19 to 2²⁵⁵−1.
fn past_the_prime() -> impl Iterator<Item = [u8; 32]> {
    (0xED..=0xFF).map(|low| {
        let mut number = [0xFF; 32];
        (number[0], number[31]) = (low, 0x7F);
        number
    })
}
