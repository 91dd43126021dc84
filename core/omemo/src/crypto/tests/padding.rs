//! The padding of AES-CBC, every case of a last block.

use crate::crypto::cbc::unpadded_length;

#[test]
fn exactly_the_sixteen_paddings_are_taken_off() {
    for count in 0..=u8::MAX {
        let mut blocks = [0xAA; 32];
        for byte in blocks.iter_mut().rev().take(usize::from(count)) {
            *byte = count;
        }
        blocks[31] = count;
        let expected = (1..=16).contains(&count).then(|| 32 - usize::from(count));
        assert_eq!(unpadded_length(&blocks), expected, "{count}");
        // And with one of the bytes before the last changed.
        for back in 1..usize::from(count.min(16)) {
            let mut wrong = blocks;
            wrong[31 - back] ^= 0x80;
            assert_eq!(unpadded_length(&wrong), None, "{count} {back}");
        }
    }
    assert_eq!(unpadded_length(&[]), None);
    assert_eq!(unpadded_length(&[1; 15]), None);
}

#[test]
fn content_that_looks_like_padding_stays_content() {
    for count in 1..=16 {
        let blocks = [count; 32];
        let content = 32 - usize::from(count);
        assert_eq!(unpadded_length(&blocks), Some(content), "{count}");
    }
}
