//! The only place that knows the words of two layers at once. No decisions here.

pub(crate) mod encrypted;
pub(crate) mod failure;
pub(crate) mod read;
