//! What a tree costs, estimated while it grows.

use minidom::Element;

/// What a part of a tree costs beside its own text, as measured on 64 bits, with what vectors and allocator waste: an
/// element in its parent's list.
pub(super) const ELEMENT_MEMORY_BYTES: usize = 320;
/// The list of an element's children, which begins with room for four.
pub(super) const FIRST_CHILD_MEMORY_BYTES: usize = 340;
/// The map of an element's attributes, which begins with room for eleven.
pub(super) const FIRST_ATTRIBUTE_MEMORY_BYTES: usize = 900;
/// An attribute in its map.
pub(super) const ATTRIBUTE_MEMORY_BYTES: usize = 80;
/// A text between elements.
pub(super) const TEXT_MEMORY_BYTES: usize = 200;

/// What the next child costs beside itself.
pub(super) fn first_child_bytes(parent: &Element) -> usize {
    if parent.nodes().next().is_none() {
        FIRST_CHILD_MEMORY_BYTES
    } else {
        0
    }
}
