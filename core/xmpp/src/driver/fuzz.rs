//! What of the driver reads bytes, without sockets: for [`crate::fuzz`].

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use tokio::io::AsyncReadExt;

use super::web::http;
use super::websocket::{Nonces, WebSocketStream};

/// Everything is there already, so nothing waits.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// An answer, with its body.
pub(crate) fn http(mut bytes: &[u8]) {
    at_once(async {
        if let Ok(head) = http::read_head(&mut bytes).await {
            let _ = http::read_body(&mut bytes, &head, 4096).await;
        }
    });
}

/// The stream that the server's messages stand for, as far as they are whole.
pub(crate) fn websocket(bytes: &[u8]) -> Vec<u8> {
    let server = tokio::io::join(bytes, tokio::io::sink());
    let mut stream = Vec::new();
    at_once(WebSocketStream::new(server, &Nonces::ZERO).read_to_end(&mut stream));
    stream
}
