//! What has to be true in the end.

use eft::{Content, Delivery, Message};

use super::conversation::{Side, begin_of};
use super::ear::beginning;

/// Everything that is wrong on one side: what `other` wrote is there once and in its order, as is what this side wrote,
/// and each was told of once.
pub(crate) fn judge(side: &Side, other: &str, count: usize, history: &[Message]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut compare = |what: &str, found: &[String], name: &str| {
        let expected: Vec<_> = (0..count).map(|number| begin_of(name, number)).collect();
        if found != expected {
            let at = found
                .iter()
                .zip(&expected)
                .position(|(found, expected)| found != expected)
                .unwrap_or(found.len().min(count));
            let [is, should] = [found, &expected].map(|list| list.get(at));
            faults.push(format!(
                "{}: {} {what} instead of {count}; number {at} is {is:?} and should be {should:?}",
                side.name,
                found.len(),
            ));
        }
    };
    let texts = |outgoing: bool| -> Vec<String> {
        let of_side = history.iter().filter(|row| row.outgoing == outgoing);
        of_side
            .map(|row| match &row.content {
                Content::Text(text) => beginning(text),
                Content::Unreadable(why) => format!("UNREADABLE {why}"),
            })
            .collect()
    };
    compare("received", &texts(false), other);
    compare("written", &texts(true), side.name);
    side.ear.with(|heard| {
        // Who was told to read anew has not been told of each. Who was away for long is told of the newest before what
        // lies in the gap, so this has no order of its own.
        if !heard.is_reset {
            let mut told = heard.received.clone();
            told.sort_by_key(|text| number_of(text));
            compare("told", &told, other);
        }
    });
    let is_open = |row: &&Message| row.outgoing && row.delivery != Some(Delivery::Acked);
    faults.extend(
        history
            .iter()
            .find(is_open)
            .map(|row| format!("{}: {:?} is {:?}", side.name, row.content, row.delivery)),
    );
    side.ear
        .with(|heard| faults.extend(heard.alarms.iter().cloned()));
    faults
}

/// What [`begin_of`] was made of; of anything else the largest number.
fn number_of(text: &str) -> usize {
    let number = text.rsplit(' ').next().unwrap_or_default();
    number.trim_end_matches('.').parse().unwrap_or(usize::MAX)
}
