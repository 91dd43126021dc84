//! As much of the web as finding a WebSocket needs: one GET over our own TLS.

mod host_meta;
pub(super) mod http;
mod url;

pub(super) use host_meta::find_websockets;
pub use url::{WebUrl, WebUrlError};
