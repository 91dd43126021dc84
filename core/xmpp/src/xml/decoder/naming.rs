//! Start tags to elements.

use minidom::Element;
use rxml::{Namespace, RawQName};

use super::super::scope::Scopes;
use super::{DecodeError, Head};
use crate::ns;

/// Resolves names. The element's own scope must be pushed already.
pub(super) fn build_element(
    scopes: &Scopes,
    name: &RawQName,
    attributes: impl Iterator<Item = (RawQName, String)>,
) -> Result<Element, DecodeError> {
    if name.0.as_ref().is_some_and(|prefix| prefix == "xmlns") {
        return Err(DecodeError::Prefix);
    }
    let ns = scopes.resolve(name.0.as_ref())?;
    let mut element = Element::bare(name.1.as_str(), ns);
    for ((prefix, name), value) in attributes {
        let ns = match &prefix {
            // Namespaces in XML §6.2: the default namespace does not apply to attributes.
            None => Namespace::NONE,
            Some(_) => scopes.resolve(prefix.as_ref())?.to_owned().into(),
        };
        if element.attrs_mut().insert(ns, name, value).is_some() {
            return Err(DecodeError::DuplicateAttribute);
        }
    }
    Ok(element)
}

/// What has arrived of a stanza's own start tag. Prefixes may still have been waiting for their
/// declaration, so only plain names are kept, and the namespace is taken to be the stream's.
pub(super) fn shell_of_unfinished(head: Head) -> Element {
    let mut shell = Element::bare(head.name.1.as_str(), ns::CLIENT);
    for ((prefix, name), value) in head.attributes {
        if prefix.is_none() {
            shell.attrs_mut().insert(Namespace::NONE, name, value);
        }
    }
    shell
}
