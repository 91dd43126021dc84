//! Limits of the store, with their reasons.

/// Unreadable messages of one sending device and UTC day that get a row of their own. Later ones
/// are counted in one row: whoever can write to us could otherwise fill the disk, and a device that
/// is out of step for a day has said so after fifty.
pub const MAX_FAILURES_PER_DEVICE_AND_DAY: u32 = 50;

/// The same, over all devices of one sender: the device id is the sender's own word, so it can be
/// another one each time.
pub const MAX_FAILURES_PER_SENDER_AND_DAY: u32 = 200;

/// Longest technical detail kept, in bytes; the rest is cut off. Some come from servers.
pub const MAX_DETAIL_BYTES: usize = 200;

/// Most rows that one read returns, whatever the caller asked for: an extension has 24 MB.
pub const MAX_PAGE_ROWS: usize = 1000;

/// Most entries of the intake that wait for the holder of the lease. One may be away for weeks; more than
/// this is not written by a user's hand.
pub const MAX_INTAKE_ROWS: u32 = 10_000;

/// Rounds of scrypt that an export's passphrase costs, as a power of two: 128 MiB, and about a second on a phone.
pub const EXPORT_WORK_LOG2: u8 = 17;

/// Most rounds that an import tries: a hostile file must not take a phone's memory.
pub const MAX_EXPORT_WORK_LOG2: u8 = 18;

/// Longest line of an export, in bytes: what an import keeps in memory at once is a few of these. A message of the
/// largest stanza that servers pass (some MiB) fits, however much of it JSON has to escape.
pub const MAX_EXPORT_LINE_BYTES: usize = 32 * 1024 * 1024;

/// Cuts a technical detail to [`MAX_DETAIL_BYTES`], at the end of a character.
pub(crate) fn shortened(detail: &str) -> &str {
    let mut end = detail.len().min(MAX_DETAIL_BYTES);
    while !detail.is_char_boundary(end) {
        end -= 1;
    }
    detail.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        let long = "ä".repeat(MAX_DETAIL_BYTES);
        let cut = shortened(&long);
        assert_eq!(cut.len(), MAX_DETAIL_BYTES);
        let odd = format!("x{long}");
        assert_eq!(shortened(&odd).len(), MAX_DETAIL_BYTES - 1);
        assert!(odd.starts_with(shortened(&odd)));
    }
}
