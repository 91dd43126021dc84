//! Two ways to do one thing, measured by turns.

use std::time::{Duration, Instant};

/// Medians of two ways.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Ours.
    pub ours: Duration,
    /// The other one's.
    pub bare: Duration,
}

impl Pair {
    /// How many times as long ours takes.
    #[must_use]
    pub fn ratio(self) -> f64 {
        self.ours.as_secs_f64() / self.bare.as_secs_f64()
    }

    /// For a table.
    #[must_use]
    pub fn note(self) -> String {
        format!("{:.2?} to {:.2?}", self.ours, self.bare)
    }
}

/// Measures both by turns, so that what the machine does meanwhile hits both, and now one first and now the other. The
/// first round warms up and does not count.
///
/// # Errors
/// The first error of either.
pub fn by_turns<E>(
    rounds: u32,
    mut ours: impl FnMut() -> Result<Duration, E>,
    mut bare: impl FnMut() -> Result<Duration, E>,
) -> Result<Pair, E> {
    let (mut of_ours, mut of_bare) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let (our_time, bare_time) = if round % 2 == 0 {
            let our_time = ours()?;
            (our_time, bare()?)
        } else {
            let bare_time = bare()?;
            (ours()?, bare_time)
        };
        if round > 0 {
            of_ours.push(our_time);
            of_bare.push(bare_time);
        }
    }
    Ok(Pair {
        ours: median(&mut of_ours),
        bare: median(&mut of_bare),
    })
}

/// How long something takes, with its answer.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let done = work();
    (begun.elapsed(), done)
}

/// The middle one. Zero of none.
pub fn median(times: &mut [Duration]) -> Duration {
    part(times, 0.5)
}

/// The one below which this part of all lies. Zero of none.
pub fn part(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a list of some thousands"
    )]
    let index = (times.len() as f64 * share) as usize;
    let last = times.len().saturating_sub(1);
    times.get(index.min(last)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_list() {
        let mut times: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(median(&mut times), Duration::from_millis(51));
        assert_eq!(part(&mut times, 0.99), Duration::from_millis(100));
        assert_eq!(part(&mut times, 0.0), Duration::from_millis(1));
        assert_eq!(median(&mut []), Duration::ZERO);
    }

    #[test]
    fn turns_change_who_is_first_and_the_first_round_does_not_count() {
        let order = std::cell::RefCell::new(String::new());
        let note = |letter: char, millis: u64| {
            order.borrow_mut().push(letter);
            Ok::<_, ()>(Duration::from_millis(millis))
        };
        let pair = by_turns(3, || note('o', 4), || note('b', 2)).unwrap();
        assert_eq!(*order.borrow(), "obboobbo");
        assert!((pair.ratio() - 2.0).abs() < 1e-9);
    }
}
