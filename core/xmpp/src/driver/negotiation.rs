//! Carries a [`Login`] over a byte stream.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::config::WriteGate;
use super::error::ConnectError;
use crate::limits::XmlLimits;
use crate::stream::{Login, LoginError, LoginOutput, Session};
use crate::xml::{Decoder, EncodeError, Frame, encode_stanza, encode_stream_open};

/// Decoder, machine, and what has been received and not read, across the phases of a login.
pub(super) struct Negotiation {
    /// Away while a costly step runs on another thread.
    login: Option<Login>,
    pub(super) decoder: Decoder,
    pub(super) unread: Vec<u8>,
    /// Survives the machine, for the decision about other targets.
    pub(super) has_begun_authentication: bool,
    /// Survives the machine, for the decision to try again without.
    pub(super) has_pipelined: bool,
    /// Of the authenticated stream.
    limits: XmlLimits,
    gate: Option<WriteGate>,
}

/// Where the machine waits for the driver.
pub(super) enum Step {
    StartTls,
    Ready(Box<Session>),
    Invalidated,
}

const READ_BYTES: usize = 4096;

impl Negotiation {
    pub(super) fn new(login: Login, limits: XmlLimits, gate: Option<WriteGate>) -> Self {
        Self {
            login: Some(login),
            decoder: Decoder::new(XmlLimits::LOGIN),
            unread: Vec::new(),
            has_begun_authentication: false,
            has_pipelined: false,
            limits,
            gate,
        }
    }

    pub(super) fn login(&mut self) -> Result<&mut Login, ConnectError> {
        self.login.as_mut().ok_or_else(|| ConnectError::Lost {
            detail: "a login step was interrupted".to_owned(),
        })
    }

    /// Runs until the machine wants TLS or is done.
    pub(super) async fn run<S>(
        &mut self,
        stream: &mut S,
        mut outputs: Vec<LoginOutput>,
    ) -> Result<Step, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            self.note_progress()?;
            let mut text = String::new();
            let mut step = None;
            for output in outputs {
                match output {
                    LoginOutput::OpenStream(header) => {
                        text.push_str(&encode_stream_open(&header).map_err(unencodable)?);
                        self.decoder = Decoder::with_later(XmlLimits::LOGIN, self.limits);
                        if self.login()?.is_authenticated() {
                            self.decoder.raise_limits(self.limits);
                        }
                    }
                    LoginOutput::Send(element) => {
                        text.push_str(&encode_stanza(&element).map_err(unencodable)?)
                    }
                    LoginOutput::StartTls => step = Some(Step::StartTls),
                    LoginOutput::Ready(session) => {
                        self.decoder.raise_limits(self.limits);
                        self.decoder.set_account(session.full_jid.to_bare());
                        step = Some(Step::Ready(session));
                    }
                    LoginOutput::Invalidated => step = Some(Step::Invalidated),
                }
            }
            self.write(stream, &text).await?;
            if let Some(step) = step {
                return Ok(step);
            }
            let frame = self.read_frame(stream).await?;
            outputs = self.handle(frame).await?;
        }
    }

    fn note_progress(&mut self) -> Result<(), ConnectError> {
        let login = self.login()?;
        let (begun, pipelined) = (login.has_begun_authentication(), login.has_pipelined());
        let is_authenticated = login.is_authenticated();
        self.has_begun_authentication = begun;
        self.has_pipelined = pipelined;
        if is_authenticated {
            self.decoder.raise_limits(self.limits);
        }
        Ok(())
    }

    async fn handle(&mut self, frame: Frame) -> Result<Vec<LoginOutput>, ConnectError> {
        let unread_bytes = self.unread.len();
        if !self.login()?.is_costly(&frame) {
            return Ok(self.login()?.handle_frame(frame, unread_bytes)?);
        }
        let Some(mut login) = self.login.take() else {
            return Ok(Vec::new());
        };
        // Key derivation would stall a runtime that has one thread.
        let done = tokio::task::spawn_blocking(move || {
            let result = login.handle_frame(frame, unread_bytes);
            (login, result)
        });
        let (login, result) = done.await.map_err(|error| ConnectError::Lost {
            detail: error.to_string(),
        })?;
        self.login = Some(login);
        Ok(result?)
    }

    async fn read_frame<S>(&mut self, stream: &mut S) -> Result<Frame, ConnectError>
    where
        S: AsyncRead + Unpin,
    {
        let mut buffer = [0; READ_BYTES];
        loop {
            let mut rest = self.unread.as_slice();
            let frame = self.decoder.decode(&mut rest)?;
            let taken = self.unread.len() - rest.len();
            self.unread.drain(..taken);
            if let Some(frame) = frame {
                return Ok(frame);
            }
            let count = stream.read(&mut buffer).await.map_err(lost)?;
            if count == 0 {
                return Err(ConnectError::Lost {
                    detail: "end of file".to_owned(),
                });
            }
            self.unread
                .extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
    }

    async fn write<S>(&mut self, stream: &mut S, text: &str) -> Result<(), ConnectError>
    where
        S: AsyncWrite + Unpin,
    {
        if text.is_empty() {
            return Ok(());
        }
        if self.gate.as_ref().is_some_and(|gate| !gate()) {
            return Err(ConnectError::Fenced);
        }
        stream.write_all(text.as_bytes()).await.map_err(lost)?;
        stream.flush().await.map_err(lost)
    }
}

fn lost(error: io::Error) -> ConnectError {
    ConnectError::Lost {
        detail: error.to_string(),
    }
}

/// Only the resource asked for is text of the caller's.
fn unencodable(_: EncodeError) -> ConnectError {
    LoginError::BindRejected {
        condition: "jid-malformed".to_owned(),
    }
    .into()
}
