//! Places in a text that are filled in.

pub(super) fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

pub(super) fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Text before, inside and behind the first `[[ ]]`.
pub(super) fn bracketed(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let open = text.windows(2).position(|window| window == b"[[")?;
    let inside = &text[open + 2..];
    let close = inside.windows(2).position(|window| window == b"]]")?;
    Some((&text[..open], &inside[..close], &inside[close + 2..]))
}
