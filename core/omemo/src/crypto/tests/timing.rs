//! Comparing and unpadding take the same time whatever the bytes are: Welch's t-test over two classes of input, after
//! "Dude, is my code constant time?" (Reparaz, Balasch, Verbauwhede, 2017).
//!
//! `EFT_TIMING_SAMPLES` makes it longer; with a million samples its bound is the 4.5 of that paper. A short run on a busy
//! machine is bounded generously, and shown to see a comparison that stops early.

use std::hint::black_box;
use std::time::Instant;

use rand_core::Rng as _;

use crate::crypto::{cbc, mac};
use crate::testing::seeded;

/// How many of a call make one sample: a single one is shorter than the clock is fine.
const CALLS: usize = 64;
const SHORT: usize = 4_000;
const LONG: usize = 1_000_000;

fn samples() -> usize {
    std::env::var("EFT_TIMING_SAMPLES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(SHORT)
}

/// The bound on |t|.
fn bound() -> f64 {
    if samples() < LONG { 15.0 } else { 4.5 }
}

/// `t` of the difference between the classes `false` and `true`, which take turns at random.
fn t_value(mut call: impl FnMut(bool)) -> f64 {
    let mut rng = seeded(7);
    let mut times: Vec<(bool, f64)> = (0..samples())
        .map(|_| {
            let class = rng.next_u32() & 1 == 1;
            let start = Instant::now();
            for _ in 0..CALLS {
                call(class);
            }
            (class, start.elapsed().as_secs_f64() * 1e9)
        })
        .collect();
    // What takes longest is other processes.
    times.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    times.truncate(times.len() * 8 / 10);
    let moments = |of: bool| {
        let values: Vec<_> = times
            .iter()
            .filter(|(class, _)| *class == of)
            .map(|(_, time)| *time)
            .collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    };
    let ((a, va), (b, vb)) = (moments(false), moments(true));
    (a - b) / (va + vb).sqrt().max(f64::MIN_POSITIVE)
}

/// A few attempts: what is constant passes one of them however busy the machine, what leaks passes none.
fn assert_constant(what: &str, mut call: impl FnMut(bool)) {
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(t_value(&mut call));
        if all.last().is_some_and(|t| t.abs() < bound()) {
            println!("timing {what}: t = {all:.2?}");
            return;
        }
    }
    panic!("{what}: t = {all:.2?}");
}

#[test]
fn the_time_of_a_comparison_does_not_tell_where_the_difference_is() {
    let key = [7; 32];
    let pieces: [&[u8]; 1] = [b"message"];
    for length in [8, 16] {
        let right = mac::hmac(&key, &pieces)[..length].to_vec();
        let (mut early, mut late) = (right.clone(), right.clone());
        early[0] ^= 1;
        late[length - 1] ^= 1;
        assert_constant("first or last byte of a MAC", |class| {
            let received = if class { &early } else { &late };
            black_box(mac::verify_truncated(&key, &pieces, black_box(received)));
        });
        assert_constant("right or wrong MAC", |class| {
            let received = if class { &right } else { &late };
            black_box(mac::verify_truncated(&key, &pieces, black_box(received)));
        });
    }
    let secret = crate::key::Secret::new(&key);
    let others = [0, 31].map(|at| {
        let mut other = key;
        other[at] ^= 1;
        crate::key::Secret::new(&other)
    });
    assert_constant("first or last byte of a secret", |class| {
        black_box(black_box(&secret) == black_box(&others[usize::from(class)]));
    });
}

#[test]
fn the_time_of_unpadding_does_not_tell_what_is_wrong() {
    // A padding of 16, wrong in the byte that is looked at first or last; and a good one beside a bad one.
    let good = [16; 16];
    let (mut first, mut last) = (good, good);
    first[0] = 0;
    last[14] = 0;
    assert_constant("where the padding is wrong", |class| {
        let blocks = if class { &first } else { &last };
        black_box(cbc::unpadded_length(black_box(blocks)));
    });
    let mut short = [0; 16];
    short[15] = 1;
    assert_constant("how long the padding is", |class| {
        let blocks = if class { &short } else { &good };
        black_box(cbc::unpadded_length(black_box(blocks)));
    });
}

#[test]
fn the_test_sees_a_comparison_that_stops_early() {
    let right = [7_u8; 16];
    let others = [0, 15].map(|at| {
        let mut other = right;
        other[at] ^= 1;
        other
    });
    let found = (0..5)
        .map(|_| {
            t_value(|class| {
                let pairs = black_box(&right).iter().zip(&others[usize::from(class)]);
                for (ours, theirs) in pairs {
                    if black_box(ours) != black_box(theirs) {
                        break;
                    }
                }
            })
        })
        .map(f64::abs)
        .fold(0.0, f64::max);
    assert!(found > bound(), "t = {found}");
}
