//! Bytes on one side, `minidom::Element` on the other, with bounds in between.

mod build;
mod decoder;
mod encoder;
mod scope;

pub(crate) use build::{ElementExt, element};
pub use decoder::{DecodeError, Decoder, Frame, InnerLimit, StreamHeader};

pub use encoder::{
    EncodeError, encode_element, encode_stanza, encode_stream_close, encode_stream_open,
};
