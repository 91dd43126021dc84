//! Wire formats, one file per XEP: pure functions from values to elements and back.
//!
//! Reading is tolerant where deployed peers differ and strict about who may say what: where a
//! forgery is possible, the parser takes the address that must have said it.

pub mod stanza_error;
pub mod stream_limits;
