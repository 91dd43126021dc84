//! How the story is told: chapters, ticks, tables, a progress bar.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

/// Width of the progress bar, in characters.
const BAR_WIDTH: usize = 30;

/// Elsewhere than on a terminal the bar is printed this often.
const PRINTS: usize = 4;

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

    /// A row of a table, or its heading. What a row says was just checked.
    pub(crate) fn row(&self, text: &str) {
        self.line(&format!("    {text}"));
    }

    /// Something that takes a while begins.
    pub(crate) fn progress(&self, of: usize) -> Progress<'_> {
        Progress {
            telling: self,
            of,
            since: Instant::now(),
            shown: Cell::new(0),
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

/// How far something is. On a terminal one line that grows; elsewhere a line every quarter.
#[derive(Debug)]
pub(crate) struct Progress<'t> {
    telling: &'t Telling,
    of: usize,
    since: Instant,
    /// How far the last bar was.
    shown: Cell<usize>,
}

impl Progress<'_> {
    /// So many are done by now. What was said before is not said again.
    pub(crate) fn at(&self, done: usize) {
        let done = done.min(self.of);
        let step = if self.telling.is_terminal {
            1
        } else {
            (self.of / PRINTS).max(1)
        };
        if done / step <= self.shown.get() / step {
            return;
        }
        self.shown.set(done);
        let filled = (done * BAR_WIDTH).checked_div(self.of).unwrap_or(BAR_WIDTH);
        let bar = format!(
            "    [{}{}] {done:>4}/{}  {:.0}/s",
            "█".repeat(filled),
            "·".repeat(BAR_WIDTH.saturating_sub(filled)),
            self.of,
            self.rate(done),
        );
        if self.telling.is_terminal {
            let mut out = std::io::stdout().lock();
            let end = if done >= self.of { "\n" } else { "" };
            let _ = write!(out, "\r{bar}{end}").and_then(|()| out.flush());
        } else {
            self.telling.line(&bar);
        }
    }

    /// Things per second since the beginning.
    pub(crate) fn rate(&self, done: usize) -> f64 {
        let seconds = self.seconds().max(0.001);
        f64::from(u32::try_from(done).unwrap_or(u32::MAX)) / seconds
    }

    /// Seconds since the beginning.
    pub(crate) fn seconds(&self) -> f64 {
        self.since.elapsed().as_secs_f64()
    }
}
