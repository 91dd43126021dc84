//! Coordinates: numbers below 2²⁵⁵−19, little-endian.

/// Whether the 32 bytes are such a number. Curve arithmetic reduces larger ones, and so gives one key several
/// forms.
pub(crate) fn is_field_element(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    match high {
        0x00..0x7F => true,
        0x7F => *low < 0xED || middle.iter().any(|byte| *byte != 0xFF),
        0x80.. => false,
    }
}
