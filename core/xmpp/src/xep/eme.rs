//! XEP-0380: what a message is encrypted with, for clients that cannot read it.

use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// The mark of an encrypted message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplicitEncryption {
    /// Namespace of the method.
    pub namespace: String,
    /// Name for humans. Chosen by the sender: show it only for methods that you do not know.
    pub name: Option<String>,
}

impl ExplicitEncryption {
    /// OMEMO 2, whose name is known to everybody who can read it.
    #[must_use]
    pub fn omemo2() -> Self {
        Self {
            namespace: ns::OMEMO_2.to_owned(),
            name: None,
        }
    }

    /// Legacy OMEMO.
    #[must_use]
    pub fn omemo_legacy() -> Self {
        Self {
            namespace: ns::OMEMO_LEGACY.to_owned(),
            name: Some("OMEMO".to_owned()),
        }
    }

    /// `<encryption/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        element("encryption", ns::EME)
            .with_attr("namespace", self.namespace.as_str())
            .with_attr_if("name", self.name.as_deref())
    }

    /// All marks of a message: one with both OMEMO versions has two.
    pub fn find_all(message: &Element) -> impl Iterator<Item = Self> {
        message.children().filter_map(|child| {
            if !child.is("encryption", ns::EME) {
                return None;
            }
            Some(Self {
                namespace: child.attr("namespace")?.to_owned(),
                name: child.attr("name").map(str::to_owned),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_marks_of_a_double_message_are_found() {
        let marks = [
            ExplicitEncryption::omemo2(),
            ExplicitEncryption::omemo_legacy(),
        ];
        let message = element("message", ns::CLIENT)
            .with_children(marks.iter().map(ExplicitEncryption::to_element))
            .with_child(element("encryption", ns::EME));
        assert_eq!(
            ExplicitEncryption::find_all(&message).collect::<Vec<_>>(),
            marks
        );
    }
}
