//! `<stream:features/>` (RFC 6120 §4.3.2).

use core::time::Duration;

use crate::{Element, ns};

/// What the server offers at this point of the stream.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamFeatures {
    /// STARTTLS is offered.
    pub starttls: bool,
    /// SASL mechanisms, in the server's order.
    pub mechanisms: Vec<String>,
    /// Resource binding.
    pub bind: bool,
    /// XEP-0198 `urn:xmpp:sm:3`.
    pub stream_management: bool,
    /// XEP-0352 client state indication.
    pub client_state: bool,
    /// RFC 6121 §2.6 roster versioning.
    pub roster_versioning: bool,
    /// XEP-0478 limits of this stream.
    pub limits: StreamLimits,
    /// All children, for features that have no field here (XEP-0388, 0386, 0440, 0115).
    pub elements: Vec<Element>,
}

/// What the server allows on this stream (XEP-0478). `None`: it does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct StreamLimits {
    /// Largest stanza in bytes.
    pub max_bytes: Option<u32>,
    /// Seconds of silence after which the server may close.
    pub idle_seconds: Option<u32>,
}

impl StreamLimits {
    /// How long a client that wishes to ping so seldom may be silent: three quarters of what the server
    /// allows, so that the ping arrives before the end.
    #[must_use]
    pub fn longest_silence(self, wished: Duration) -> Duration {
        match self.idle_seconds {
            Some(seconds) => wished.min(Duration::from_secs(u64::from(seconds)) * 3 / 4),
            None => wished,
        }
    }
}

impl StreamFeatures {
    /// Reads `<stream:features/>`; `None` if it is something else. Unknown children are kept.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("features", ns::STREAM) {
            return None;
        }
        let mechanisms = element
            .get_child("mechanisms", ns::SASL)
            .map_or_else(Vec::new, |list| {
                list.children()
                    .filter(|child| child.is("mechanism", ns::SASL))
                    .map(|child| child.text().trim().to_owned())
                    .collect()
            });
        Some(Self {
            starttls: element.has_child("starttls", ns::TLS),
            mechanisms,
            bind: element.has_child("bind", ns::BIND),
            stream_management: element.has_child("sm", ns::SM),
            client_state: element.has_child("csi", ns::CSI),
            roster_versioning: element.has_child("ver", "urn:xmpp:features:rosterver"),
            limits: crate::xep::stream_limits::parse(element),
            elements: element.children().cloned().collect(),
        })
    }

    /// Whether a feature stands in the list.
    #[must_use]
    pub fn has(&self, name: &str, ns: &str) -> bool {
        self.elements.iter().any(|element| element.is(name, ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_shorter_than_the_server_allows() {
        let hour = Duration::from_secs(3600);
        let allowed = |idle_seconds| StreamLimits {
            idle_seconds,
            max_bytes: None,
        };
        assert_eq!(allowed(None).longest_silence(hour), hour);
        assert_eq!(
            allowed(Some(840)).longest_silence(hour),
            Duration::from_secs(630)
        );
        assert_eq!(allowed(Some(1_000_000)).longest_silence(hour), hour);
    }

    #[test]
    fn features_of_a_real_server_are_read() {
        let element: Element = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
            <limits xmlns='urn:xmpp:stream-limits:0'><idle-seconds>840</idle-seconds><max-bytes>262144</max-bytes></limits>\
            <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1-PLUS</mechanism>\
            <mechanism> SCRAM-SHA-1 </mechanism></mechanisms>\
            <c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://prosody.im' ver='x'/>\
            <sm xmlns='urn:xmpp:sm:3'><optional/></sm><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\
            <csi xmlns='urn:xmpp:csi:0'/><ver xmlns='urn:xmpp:features:rosterver'/></stream:features>"
            .parse()
            .unwrap();
        let features = StreamFeatures::parse(&element).unwrap();
        assert_eq!(features.mechanisms, ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"]);
        assert!(
            features.bind
                && features.stream_management
                && features.client_state
                && features.roster_versioning
        );
        assert!(!features.starttls);
        assert_eq!(features.limits.max_bytes, Some(262_144));
        assert_eq!(features.limits.idle_seconds, Some(840));
        assert!(features.has("c", ns::CAPS));
        assert_eq!(
            StreamFeatures::parse(&Element::bare("features", ns::CLIENT)),
            None
        );
    }
}
