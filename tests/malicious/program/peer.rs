//! One connection: elements in, text out.

use std::io;

use eft_xmpp::Element;
use eft_xmpp::driver::BoxedStream;
use eft_xmpp::limits::XmlLimits;
use eft_xmpp::xml::{Decoder, Frame, encode_element};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::state::{Shared, lock};

/// What comes from a client.
#[derive(Debug)]
pub(crate) enum Input {
    Header,
    Element(Element),
    End,
}

/// See the module.
pub(crate) struct Peer {
    pub(crate) stream: BoxedStream,
    pub(crate) shared: Shared,
    decoder: Decoder,
    unread: Vec<u8>,
    is_encrypted: bool,
}

pub(crate) fn lost(error: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

impl Peer {
    pub(crate) fn new(stream: BoxedStream, shared: Shared, is_encrypted: bool) -> Self {
        Self {
            stream,
            shared,
            decoder: Decoder::new(XmlLimits::SESSION),
            unread: Vec::new(),
            is_encrypted,
        }
    }

    /// The client begins a new stream on the same connection.
    pub(crate) fn restart(&mut self) {
        self.decoder = Decoder::new(XmlLimits::SESSION);
    }

    pub(crate) async fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await
    }

    /// Cancelling loses nothing.
    pub(crate) async fn next(&mut self) -> io::Result<Input> {
        loop {
            let mut rest = self.unread.as_slice();
            let frame = self.decoder.decode(&mut rest).map_err(lost)?;
            let taken = self.unread.len() - rest.len();
            self.unread.drain(..taken);
            match frame {
                Some(Frame::Header(_)) => return Ok(Input::Header),
                Some(Frame::Element(element)) => {
                    self.note(&element);
                    return Ok(Input::Element(element));
                }
                Some(Frame::Oversized { .. }) => return Err(lost("an oversized stanza")),
                Some(Frame::Close) => return Ok(Input::End),
                None => {}
            }
            let mut buffer = [0; 16 * 1024];
            let count = self.stream.read(&mut buffer).await?;
            if count == 0 {
                return Ok(Input::End);
            }
            let bytes = buffer.get(..count).unwrap_or_default();
            if !self.is_encrypted {
                let text = String::from_utf8_lossy(bytes);
                lock(&self.shared).heard_in_clear.push_str(&text);
            }
            self.unread.extend_from_slice(bytes);
        }
    }

    fn note(&self, element: &Element) {
        if self.is_encrypted
            && let Ok(text) = encode_element(element)
        {
            lock(&self.shared).heard.push(text);
        }
    }

    /// The next element, which has to come.
    pub(crate) async fn element(&mut self) -> io::Result<Element> {
        match self.next().await? {
            Input::Element(element) => Ok(element),
            other => Err(lost(format!("{other:?} instead of an element"))),
        }
    }

    /// The stream header, which has to come, is answered with this one and features.
    pub(crate) async fn open(&mut self, domain: &str, features: &str) -> io::Result<()> {
        match self.next().await? {
            Input::Header => {}
            other => return Err(lost(format!("{other:?} instead of a header"))),
        }
        let header = format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' from='{domain}' id='{:x}' version='1.0'>\
             <stream:features>{features}</stream:features>",
            rand::random::<u64>()
        );
        self.say(&header).await
    }
}
