//! Truncated MACs.

use crate::crypto::mac::{hmac, verify_truncated};

#[test]
fn a_truncated_mac_is_a_part_of_the_whole_one_and_never_nothing() {
    let (key, pieces): (_, [&[u8]; 2]) = ([7; 32], [b"two", b"pieces"]);
    let whole = hmac(&key, &pieces);
    for length in 1..=whole.len() {
        let mut received = whole[..length].to_vec();
        assert!(verify_truncated(&key, &pieces, &received));
        assert!(verify_truncated(&key, &[b"twopieces"], &received));
        received[length - 1] ^= 1;
        assert!(!verify_truncated(&key, &pieces, &received));
    }
    assert!(!verify_truncated(&key, &pieces, &[]));
    let longer = [whole.as_slice(), &[0]].concat();
    assert!(!verify_truncated(&key, &pieces, &longer));
}
