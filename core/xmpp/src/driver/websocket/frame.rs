//! Frames (RFC 6455 §5).

use std::io;

use sha2::{Digest, Sha256};

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    const fn is_control(self) -> bool {
        self.bits() >= 0x8
    }
}

/// What stands before the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) opcode: Opcode,
    /// The last frame of its message.
    pub(super) is_final: bool,
    pub(super) payload_bytes: u64,
}

/// §5.5: payload of a control frame.
pub(super) const MAX_CONTROL_BYTES: usize = 125;

/// A fault of the server.
pub(super) fn violation(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("WebSocket: {what}"))
}

impl Header {
    /// Reads a header of the server from the beginning of `bytes`, with its length; `None` if more is needed.
    pub(super) fn read(bytes: &[u8]) -> io::Result<Option<(Self, usize)>> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err(violation("an extension that was not agreed on"));
        }
        let opcode = match first & 0x0F {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Text,
            // RFC 7395 §3.3.
            0x2 => return Err(violation("a binary message")),
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xA => Opcode::Pong,
            _ => return Err(violation("an unknown kind of frame")),
        };
        if second & 0x80 != 0 {
            return Err(violation("a masked frame from a server"));
        }
        let is_final = first & 0x80 != 0;
        let (payload_bytes, length_bytes) = match second & 0x7F {
            126 => match rest {
                [a, b, ..] => (u64::from(u16::from_be_bytes([*a, *b])), 2),
                _ => return Ok(None),
            },
            127 => match rest.first_chunk::<8>() {
                Some(length) => (u64::from_be_bytes(*length), 8),
                None => return Ok(None),
            },
            short => (u64::from(short), 0),
        };
        let is_shortest = match length_bytes {
            2 => payload_bytes > 125,
            8 => payload_bytes > u64::from(u16::MAX) && payload_bytes >> 63 == 0,
            _ => true,
        };
        if !is_shortest {
            return Err(violation(
                "a length that is not written in the shortest way",
            ));
        }
        if opcode.is_control() && (!is_final || length_bytes > 0) {
            return Err(violation("a control frame that is too long or in pieces"));
        }
        let header = Self {
            opcode,
            is_final,
            payload_bytes,
        };
        Ok(Some((header, 2 + length_bytes)))
    }
}

/// Masks for what a client sends. They keep a script in a browser from choosing bytes on the wire; here TLS is around
/// them, and nobody else chooses what is sent in one connection, but the rule is for all.
pub(super) struct Masks {
    seed: [u8; 32],
    count: u64,
}

impl Masks {
    pub(super) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, count: 0 }
    }

    fn next(&mut self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(self.seed)
            .chain_update(self.count.to_be_bytes())
            .finalize();
        self.count += 1;
        let mut mask = [0; 4];
        for (byte, hashed) in mask.iter_mut().zip(hash) {
            *byte = hashed;
        }
        mask
    }

    /// Appends a frame that is a message, or a control frame, of its own.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
        const MASKED: u8 = 0x80;
        out.push(0x80 | opcode.bits());
        match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
            (Ok(short @ 0..=125), _) => out.push(MASKED | short),
            (_, Ok(length)) => {
                out.push(MASKED | 126);
                out.extend_from_slice(&length.to_be_bytes());
            }
            _ => {
                out.push(MASKED | 127);
                out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
            }
        }
        let mask = self.next();
        out.extend_from_slice(&mask);
        out.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<(Header, usize)>, String> {
        Header::read(bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn headers_of_every_length_are_read_when_they_are_whole() {
        let text = |payload_bytes, length| {
            let header = Header {
                opcode: Opcode::Text,
                is_final: true,
                payload_bytes,
            };
            Ok(Some((header, length)))
        };
        assert_eq!(read(&[0x81, 5, b'h']), text(5, 2));
        assert_eq!(read(&[0x81, 126, 0, 126]), text(126, 4));
        assert_eq!(read(&[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]), text(65_536, 10));
        for part in [
            &[][..],
            &[0x81],
            &[0x81, 126, 0],
            &[0x81, 127, 0, 0, 0, 0, 0, 1, 0],
        ] {
            assert_eq!(read(part), Ok(None));
        }
    }

    #[test]
    fn what_a_server_must_not_send_is_refused() {
        for bytes in [
            &[0xC1, 0][..],                             // compressed
            &[0x82, 0],                                 // binary
            &[0x83, 0],                                 // reserved
            &[0x8B, 0],                                 // reserved
            &[0x81, 0x80, 0, 0, 0, 0],                  // masked
            &[0x81, 126, 0, 125],                       // longer than needed
            &[0x81, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], // longer than needed
            &[0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0],    // negative
            &[0x09, 0],                                 // half a ping
            &[0x89, 126, 0, 126],                       // a long ping
        ] {
            assert!(Header::read(bytes).is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn frames_are_masked_and_no_two_masks_are_alike() {
        let mut masks = Masks::new([7; 32]);
        let mut seen = Vec::new();
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let mut out = Vec::new();
            masks.write(&mut out, Opcode::Text, &payload);
            assert_eq!(out[1] & 0x80, 0x80);
            out[1] &= 0x7F;
            let (header, at) = Header::read(&out).unwrap().unwrap();
            assert_eq!(header.payload_bytes, length as u64);
            let mask: [u8; 4] = out[at..at + 4].try_into().unwrap();
            let plain: Vec<u8> = out[at + 4..]
                .iter()
                .enumerate()
                .map(|(index, byte)| byte ^ mask[index % 4])
                .collect();
            assert_eq!(plain, payload);
            assert!(!seen.contains(&mask));
            seen.push(mask);
        }
    }
}
