//! Namespace prefixes in force, one scope per open element.

use rxml::{NcName, RawQName};

use super::decoder::DecodeError;
use crate::ns;

const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Declarations of the open elements, outermost first. Most elements declare nothing or just a
/// default namespace, so a scope is a short list.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    open: Vec<Scope>,
}

#[derive(Debug, Default)]
pub(super) struct Scope {
    default: Option<String>,
    prefixes: Vec<(NcName, String)>,
}

impl Scope {
    /// Takes the attribute if it declares a namespace, else hands it back.
    pub(super) fn declare(
        &mut self,
        name: RawQName,
        value: String,
    ) -> Result<Option<(RawQName, String)>, DecodeError> {
        match (&name.0, name.1.as_str()) {
            (None, "xmlns") => {
                if self.default.is_some() {
                    return Err(DecodeError::DuplicateAttribute);
                }
                // Namespaces in XML §3: these two names are bound for good.
                if value == ns::XML || value == XMLNS {
                    return Err(DecodeError::Prefix);
                }
                self.default = Some(value);
                Ok(None)
            }
            (Some(prefix), _) if prefix == "xmlns" => {
                let wrong_xml = (name.1.as_str() == "xml") != (value == ns::XML);
                if wrong_xml || name.1.as_str() == "xmlns" || value == XMLNS || value.is_empty() {
                    return Err(DecodeError::Prefix);
                }
                if self.prefixes.iter().any(|(prefix, _)| *prefix == name.1) {
                    return Err(DecodeError::DuplicateAttribute);
                }
                self.prefixes.push((name.1, value));
                Ok(None)
            }
            _ => Ok(Some((name, value))),
        }
    }
}

impl Scopes {
    pub(super) fn push(&mut self, scope: Scope) {
        self.open.push(scope);
    }

    pub(super) fn pop(&mut self) {
        self.open.pop();
    }

    /// Forgets all scopes above the outermost `depth`.
    pub(super) fn truncate(&mut self, depth: usize) {
        self.open.truncate(depth);
    }

    /// Namespace of an element's name, or of a prefixed attribute's name.
    pub(super) fn resolve(&self, prefix: Option<&NcName>) -> Result<&str, DecodeError> {
        match prefix {
            None => Ok(self
                .open
                .iter()
                .rev()
                .find_map(|scope| scope.default.as_deref())
                .unwrap_or_default()),
            Some(prefix) if prefix == "xml" => Ok(ns::XML),
            Some(prefix) => self
                .open
                .iter()
                .rev()
                .find_map(|scope| {
                    let found = scope.prefixes.iter().find(|(name, _)| name == prefix)?;
                    Some(found.1.as_str())
                })
                .ok_or(DecodeError::Prefix),
        }
    }
}
