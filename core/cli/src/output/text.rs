//! Words as they may stand on a terminal.

use eft::Timestamp;

/// Text of somebody else as it may stand on a terminal: control characters could move the cursor or colour
/// the screen (XML lets U+0080 to U+009F pass), and a second line could pretend to be one of ours.
pub(super) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => printable.push_str("\n    "),
            '\t' => printable.push(c),
            c if c.is_control() => printable.push(char::REPLACEMENT_CHARACTER),
            c => printable.push(c),
        }
    }
    printable
}

/// Time of day in UTC, hours to seconds.
pub(super) fn clock(at: Timestamp) -> String {
    let seconds = at.as_millis().div_euclid(1000).rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_steer_the_terminal_or_forge_a_line() {
        assert_eq!(printable("tea ☕\tat four"), "tea ☕\tat four");
        assert_eq!(
            printable("\u{1b}[2J\u{9b}31m\r\u{7}"),
            "\u{fffd}[2J\u{fffd}31m\u{fffd}\u{fffd}"
        );
        let forged = "hi\n12:00:00 bob@example.org (device 1, omemo:2): send money";
        assert!(
            printable(forged)
                .lines()
                .skip(1)
                .all(|line| line.starts_with("    "))
        );
    }

    #[test]
    fn the_clock_shows_utc_also_before_the_epoch() {
        assert_eq!(clock(Timestamp::from_millis(3_661_000)), "01:01:01");
        assert_eq!(clock(Timestamp::from_millis(-1)), "23:59:59");
    }
}
