//! How the story is told: chapters, ticks, a progress bar.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

/// Width of the progress bar, in characters.
const BAR_WIDTH: usize = 30;

/// The narrator.
#[derive(Debug)]
pub(crate) struct Telling {
    started: Instant,
    is_terminal: bool,
}

impl Telling {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            is_terminal: std::io::stdout().is_terminal(),
        }
    }

    /// A closed pipe is the reader's choice, not an error of the story.
    fn line(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// A new chapter.
    pub(crate) fn chapter(&self, title: &str) {
        self.line(&format!("\n{title}"));
    }

    /// Something that was just checked.
    pub(crate) fn checked(&self, what: &str) {
        self.line(&format!("  ✓ {what}"));
    }

    /// Something to know, checked by nothing.
    pub(crate) fn remark(&self, what: &str) {
        self.line(&format!("    {what}"));
    }

    /// How far something is. On a terminal one line that grows; elsewhere every quarter.
    pub(crate) fn progress(&self, done: usize, of: usize, since: Instant) {
        let filled = (done * BAR_WIDTH).checked_div(of).unwrap_or(BAR_WIDTH);
        let rate = rate(done, since);
        let bar = format!(
            "    [{}{}] {done:>4}/{of}  {rate:.0}/s",
            "█".repeat(filled),
            "·".repeat(BAR_WIDTH.saturating_sub(filled)),
        );
        if self.is_terminal {
            let mut out = std::io::stdout().lock();
            let end = if done >= of { "\n" } else { "" };
            let _ = write!(out, "\r{bar}{end}").and_then(|()| out.flush());
        } else if done >= of || done % (of / 4).max(1) == 0 {
            self.line(&bar);
        }
    }

    pub(crate) fn end(&self) {
        self.line(&format!(
            "\nThat is Eft. {:.1} s, every line above checked.",
            self.started.elapsed().as_secs_f64()
        ));
    }

    pub(crate) fn failed(&self, why: &str) {
        self.line(&format!("\n  ✗ {why}"));
    }
}

/// Things per second.
pub(crate) fn rate(done: usize, since: Instant) -> f64 {
    let seconds = since.elapsed().as_secs_f64().max(0.001);
    f64::from(u32::try_from(done).unwrap_or(u32::MAX)) / seconds
}
