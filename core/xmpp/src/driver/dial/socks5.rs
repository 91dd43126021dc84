//! SOCKS5 (RFC 1928) with an optional password (RFC 1929).

use std::net::IpAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

use super::super::error::AttemptError;
use super::{BoxedStream, DialFuture, Dialer, ProxyAddress, ProxyLogin, proxy_error};

/// Connects through a SOCKS5 proxy, such as Tor's. Names go to the proxy unresolved; what
/// [`super::super::ConnectConfig::resolver`] is asked beforehand, SRV records, does not pass it.
#[derive(Clone)]
pub struct Socks5Dialer {
    proxy: ProxyAddress,
    login: Option<ProxyLogin>,
    through: Arc<dyn Dialer>,
}

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const BY_PASSWORD: u8 = 2;
const PASSWORD_VERSION: u8 = 1;
const CONNECT: u8 = 1;

/// RFC 1928 §6.
fn refusal(code: u8) -> &'static str {
    match code {
        2 => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "took too long",
        7 => "connecting is not supported",
        8 => "this kind of address is not supported",
        _ => "the proxy failed",
    }
}

impl Socks5Dialer {
    /// Reaches the proxy itself by `through`.
    #[must_use]
    pub fn new(proxy: ProxyAddress, login: Option<ProxyLogin>, through: Arc<dyn Dialer>) -> Self {
        Self {
            proxy,
            login,
            through,
        }
    }

    async fn greet(&self, stream: &mut BoxedStream) -> Result<(), AttemptError> {
        let offer: &[u8] = match self.login {
            Some(_) => &[VERSION, 2, NO_LOGIN, BY_PASSWORD],
            None => &[VERSION, 1, NO_LOGIN],
        };
        stream.write_all(offer).await.map_err(proxy_error)?;
        stream.flush().await.map_err(proxy_error)?;
        match (read::<2>(stream).await?, &self.login) {
            ([VERSION, NO_LOGIN], _) => Ok(()),
            ([VERSION, BY_PASSWORD], Some(login)) => log_in(stream, login).await,
            ([VERSION, _], None) => Err(proxy_error("it wants a password")),
            ([VERSION, _], Some(_)) => Err(proxy_error("it takes no password")),
            _ => Err(proxy_error("it does not speak SOCKS5")),
        }
    }
}

async fn log_in(stream: &mut BoxedStream, login: &ProxyLogin) -> Result<(), AttemptError> {
    let too_long = |_| proxy_error("name or password beyond 255 bytes");
    let mut request = Zeroizing::new(vec![PASSWORD_VERSION]);
    for text in [login.name.as_str(), login.password.as_str()] {
        request.push(u8::try_from(text.len()).map_err(too_long)?);
        request.extend_from_slice(text.as_bytes());
    }
    stream.write_all(&request).await.map_err(proxy_error)?;
    stream.flush().await.map_err(proxy_error)?;
    match read::<2>(stream).await? {
        [PASSWORD_VERSION, 0] => Ok(()),
        _ => Err(proxy_error("it refused the password")),
    }
}

fn request(host: &str, port: u16) -> Result<Vec<u8>, AttemptError> {
    let mut request = vec![VERSION, CONNECT, 0];
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            let length = u8::try_from(host.len());
            let length = length.map_err(|_| proxy_error("host name beyond 255 bytes"))?;
            request.extend_from_slice(&[3, length]);
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    Ok(request)
}

/// Never more than belongs to the answer: what follows is the server's.
async fn read<const N: usize>(stream: &mut BoxedStream) -> Result<[u8; N], AttemptError> {
    let mut answer = [0; N];
    stream.read_exact(&mut answer).await.map_err(proxy_error)?;
    Ok(answer)
}

async fn read_bytes(stream: &mut BoxedStream, count: usize) -> Result<(), AttemptError> {
    let mut unused = vec![0; count];
    stream
        .read_exact(&mut unused)
        .await
        .map(|_| ())
        .map_err(proxy_error)
}

impl Dialer for Socks5Dialer {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> DialFuture<'a> {
        Box::pin(async move {
            let request = request(host, port)?;
            let mut stream = self.through.dial(&self.proxy.host, self.proxy.port).await?;
            self.greet(&mut stream).await?;
            stream.write_all(&request).await.map_err(proxy_error)?;
            stream.flush().await.map_err(proxy_error)?;
            let [version, code, _, kind] = read::<4>(&mut stream).await?;
            if version != VERSION {
                return Err(proxy_error("it does not speak SOCKS5"));
            }
            if code != 0 {
                return Err(proxy_error(refusal(code)));
            }
            // The address that the proxy connected from, which nobody needs.
            let address_bytes = match kind {
                1 => 4,
                3 => usize::from(read::<1>(&mut stream).await?[0]),
                4 => 16,
                _ => return Err(proxy_error("it does not speak SOCKS5")),
            };
            read_bytes(&mut stream, address_bytes + 2).await?;
            Ok(stream)
        })
    }
}
