//! The request that turns HTTP into a WebSocket (RFC 6455 §4.1, RFC 7395 §3.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rand_core::CryptoRng;
use sha1::{Digest, Sha1};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::super::web::http::{self, HttpError};

/// §1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const SUBPROTOCOL: &str = "xmpp";

/// Randomness of one connection.
pub(in super::super) struct Nonces {
    key: [u8; 16],
    pub(super) mask_seed: [u8; 32],
}

impl Nonces {
    /// For what never reaches a network.
    pub(in super::super) const ZERO: Self = Self {
        key: [0; 16],
        mask_seed: [0; 32],
    };

    pub(in super::super) fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut nonces = Self {
            key: [0; 16],
            mask_seed: [0; 32],
        };
        rng.fill_bytes(&mut nonces.key);
        rng.fill_bytes(&mut nonces.mask_seed);
        nonces
    }
}

/// Why there is no WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum HandshakeError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the web server said {0}")]
    Status(u16),
    #[error("the web server did not agree: {0}")]
    NotAgreed(&'static str),
}

/// Asks for `path` at `authority`, over TLS that stands already.
pub(in super::super) async fn handshake<S>(
    stream: &mut S,
    authority: &str,
    path: &str,
    nonces: &Nonces,
) -> Result<(), HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let key = BASE64.encode(nonces.key);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    );
    let sent = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await
    };
    sent.await.map_err(HttpError::from)?;
    let head = http::read_head(stream).await?;
    if head.status != 101 {
        return Err(HandshakeError::Status(head.status));
    }
    let accept = Sha1::new()
        .chain_update(key.as_bytes())
        .chain_update(GUID)
        .finalize();
    let not_agreed = if !head.has_word("upgrade", "websocket") {
        "no upgrade to WebSocket"
    } else if !head.has_word("connection", "upgrade") {
        "no upgrade of the connection"
    } else if head.only("sec-websocket-accept") != Some(&BASE64.encode(accept)) {
        "an answer to another request"
    } else if head.only("sec-websocket-protocol") != Some(SUBPROTOCOL) {
        "another protocol than XMPP"
    } else if head.has("sec-websocket-extensions") {
        "an extension that was not asked for"
    } else {
        return Ok(());
    };
    Err(HandshakeError::NotAgreed(not_agreed))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    /// The example of RFC 6455 §1.3.
    const NONCES: Nonces = Nonces {
        key: *b"the sample nonce",
        mask_seed: [0; 32],
    };
    const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n";

    async fn try_with(answer: &str) -> (Result<(), HandshakeError>, String) {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(answer.as_bytes()).await.unwrap();
        let result = handshake(&mut ours, "b.example", "/ws", &NONCES).await;
        drop(ours);
        let mut asked = String::new();
        theirs.read_to_string(&mut asked).await.unwrap();
        (result, asked)
    }

    #[tokio::test]
    async fn the_example_of_the_rfc_is_agreed_on() {
        let (result, asked) = try_with(GOOD).await;
        assert_eq!(result, Ok(()));
        assert!(asked.starts_with("GET /ws HTTP/1.1\r\nHost: b.example\r\n"));
        assert!(asked.contains("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
    }

    #[tokio::test]
    async fn an_answer_that_lacks_anything_is_refused() {
        for (part, instead) in [
            ("Upgrade: WebSocket\r\n", ""),
            ("Connection: Upgrade", "Connection: close"),
            (
                "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
                "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            ),
            ("Sec-WebSocket-Protocol: xmpp\r\n", ""),
            ("Protocol: xmpp", "Protocol: chat"),
            (
                "xmpp\r\n",
                "xmpp\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
            ),
        ] {
            let answer = GOOD.replace(part, instead);
            assert_ne!(answer, GOOD);
            let (result, _) = try_with(&answer).await;
            let is_refused = matches!(result, Err(HandshakeError::NotAgreed(_)));
            assert!(is_refused, "{part} -> {instead}: {result:?}");
        }
        let (result, _) = try_with("HTTP/1.1 404 Not Found\r\n\r\n").await;
        assert_eq!(result, Err(HandshakeError::Status(404)));
    }
}
