//! Asking a domain where its WebSockets are (XEP-0156 §2).

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::super::config::ConnectConfig;
use super::super::dial::Dialer;
use super::super::tls;
use super::http::{self, HttpError};
use super::url::{WebUrl, WebUrlError};
use crate::limits::{HOST_META_BYTES, HTTP_REDIRECTS};
use crate::stream::Transport;
use crate::xep::alt_connections;

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("timeout")]
    Timeout,
    #[error(transparent)]
    Unreachable(#[from] super::super::error::AttemptError),
    #[error(transparent)]
    Tls(#[from] super::super::error::ConnectError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("redirect: {0}")]
    Redirect(#[from] WebUrlError),
    #[error("too many redirects")]
    TooManyRedirects,
    #[error("status {0}")]
    Status(u16),
}

/// Finds addresses in one of the forms.
type Read = fn(&[u8]) -> Vec<String>;

/// What the domain says of its WebSockets, first in JSON, then in XML. Empty if it says nothing.
pub(in super::super) async fn find_websockets(
    config: &ConnectConfig,
    dialer: &dyn Dialer,
    domain: &str,
) -> Vec<WebUrl> {
    let forms: [(&str, Read); 2] = [
        ("host-meta.json", alt_connections::websockets_in_json),
        ("host-meta", alt_connections::websockets_in_xml),
    ];
    for (name, read) in forms {
        let url = format!("https://{}/.well-known/{name}", bracketed(domain));
        let fetched = match WebUrl::https(&url) {
            Ok(url) => fetch(config, dialer, url).await,
            Err(error) => Err(error.into()),
        };
        match fetched {
            Ok(body) => {
                let urls: Vec<_> = read(&body)
                    .iter()
                    .filter_map(|text| WebUrl::websocket(text).ok())
                    .collect();
                if !urls.is_empty() {
                    return urls;
                }
            }
            Err(error) => tracing::debug!(name, %error, "no host-meta"),
        }
    }
    Vec::new()
}

fn bracketed(domain: &str) -> String {
    if domain.contains(':') {
        format!("[{domain}]")
    } else {
        domain.to_owned()
    }
}

async fn fetch(
    config: &ConnectConfig,
    dialer: &dyn Dialer,
    mut url: WebUrl,
) -> Result<Vec<u8>, FetchError> {
    for _ in 0..=HTTP_REDIRECTS {
        let asked = timeout(config.connect_timeout, get(config, dialer, &url)).await;
        match asked.map_err(|_| FetchError::Timeout)?? {
            Answer::Body(body) => return Ok(body),
            Answer::Elsewhere(location) => url = url.join(&location)?,
        }
    }
    Err(FetchError::TooManyRedirects)
}

enum Answer {
    Body(Vec<u8>),
    Elsewhere(String),
}

async fn get(
    config: &ConnectConfig,
    dialer: &dyn Dialer,
    url: &WebUrl,
) -> Result<Answer, FetchError> {
    let name = tls::server_name(url.host())?;
    let stream = dialer.dial(url.host(), url.port()).await?;
    let authority = url.authority();
    let mut tls = config
        .tls
        .handshake(stream, &name, Transport::WebSocket, &authority)
        .await?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {authority}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        url.path(),
    );
    let sent = async {
        tls.write_all(request.as_bytes()).await?;
        tls.flush().await
    };
    sent.await.map_err(HttpError::from)?;
    let head = http::read_head(&mut tls).await?;
    match head.status {
        200 => Ok(Answer::Body(
            http::read_body(&mut tls, &head, HOST_META_BYTES).await?,
        )),
        301 | 302 | 303 | 307 | 308 => head
            .only("location")
            .map(|location| Answer::Elsewhere(location.to_owned()))
            .ok_or(FetchError::Status(head.status)),
        status => Err(FetchError::Status(status)),
    }
}
