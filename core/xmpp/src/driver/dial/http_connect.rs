//! HTTP CONNECT (RFC 9110 §9.3.6).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::AsyncWriteExt;
use zeroize::Zeroizing;

use super::super::error::AttemptError;
use super::super::web::http;
use super::{DialFuture, Dialer, ProxyAddress, ProxyLogin, proxy_error};

/// Connects through an HTTP proxy, as companies have them. Names go to the proxy unresolved. Many let port 443 pass
/// only: see [`super::super::WebSocketUse`].
#[derive(Clone)]
pub struct HttpConnectDialer {
    proxy: ProxyAddress,
    login: Option<ProxyLogin>,
    through: Arc<dyn Dialer>,
}

impl HttpConnectDialer {
    /// Reaches the proxy itself by `through`.
    #[must_use]
    pub fn new(proxy: ProxyAddress, login: Option<ProxyLogin>, through: Arc<dyn Dialer>) -> Self {
        Self {
            proxy,
            login,
            through,
        }
    }

    fn request(&self, host: &str, port: u16) -> Result<Zeroizing<String>, AttemptError> {
        if !host.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(proxy_error("no host name"));
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let host = if bare.contains(':') {
            format!("[{bare}]")
        } else {
            bare.to_owned()
        };
        let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some(login) = &self.login {
            // RFC 7617 §2: the name ends at the first colon.
            if login.name.contains(':') {
                return Err(proxy_error("a name with a colon"));
            }
            let pair = Zeroizing::new(format!("{}:{}", login.name, *login.password));
            let pair = Zeroizing::new(BASE64.encode(pair.as_bytes()));
            request.push_str("Proxy-Authorization: Basic ");
            request.push_str(&pair);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        Ok(Zeroizing::new(request))
    }
}

impl Dialer for HttpConnectDialer {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> DialFuture<'a> {
        Box::pin(async move {
            let request = self.request(host, port)?;
            let mut stream = self.through.dial(&self.proxy.host, self.proxy.port).await?;
            stream
                .write_all(request.as_bytes())
                .await
                .map_err(proxy_error)?;
            stream.flush().await.map_err(proxy_error)?;
            let head = http::read_head(&mut stream).await.map_err(proxy_error)?;
            match head.status {
                200..=299 => Ok(stream),
                407 => Err(proxy_error("it wants a password, or another one")),
                status => Err(proxy_error(format!("it said {status}"))),
            }
        })
    }
}
