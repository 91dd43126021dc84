//! The stream of bytes on top of frames.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frame::{Header, MAX_CONTROL_BYTES, Masks, Opcode, violation};
use super::handshake::Nonces;
use super::incoming::Incoming;
use super::outgoing::{Message, Outgoing};
use crate::xml::encode_stream_close;

/// Read from below at once: a TLS record.
const READ_BYTES: usize = 16 * 1024;
/// §7.4.1: a normal end.
const NORMAL: u16 = 1000;
/// Bytes that may wait for the socket before a writer has to wait for them.
const WAITING_BYTES: usize = 64 * 1024;

/// A WebSocket after its handshake. What is written to it goes out with the next flush.
pub(in super::super) struct WebSocketStream<S> {
    inner: S,
    masks: Masks,
    outgoing: Outgoing,
    /// Frames that the socket has not taken, from `taken` on.
    waiting: Vec<u8>,
    taken: usize,
    /// Nothing more goes out: our `<close/>` did, or the server closed.
    has_ended: bool,
    /// The server was heard out, and the close frame is among what waits.
    has_closed: bool,
    incoming: Incoming,
    /// From below, not looked at.
    raw: Vec<u8>,
    frame: Option<Frame>,
    /// A message was begun and not finished.
    is_in_message: bool,
    control: Vec<u8>,
    /// For the reader, from `given` on.
    text: Vec<u8>,
    given: usize,
    is_at_end: bool,
}

