//! XEP-0334: message processing hints, for servers.

use crate::xml::element;
use crate::{Element, ns};

/// What servers are asked to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hint {
    /// Put it into the archive, although it has no body.
    Store,
    /// Keep it nowhere.
    NoStore,
    /// Keep it out of the archive, but for offline delivery.
    NoPermanentStore,
    /// Copy it to nobody.
    NoCopy,
}

impl Hint {
    const ALL: [Self; 4] = [
        Self::Store,
        Self::NoStore,
        Self::NoPermanentStore,
        Self::NoCopy,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::NoStore => "no-store",
            Self::NoPermanentStore => "no-permanent-store",
            Self::NoCopy => "no-copy",
        }
    }

    /// The element.
    #[must_use]
    pub fn to_element(self) -> Element {
        element(self.name(), ns::HINTS)
    }

    /// Whether a message carries the hint.
    #[must_use]
    pub fn is_in(self, message: &Element) -> bool {
        message.has_child(self.name(), ns::HINTS)
    }

    /// Reads one element.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|hint| element.is(hint.name(), ns::HINTS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::ElementExt;

    #[test]
    fn hints_survive_a_round_trip() {
        for hint in Hint::ALL {
            assert_eq!(Hint::parse(&hint.to_element()), Some(hint));
            let message = element("message", ns::CLIENT).with_child(hint.to_element());
            assert!(hint.is_in(&message));
        }
        assert_eq!(Hint::parse(&element("store", "other")), None);
        assert_eq!(Hint::parse(&element("other", ns::HINTS)), None);
    }
}
