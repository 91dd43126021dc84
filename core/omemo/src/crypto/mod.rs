//! The few primitives that OMEMO is made of, each with the specification's own notation.

pub(crate) mod cbc;
pub(crate) mod field;
pub(crate) mod kdf;
pub(crate) mod mac;
pub(crate) mod stack;
pub(crate) mod xeddsa;

#[cfg(test)]
mod tests;
