//! Bytes on one side, `minidom::Element` on the other, with bounds in between.

mod build;
mod decoder;
mod document;
mod encoder;
mod scope;

pub(crate) use build::{ElementExt, element};
pub use decoder::{DecodeError, Decoder, Frame, InnerLimit, StreamHeader};
pub(crate) use document::parse_document;
pub(crate) use encoder::write_element;

pub use encoder::{
    EncodeError, encode_element, encode_stanza, encode_stream_close, encode_stream_open,
};
