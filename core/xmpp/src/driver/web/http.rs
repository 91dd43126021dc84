//! HTTP/1.1 answers, bounded (RFC 9112). Bytes are taken one by one up to the end of the head, because those behind
//! it may belong to somebody else; below is a buffer.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::limits::{HTTP_HEAD_BYTES, HTTP_HEADERS};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum HttpError {
    #[error("{0}")]
    Io(String),
    #[error("no HTTP/1.1: {0}")]
    Malformed(&'static str),
    #[error("beyond {max_bytes} bytes")]
    TooLarge { max_bytes: usize },
}

impl From<io::Error> for HttpError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

/// Status and headers.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Head {
    pub(in super::super) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
}

impl Head {
    fn parse(text: &str) -> Result<Self, HttpError> {
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let rest = first
            .strip_prefix("HTTP/1.")
            .ok_or(HttpError::Malformed("status line"))?;
        let mut words = rest.splitn(3, ' ');
        let _minor = words.next();
        let status = words
            .next()
            .filter(|code| code.len() == 3)
            .and_then(|code| code.parse().ok())
            .ok_or(HttpError::Malformed("status line"))?;
        let mut headers = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, value) = line
                .split_once(':')
                .filter(|(name, _)| {
                    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
                })
                .ok_or(HttpError::Malformed("header"))?;
            if headers.len() == HTTP_HEADERS {
                return Err(HttpError::Malformed("too many headers"));
            }
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Self { status, headers })
    }

    /// The header of this name, in lower case, if there is exactly one.
    pub(in super::super) fn only<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut found = self.values(name);
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }

    /// One of the comma-separated words of all headers of this name is `word`, in any case.
    pub(in super::super) fn has_word(&self, name: &str, word: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(','))
            .any(|found| found.trim().eq_ignore_ascii_case(word))
    }

    pub(in super::super) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads up to the empty line, and not a byte more.
pub(in super::super) async fn read_head<S: AsyncRead + Unpin>(
    stream: &mut S,
) -> Result<Head, HttpError> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if bytes.len() == HTTP_HEAD_BYTES {
            return Err(HttpError::TooLarge {
                max_bytes: HTTP_HEAD_BYTES,
            });
        }
        bytes.push(stream.read_u8().await?);
    }
    let text = core::str::from_utf8(&bytes).map_err(|_| HttpError::Malformed("not UTF-8"))?;
    Head::parse(text)
}

/// Reads the body of an answer to a GET (RFC 9112 §6.3), of at most `max_bytes`.
pub(in super::super) async fn read_body<S: AsyncRead + Unpin>(
    stream: &mut S,
    head: &Head,
    max_bytes: usize,
) -> Result<Vec<u8>, HttpError> {
    if head.has("transfer-encoding") {
        if head.only("transfer-encoding").map(str::to_ascii_lowercase) != Some("chunked".to_owned())
        {
            return Err(HttpError::Malformed("transfer encoding"));
        }
        return read_chunks(stream, max_bytes).await;
    }
    let mut body = Vec::new();
    if head.has("content-length") {
        let length: usize = head
            .only("content-length")
            .and_then(|length| length.parse().ok())
            .ok_or(HttpError::Malformed("content length"))?;
        if length > max_bytes {
            return Err(HttpError::TooLarge { max_bytes });
        }
        body.resize(length, 0);
        stream.read_exact(&mut body).await?;
        return Ok(body);
    }
    let most = u64::try_from(max_bytes).unwrap_or(u64::MAX);
    stream
        .take(most.saturating_add(1))
        .read_to_end(&mut body)
        .await?;
    if body.len() > max_bytes {
        return Err(HttpError::TooLarge { max_bytes });
    }
    Ok(body)
}

async fn read_chunks<S: AsyncRead + Unpin>(
    stream: &mut S,
    max_bytes: usize,
) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream).await?;
        let size = line.split(';').next().unwrap_or_default().trim();
        // `from_str_radix` takes a sign, too.
        if size.is_empty() || !size.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(HttpError::Malformed("chunk size"));
        }
        let size =
            usize::from_str_radix(size, 16).map_err(|_| HttpError::TooLarge { max_bytes })?;
        // What stands behind the last one, trailers, nobody needs.
        if size == 0 {
            return Ok(body);
        }
        let before = body.len();
        let after = before
            .checked_add(size)
            .filter(|after| *after <= max_bytes)
            .ok_or(HttpError::TooLarge { max_bytes })?;
        body.resize(after, 0);
        if let Some(chunk) = body.get_mut(before..) {
            stream.read_exact(chunk).await?;
        }
        if !read_line(stream).await?.is_empty() {
            return Err(HttpError::Malformed("chunk end"));
        }
    }
}

/// A line within a chunked body, without its end.
async fn read_line<S: AsyncRead + Unpin>(stream: &mut S) -> Result<String, HttpError> {
    const MAX_BYTES: usize = 256;
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        if line.len() == MAX_BYTES {
            return Err(HttpError::TooLarge {
                max_bytes: MAX_BYTES,
            });
        }
        line.push(stream.read_u8().await?);
    }
    line.truncate(line.len() - 2);
    String::from_utf8(line).map_err(|_| HttpError::Malformed("chunk size"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(mut bytes: &[u8]) -> Result<(u16, Vec<u8>), HttpError> {
        let head = read_head(&mut bytes).await?;
        let body = read_body(&mut bytes, &head, 16).await?;
        Ok((head.status, body))
    }

    #[tokio::test]
    async fn the_three_kinds_of_length_are_understood() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhellomore",
            "HTTP/1.0 200\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        ] {
            let expected = Ok((200, b"hello".to_vec()));
            assert_eq!(answer(text.as_bytes()).await, expected, "{text}");
        }
    }

    #[tokio::test]
    async fn too_much_is_refused_before_it_is_read() {
        let too_large = Err(HttpError::TooLarge { max_bytes: 16 });
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n0123456789abcdef0",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        ] {
            assert_eq!(answer(text.as_bytes()).await, too_large, "{text}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(HTTP_HEAD_BYTES));
        assert!(matches!(
            answer(endless.as_bytes()).await,
            Err(HttpError::TooLarge { .. })
        ));
        let many = format!(
            "HTTP/1.1 200 OK\r\n{}\r\n",
            "a: b\r\n".repeat(HTTP_HEADERS + 1)
        );
        assert!(matches!(
            answer(many.as_bytes()).await,
            Err(HttpError::Malformed(_))
        ));
    }

    #[tokio::test]
    async fn what_is_no_answer_is_refused() {
        for text in [
            "SSH-2.0-x\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n",
        ] {
            let got = answer(text.as_bytes()).await;
            assert!(
                matches!(got, Err(HttpError::Malformed(_))),
                "{text}: {got:?}"
            );
        }
        let cut = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel").await;
        assert!(matches!(cut, Err(HttpError::Io(_))), "{cut:?}");
    }

    #[tokio::test]
    async fn words_are_found_across_headers_and_in_any_case() {
        let mut text =
            &b"HTTP/1.1 101 X\r\nConnection: keep-alive\r\nconnection: a, Upgrade\r\n\r\nrest"[..];
        let head = read_head(&mut text).await.unwrap();
        assert_eq!(text, b"rest");
        assert!(head.has_word("connection", "upgrade") && !head.has_word("connection", "up"));
        assert_eq!(head.only("connection"), None);
    }
}
