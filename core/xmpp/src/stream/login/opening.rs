//! Streams that open, and TLS between them.

use super::super::error::LoginError;
use super::state::{Phase, State};
use super::{Login, LoginOutput, unexpected};
use crate::stream::sasl::TlsFacts;
use crate::xml::{StreamHeader, element};
use crate::{Element, ns};

impl Login {
    /// The stream before TLS. A server that offers no STARTTLS is left in any case, so the request for
    /// it waits for no offer (XEP-0305 §2): a round trip less.
    pub(super) fn open_plaintext(&mut self) -> Vec<LoginOutput> {
        let mut outputs = vec![LoginOutput::OpenStream(self.header())];
        if !self.config.pins.breaks_pipelining {
            self.has_pipelined = true;
            outputs.push(LoginOutput::Send(element("starttls", ns::TLS)));
        }
        outputs
    }

    /// The stream under TLS, with the whole login behind its header if the server is known to take
    /// it.
    pub(super) fn open_encrypted(&mut self, tls: TlsFacts) -> Vec<LoginOutput> {
        self.tls = tls;
        let mut outputs = vec![LoginOutput::OpenStream(self.header())];
        if let Some((element, exchange)) = self.pipelined() {
            self.pipelined = Some(exchange);
            self.has_pipelined = true;
            outputs.push(LoginOutput::Send(element));
        }
        outputs
    }

    /// The name of the account goes into the header only under TLS: in the clear, anyone on the way
    /// could read it (RFC 6120 §4.7.1); behind TLS, servers offer SASL2 only to those who say it.
    pub(super) fn header(&self) -> StreamHeader {
        let encrypted = !matches!(self.state, State::Header(Phase::Plaintext));
        StreamHeader {
            from: encrypted.then(|| self.config.jid.to_string()),
            to: Some(self.config.jid.domain().as_str().to_owned()),
            id: None,
            version: Some("1.0".to_owned()),
            lang: Some("en".to_owned()),
        }
    }

    pub(super) fn handle_header(
        &mut self,
        state: State,
        header: &StreamHeader,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        let State::Header(phase) = state else {
            return Err(LoginError::UnexpectedElement {
                name: "stream header".to_owned(),
                expected: state.expected(),
            });
        };
        // RFC 6120 §4.7.5: without 1.0 there are no features. A higher major version would be a
        // protocol that we do not know.
        let major = header
            .version
            .as_deref()
            .and_then(|version| version.split('.').next());
        if major != Some("1") {
            return Err(LoginError::UnsupportedVersion);
        }
        self.state = State::Features(phase);
        Ok(Vec::new())
    }

    pub(super) fn handle_proceed(
        &mut self,
        element: &Element,
        unread_bytes: usize,
    ) -> Result<Vec<LoginOutput>, LoginError> {
        if element.is("failure", ns::TLS) {
            return Err(LoginError::TlsRequired);
        }
        if !element.is("proceed", ns::TLS) {
            return Err(unexpected(element, State::Proceed.expected()));
        }
        // What was received before TLS must not be taken for what TLS protects.
        if unread_bytes > 0 {
            return Err(LoginError::PlaintextInjected {
                bytes: unread_bytes,
            });
        }
        self.state = State::Tls;
        // What went out ahead has been answered.
        self.has_pipelined = false;
        Ok(vec![LoginOutput::StartTls])
    }
}
