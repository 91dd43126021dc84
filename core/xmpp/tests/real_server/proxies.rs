//! Proxies that connect to this machine, whatever name they are told, and note it.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speech {
    Socks5,
    HttpConnect,
}

type Asked = Arc<Mutex<Vec<(String, u16)>>>;

pub(crate) struct Proxy {
    pub(crate) port: u16,
    asked: Asked,
}

impl Proxy {
    pub(crate) async fn start(speech: Speech, login: Option<(&'static str, &'static str)>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Asked::default();
        let noted = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let noted = Arc::clone(&noted);
                tokio::spawn(async move {
                    let target = match speech {
                        Speech::Socks5 => socks5(&mut client, login).await,
                        Speech::HttpConnect => http_connect(&mut client, login).await,
                    };
                    let Some((host, port)) = target else { return };
                    noted.lock().unwrap().push((host, port));
                    let to = (Ipv4Addr::LOCALHOST, port);
                    let mut server = TcpStream::connect(to).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { port, asked }
    }

    pub(crate) fn asked(&self) -> Vec<(String, u16)> {
        self.asked.lock().unwrap().clone()
    }
}

async fn text(client: &mut TcpStream) -> String {
    let mut bytes = vec![0; usize::from(client.read_u8().await.unwrap())];
    client.read_exact(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

/// RFC 1928, with RFC 1929 where a login is asked for.
async fn socks5(client: &mut TcpStream, login: Option<(&str, &str)>) -> Option<(String, u16)> {
    assert_eq!(client.read_u8().await.unwrap(), 5);
    let offered = text(client).await;
    let method = if login.is_some() { 2 } else { 0 };
    assert!(offered.as_bytes().contains(&method));
    client.write_all(&[5, method]).await.unwrap();
    if let Some((name, password)) = login {
        assert_eq!(client.read_u8().await.unwrap(), 1);
        let is_right =
            (text(client).await, text(client).await) == (name.to_owned(), password.to_owned());
        client.write_all(&[1, u8::from(!is_right)]).await.unwrap();
        if !is_right {
            return None;
        }
    }
    let mut request = [0; 4];
    client.read_exact(&mut request).await.unwrap();
    assert_eq!(request, [5, 1, 0, 3], "connect to a name");
    let host = text(client).await;
    let port = client.read_u16().await.unwrap();
    // It connected from an address that has a name.
    client.write_all(b"\x05\0\0\x03\x02me\0\0").await.unwrap();
    Some((host, port))
}

async fn http_connect(
    client: &mut TcpStream,
    login: Option<(&str, &str)>,
) -> Option<(String, u16)> {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        request.push(char::from(client.read_u8().await.unwrap()));
    }
    // me:pass
    let is_right =
        login.is_none() || request.contains("\r\nProxy-Authorization: Basic bWU6cGFzcw==\r\n");
    let answer = if is_right { "200 Go" } else { "407 Who" };
    client
        .write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let target = request.strip_prefix("CONNECT ")?.split(' ').next()?;
    let (host, port) = target.split_once(':')?;
    is_right.then(|| (host.to_owned(), port.parse().unwrap()))
}
