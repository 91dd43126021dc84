//! Short ways to write and read an element. minidom wants validated attribute names, and all of
//! ours are literals.

use minidom::Element;
use rxml::{Namespace, NcName};

/// An empty element.
pub(crate) fn element(name: &str, ns: &str) -> Element {
    Element::bare(name, ns)
}

/// What every file of `xep/` says to an element.
pub(crate) trait ElementExt: Sized {
    /// Sets an attribute without namespace. `name` is a literal and a valid name.
    fn with_attr(self, name: &'static str, value: impl Into<String>) -> Self;
    /// Sets the attribute if there is a value.
    fn with_attr_if(self, name: &'static str, value: Option<impl Into<String>>) -> Self;
    /// Adds a child.
    fn with_child(self, child: Element) -> Self;
    /// Adds the child if there is one.
    fn with_child_if(self, child: Option<Element>) -> Self;
    /// Adds children.
    fn with_children(self, children: impl IntoIterator<Item = Element>) -> Self;
    /// Adds text.
    fn with_text(self, text: impl Into<String>) -> Self;
    /// The element itself without its children: what a log or an error may name.
    fn shell(&self) -> Element;
}

impl ElementExt for Element {
    fn with_attr(mut self, name: &'static str, value: impl Into<String>) -> Self {
        match NcName::try_from(name) {
            Ok(name) => {
                self.attrs_mut().insert(Namespace::NONE, name, value.into());
            }
            Err(_) => debug_assert!(false, "attribute name literal {name:?} is no XML name"),
        }
        self
    }

    fn with_attr_if(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with_attr(name, value),
            None => self,
        }
    }

    fn with_child(mut self, child: Element) -> Self {
        self.append_child(child);
        self
    }

    fn with_child_if(self, child: Option<Element>) -> Self {
        match child {
            Some(child) => self.with_child(child),
            None => self,
        }
    }

    fn with_children(self, children: impl IntoIterator<Item = Element>) -> Self {
        children.into_iter().fold(self, Self::with_child)
    }

    fn with_text(mut self, text: impl Into<String>) -> Self {
        self.append_text(text);
        self
    }

    fn shell(&self) -> Element {
        let mut shell = Element::bare(self.name(), self.ns());
        for ((ns, name), value) in self.attrs() {
            shell
                .attrs_mut()
                .insert(ns.clone(), name.clone(), value.clone());
        }
        shell
    }
}
