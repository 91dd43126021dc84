//! XEP-0082: `DateTime`, to and from milliseconds since the epoch.

use eft_types::Timestamp;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// `2026-11-23T03:07:09.123Z`. Years outside 0–9999, which the format cannot express, become its
/// ends.
#[must_use]
pub fn format(time: Timestamp) -> String {
    // Bounds of the format: 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z.
    let millis = time
        .as_millis()
        .clamp(-62_167_219_200_000, 253_402_300_799_999);
    let (days, in_day) = (
        millis.div_euclid(MILLIS_PER_DAY),
        millis.rem_euclid(MILLIS_PER_DAY),
    );
    let (year, month, day) = civil_from_days(days);
    let (hours, minutes) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (seconds, millis) = (in_day / 1000 % 60, in_day % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

/// Reads a `DateTime`: any fraction (cut to milliseconds), `Z` or a numeric offset. `None` for
/// anything else.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (date, rest) = text.split_once(['T', 't'])?;
    let mut date = date.split('-');
    let year = digits(date.next()?, 4)?;
    let month = digits(date.next()?, 2)?;
    let day = digits(date.next()?, 2)?;
    if date.next().is_some()
        || !(1..=12).contains(&month)
        || !(1..=days_in_month(year, month)).contains(&day)
    {
        return None;
    }

    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at_checked(zone_at)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.split(':');
    let hours = digits(time.next()?, 2)?;
    let minutes = digits(time.next()?, 2)?;
    let seconds = digits(time.next()?, 2)?;
    // 24:00:00 and leap seconds are written by some; they mean the next instant.
    if time.next().is_some() || hours > 24 || minutes > 59 || seconds > 60 {
        return None;
    }
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis = fraction
        .bytes()
        .chain(*b"00")
        .take(3)
        .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));

    let days = days_from_civil(year, month, day);
    let local =
        days * MILLIS_PER_DAY + hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + millis;
    Some(Timestamp::from_millis(local - offset_millis(zone)?))
}

fn offset_millis(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours <= 14 && minutes <= 59).then_some(sign * (hours * 3_600_000 + minutes * 60_000))
}

fn digits(text: &str, count: usize) -> Option<i64> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. Years begin in March, so that the
/// leap day is the last of its year and months have fixed offsets.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month <= 2 { year - 1 } else { year };
    let era = march_year.div_euclid(400);
    let year_of_era = march_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Inverse of [`days_from_civil`].
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn millis(text: &str) -> Option<i64> {
        parse(text).map(Timestamp::as_millis)
    }

    #[test]
    fn the_examples_of_the_xep_are_one_instant() {
        // XEP-0082 §3.2.
        assert_eq!(millis("1969-07-21T02:56:15Z"), Some(-14_159_025_000));
        assert_eq!(millis("1969-07-20T21:56:15-05:00"), Some(-14_159_025_000));
        assert_eq!(millis("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            millis("2026-11-23T03:07:09.123456Z"),
            Some(1_795_403_229_123)
        );
        assert_eq!(
            millis("2024-02-29T00:00:00.5+01:00"),
            Some(1_709_161_200_500)
        );
    }

    #[test]
    fn rubbish_is_no_time() {
        for bad in [
            "",
            "now",
            "2026-11-23",
            "2026-11-23T03:07:09",
            "2026-11-23 03:07:09Z",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "2026-01-01T00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+1:00",
            "2026-01-01T00:00:00+99:00",
            "-026-01-01T00:00:00Z",
            "2026-01-01T00:00:00ZZ",
            "2026-01-01T00:00:00é",
            "20261-01-01T00:00:00Z",
            "2026-1-1T00:00:00Z",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_format_has_ends() {
        assert_eq!(
            format(Timestamp::from_millis(i64::MAX)),
            "9999-12-31T23:59:59.999Z"
        );
        assert_eq!(
            format(Timestamp::from_millis(i64::MIN)),
            "0000-01-01T00:00:00.000Z"
        );
        assert_eq!(
            format(Timestamp::from_millis(-1)),
            "1969-12-31T23:59:59.999Z"
        );
    }

    proptest! {
        #[test]
        fn every_instant_survives_a_round_trip(millis in -62_167_219_200_000i64..=253_402_300_799_999) {
            let time = Timestamp::from_millis(millis);
            prop_assert_eq!(parse(&format(time)), Some(time));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
