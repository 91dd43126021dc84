//! The wish to go on without encryption (XEP-0384 §5.9).

use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// The peer wants no more encryption in this conversation (§5.9). Only meaningful inside the
/// encrypted content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOut {
    /// Reason for the user.
    pub reason: Option<String>,
}

impl OptOut {
    /// `<opt-out/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let reason = self
            .reason
            .as_ref()
            .map(|reason| element("reason", ns::OMEMO_2).with_text(reason));
        element("opt-out", ns::OMEMO_2).with_child_if(reason)
    }

    /// Reads it from the content of an envelope.
    #[must_use]
    pub fn find<'a>(content: impl IntoIterator<Item = &'a Element>) -> Option<Self> {
        let opt_out = content
            .into_iter()
            .find(|child| child.is("opt-out", ns::OMEMO_2))?;
        Some(Self {
            reason: opt_out
                .get_child("reason", ns::OMEMO_2)
                .map(Element::text)
                .filter(|reason| !reason.is_empty()),
        })
    }
}
