//! XEP-0478: stream limits, in `<stream:features/>`.

use crate::stream::StreamLimits;
use crate::{Element, ns};

/// Reads `<limits/>` among the features. What is missing, zero or unreadable is no limit.
#[must_use]
pub fn parse(features: &Element) -> StreamLimits {
    let Some(limits) = features.get_child("limits", ns::STREAM_LIMITS) else {
        return StreamLimits::default();
    };
    let number = |name: &str| {
        let text = limits.get_child(name, ns::STREAM_LIMITS)?.text();
        text.trim().parse().ok().filter(|number| *number > 0)
    };
    StreamLimits {
        max_bytes: number("max-bytes"),
        idle_seconds: number("idle-seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_numbers_limit() {
        for (inner, expected) in [
            ("", None),
            ("<max-bytes>0</max-bytes>", None),
            ("<max-bytes>x</max-bytes>", None),
            ("<max-bytes>-5</max-bytes>", None),
            ("<max-bytes> 10000 </max-bytes><other/>", Some(10_000)),
        ] {
            let features: Element = format!("<features xmlns='f'><limits xmlns='urn:xmpp:stream-limits:0'>{inner}</limits></features>")
                .parse()
                .unwrap();
            assert_eq!(parse(&features).max_bytes, expected);
        }
    }
}