/// The server's frame under way.
#[derive(Clone, Copy)]
struct Frame {
    opcode: Opcode,
    is_final: bool,
    missing_bytes: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocketStream<S> {
    pub(in super::super) fn new(inner: S, nonces: &Nonces) -> Self {
        Self {
            inner,
            masks: Masks::new(nonces.mask_seed),
            outgoing: Outgoing::default(),
            waiting: Vec::new(),
            taken: 0,
            has_ended: false,
            has_closed: false,
            incoming: Incoming::default(),
            raw: Vec::new(),
            frame: None,
            is_in_message: false,
            control: Vec::new(),
            text: Vec::new(),
            given: 0,
            is_at_end: false,
        }
    }

    /// Takes apart what came from below. Gives back whether the other side waits for an answer.
    fn take_frames(&mut self) -> io::Result<bool> {
        let mut rest = core::mem::take(&mut self.raw);
        let mut at = 0;
        let mut owes_answer = false;
        while let Some(bytes) = rest.get(at..).filter(|bytes| !bytes.is_empty()) {
            if self.is_at_end {
                break;
            }
            let Some(frame) = self.frame else {
                let Some((header, header_bytes)) = Header::read(bytes)? else {
                    break;
                };
                self.begin(header)?;
                at += header_bytes;
                owes_answer |= self.end_frame_if_whole()?;
                continue;
            };
            let count = usize::try_from(frame.missing_bytes)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            let payload = bytes.get(..count).unwrap_or_default();
            if frame.opcode == Opcode::Text {
                self.incoming.push(payload, &mut self.text)?;
            } else {
                self.control.extend_from_slice(payload);
            }
            at += count;
            self.frame = Some(Frame {
                missing_bytes: frame.missing_bytes.saturating_sub(count as u64),
                ..frame
            });
            owes_answer |= self.end_frame_if_whole()?;
        }
        rest.drain(..at);
        self.raw = rest;
        Ok(owes_answer)
    }

    fn begin(&mut self, header: Header) -> io::Result<()> {
        let opcode = match (header.opcode, self.is_in_message) {
            (Opcode::Text, true) => return Err(violation("a message within a message")),
            (Opcode::Continuation, false) => {
                return Err(violation("more of a message that never began"));
            }
            // Content of the same message.
            (Opcode::Continuation, true) => Opcode::Text,
            (opcode, _) => opcode,
        };
        self.frame = Some(Frame {
            opcode,
            is_final: header.is_final,
            missing_bytes: header.payload_bytes,
        });
        Ok(())
    }

    fn end_frame_if_whole(&mut self) -> io::Result<bool> {
        let Some(frame) = self.frame.filter(|frame| frame.missing_bytes == 0) else {
            return Ok(false);
        };
        self.frame = None;
        let mut control = core::mem::take(&mut self.control);
        control.truncate(MAX_CONTROL_BYTES);
        match frame.opcode {
            Opcode::Text | Opcode::Continuation => {
                self.is_in_message = !frame.is_final;
                if frame.is_final {
                    self.incoming.end(&mut self.text)?;
                }
                Ok(false)
            }
            Opcode::Pong => Ok(false),
            Opcode::Ping => {
                // One answer is enough for several questions (§5.5.3): a server that asks and does not read
                // must not fill our memory.
                if self.waiting.len() - self.taken < WAITING_BYTES && !self.has_ended {
                    self.masks.write(&mut self.waiting, Opcode::Pong, &control);
                }
                Ok(true)
            }
            Opcode::Close => {
                // Comes once: nothing is read behind it.
                self.is_at_end = true;
                self.has_ended = true;
                self.has_closed = true;
                let code = control.get(..2).unwrap_or_default();
                self.masks.write(&mut self.waiting, Opcode::Close, code);
                Ok(true)
            }
        }
    }

    /// Reads from below once.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; READ_BYTES];
        let mut read = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.inner).poll_read(context, &mut read))?;
        if read.filled().is_empty() {
            self.is_at_end = true;
            return Poll::Ready(Ok(()));
        }
        self.raw.extend_from_slice(read.filled());
        if self.take_frames()? {
            // As far as it goes at once: the rest goes with whatever is written next, or with the next read.
            let _ = self.poll_waiting(context)?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(bytes) = self.waiting.get(self.taken..).filter(|b| !b.is_empty()) {
            let Poll::Ready(written) = Pin::new(&mut self.inner).poll_write(context, bytes) else {
                // What was taken is let go even if more keeps coming.
                self.waiting.drain(..self.taken);
                self.taken = 0;
                return Poll::Pending;
            };
            let count = written?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.taken += count;
        }
        self.waiting.clear();
        self.taken = 0;
        Pin::new(&mut self.inner).poll_flush(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocketStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if let Some(text) = this.text.get(this.given..).filter(|text| !text.is_empty()) {
                let count = text.len().min(buffer.remaining());
                buffer.put_slice(text.get(..count).unwrap_or_default());
                this.given += count;
                return Poll::Ready(Ok(()));
            }
            this.text.clear();
            this.given = 0;
            if this.is_at_end {
                return Poll::Ready(Ok(()));
            }
            ready!(this.poll_more(context))?;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocketStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.waiting.len() - this.taken >= WAITING_BYTES {
            ready!(this.poll_waiting(context))?;
        }
        if this.has_ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let (masks, waiting) = (&mut this.masks, &mut this.waiting);
        let mut is_last = false;
        this.outgoing.push(bytes, |message| match message {
            Message::Text(text) => masks.write(waiting, Opcode::Text, text.as_bytes()),
            Message::Last(text) => {
                masks.write(waiting, Opcode::Text, text.as_bytes());
                is_last = true;
            }
        });
        this.has_ended |= is_last;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_waiting(context)
    }

    /// Where our `<close/>` went before, the server's is waited for, and then the WebSocket is closed (RFC 7395 §3.6):
    /// ejabberd takes a stream for lost, not for ended, that is gone before it could answer. Where none went, there is
    /// no close frame either: the stream is to be taken up again, and the server should take us for lost (XEP-0198 §5).
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_waiting(context))?;
        while this.has_ended && !this.has_closed {
            if this.is_at_end {
                break;
            }
            if this.text.ends_with(encode_stream_close().as_bytes()) {
                this.has_closed = true;
                this.masks
                    .write(&mut this.waiting, Opcode::Close, &NORMAL.to_be_bytes());
                break;
            }
            this.text.clear();
            this.given = 0;
            ready!(this.poll_more(context))?;
        }
        ready!(this.poll_waiting(context))?;
        Pin::new(&mut this.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
