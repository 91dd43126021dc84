//! Lines of standard input.

use std::io;
use std::thread;

use tokio::sync::mpsc;

/// Lines read ahead of what was queued: enough not to wait for each other, little enough that a long file
/// stays where it is.
const LINES_AHEAD: usize = 16;

/// What was read.
pub(crate) type Line = io::Result<Vec<u8>>;

/// Reads standard input on a thread of its own.
///
/// A read from a terminal cannot be called off. On the runtime's threads it would hold up the end of the
/// program until somebody presses Enter; this thread simply ends with the process.
pub(crate) fn lines() -> io::Result<mpsc::Receiver<Line>> {
    let (sender, receiver) = mpsc::channel(LINES_AHEAD);
    thread::Builder::new()
        .name("eft-input".to_owned())
        .spawn(move || {
            let mut input = io::stdin().lock();
            while let Some(line) = next(&mut input).transpose() {
                let is_last = line.is_err();
                if sender.blocking_send(line).is_err() || is_last {
                    return;
                }
            }
        })?;
    Ok(receiver)
}

/// The next line without its end; `None` behind the last one.
fn next(input: &mut impl io::BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if input.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.ends_with(b"\n") {
        line.pop();
        if line.ends_with(b"\r") {
            line.pop();
        }
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_or_without_a_carriage_return_or_not_at_all() {
        let mut input = &b"one\ntwo\r\n\n\xFF\nlast"[..];
        let mut lines = Vec::new();
        while let Some(line) = next(&mut input).unwrap() {
            lines.push(line);
        }
        assert_eq!(lines, [&b"one"[..], b"two", b"", b"\xFF", b"last"]);
    }
}
