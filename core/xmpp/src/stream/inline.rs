//! What a server does within one `<authenticate/>` (XEP-0388 §2.1 `<inline/>`): Bind 2, resumption,
//! tokens.

use super::record::{FieldReader, Fields};
use super::sasl::FastMechanism;
use crate::{Element, ns};

/// The `<inline/>` of a SASL2 offer.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct InlineOffer {
    /// XEP-0386.
    pub bind: Option<BindOffer>,
    /// XEP-0198 §9.2: a stream can be resumed.
    pub resume: bool,
    /// XEP-0484: mechanisms for tokens, those that we know.
    pub fast: Vec<FastMechanism>,
}

/// What can be switched on while binding (XEP-0386 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct BindOffer {
    /// XEP-0280.
    pub carbons: bool,
    /// XEP-0352: the state in which the session begins.
    pub client_state: bool,
    /// XEP-0198.
    pub stream_management: bool,
}

impl InlineOffer {
    /// Reads the SASL2 offer in `<stream:features/>`; `None` if there is none.
    #[must_use]
    pub fn parse(features: &Element) -> Option<Self> {
        let offer = features.get_child("authentication", ns::SASL2)?;
        let Some(inline) = offer.get_child("inline", ns::SASL2) else {
            return Some(Self::default());
        };
        Some(Self {
            bind: inline.get_child("bind", ns::BIND2).map(BindOffer::parse),
            resume: inline.has_child("sm", ns::SM),
            fast: inline
                .get_child("fast", ns::FAST)
                .into_iter()
                .flat_map(Element::children)
                .filter(|child| child.is("mechanism", ns::FAST))
                .filter_map(|child| FastMechanism::from_name(child.text().trim()))
                .collect(),
        })
    }

    pub(super) fn write(&self, fields: Fields) -> Fields {
        let fields = fields
            .optional(self.bind, |fields, bind| {
                fields
                    .byte(bind.carbons.into())
                    .byte(bind.client_state.into())
                    .byte(bind.stream_management.into())
            })
            .byte(self.resume.into())
            .number(self.fast.len() as u64);
        self.fast.iter().fold(fields, |fields, mechanism| {
            fields.text(&mechanism.to_string())
        })
    }

    pub(super) fn read(fields: &mut FieldReader<'_>) -> Option<Self> {
        let bind = fields.optional(|fields| {
            Some(BindOffer {
                carbons: fields.flag()?,
                client_state: fields.flag()?,
                stream_management: fields.flag()?,
            })
        })?;
        let resume = fields.flag()?;
        // A count from nowhere ends with the bytes of the record.
        let fast = (0..fields.number()?)
            .map(|_| FastMechanism::from_name(fields.text()?))
            .collect::<Option<_>>()?;
        Some(Self { bind, resume, fast })
    }
}

impl BindOffer {
    fn parse(bind: &Element) -> Self {
        let has = |var: &str| {
            bind.get_child("inline", ns::BIND2).is_some_and(|inline| {
                inline
                    .children()
                    .any(|child| child.is("feature", ns::BIND2) && child.attr("var") == Some(var))
            })
        };
        Self {
            carbons: has(ns::CARBONS),
            client_state: has(ns::CSI),
            stream_management: has(ns::SM),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offer_of_a_real_server_is_read() {
        let features: Element = "<features xmlns='http://etherx.jabber.org/streams'>\
            <authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism><inline>\
            <fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-EXPR</mechanism><mechanism>HT-SHA-256-UNIQ</mechanism></fast>\
            <sm xmlns='urn:xmpp:sm:3'/><bind xmlns='urn:xmpp:bind:0'><inline>\
            <feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:sm:3'/></inline></bind>\
            </inline></authentication></features>"
            .parse()
            .unwrap();
        let offer = InlineOffer::parse(&features).unwrap();
        assert_eq!(
            offer.bind,
            Some(BindOffer {
                carbons: true,
                client_state: false,
                stream_management: true
            })
        );
        assert!(offer.resume);
        assert_eq!(
            offer.fast,
            [FastMechanism::from_name("HT-SHA-256-EXPR").unwrap()]
        );
        assert_eq!(
            InlineOffer::parse(&Element::bare("features", ns::STREAM)),
            None
        );
    }
}
