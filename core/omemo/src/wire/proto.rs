//! Protocol buffers, proto2, as far as OMEMO needs them.
//!
//! Written by hand because both ends of it matter: proto2 writes zeros (generators for proto3 leave them
//! out, which changes the bytes under the MAC), and reading must be bounded. Unknown fields are skipped and
//! of repeated ones the last wins, as the encoding guide says.

use crate::Malformed;

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const FIXED32: u8 = 5;

/// A field as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    pub(crate) value: Value<'a>,
}

/// A field's value. Fixed-size values occur in unknown fields only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// Reads the fields of one message.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next field; `None` at the end.
    pub(crate) fn next_field(&mut self) -> Result<Option<Field<'a>>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| Malformed::Damaged)?;
        // Field numbers end at 2²⁹−1; zero is none.
        if number == 0 || number > 0x1FFF_FFFF {
            return Err(Malformed::Damaged);
        }
        let value = match u8::try_from(tag & 7).map_err(|_| Malformed::Damaged)? {
            VARINT => Value::Varint(self.varint()?),
            BYTES => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed::Damaged)?;
                Value::Bytes(self.take(length)?)
            }
            FIXED64 => {
                self.take(8)?;
                Value::Fixed
            }
            FIXED32 => {
                self.take(4)?;
                Value::Fixed
            }
            // Groups were removed from the language long before OMEMO.
            _ => return Err(Malformed::Damaged),
        };
        Ok(Some(Field { number, value }))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(Malformed::Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(Malformed::Damaged)?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7F);
            // The tenth byte has room for one bit.
            if shift == 63 && bits > 1 {
                return Err(Malformed::Damaged);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed::Damaged)
    }
}

impl<'a> Value<'a> {
    /// A `uint32`. Decoders in the field cut larger values to 32 bits; nothing honest writes them.
    pub(crate) fn as_u32(self, field: &'static str) -> Result<u32, Malformed> {
        match self {
            Self::Varint(value) => u32::try_from(value).map_err(|_| Malformed::OutOfRange(field)),
            _ => Err(Malformed::OutOfRange(field)),
        }
    }

    /// `bytes` or a nested message.
    pub(crate) const fn as_bytes(self, field: &'static str) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed::OutOfRange(field)),
        }
    }
}

/// Writes the fields of one message, in the order of the calls, zeros included.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Starts behind bytes that are no field, such as legacy's version byte.
    pub(crate) fn after(prefix: &[u8]) -> Self {
        Self {
            bytes: prefix.to_vec(),
        }
    }

    pub(crate) fn uint32(mut self, number: u32, value: u32) -> Self {
        self.tag(number, VARINT);
        self.varint(u64::from(value));
        self
    }

    pub(crate) fn bytes(mut self, number: u32, value: &[u8]) -> Self {
        self.tag(number, BYTES);
        // A slice is shorter than 2⁶⁴.
        self.varint(u64::try_from(value.len()).unwrap_or(u64::MAX));
        self.bytes.extend_from_slice(value);
        self
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn tag(&mut self, number: u32, wire_type: u8) {
        self.varint(u64::from(number) << 3 | u64::from(wire_type));
    }

    fn varint(&mut self, mut value: u64) {
        loop {
            let bits = u8::try_from(value & 0x7F).unwrap_or(0);
            value >>= 7;
            if value == 0 {
                self.bytes.push(bits);
                return;
            }
            self.bytes.push(bits | 0x80);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(bytes: &[u8]) -> Result<Vec<Field<'_>>, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut fields = Vec::new();
        while let Some(field) = reader.next_field()? {
            fields.push(field);
        }
        Ok(fields)
    }

    #[test]
    fn zeros_are_written() {
        let bytes = Writer::new()
            .uint32(1, 0)
            .uint32(2, 0)
            .bytes(3, b"")
            .finish();
        assert_eq!(bytes, [0x08, 0, 0x10, 0, 0x1A, 0]);
    }

    #[test]
    fn unknown_fields_of_every_type_are_passed_over() {
        let mut bytes = vec![0x51, 1, 2, 3, 4, 5, 6, 7, 8]; // 10: fixed64
        bytes.extend([0x5D, 1, 2, 3, 4]); // 11: fixed32
        bytes.extend(Writer::new().uint32(1, 300).finish());
        let fields = fields(&bytes).unwrap();
        assert_eq!(fields.len(), 3);
        assert_eq!(
            fields[2],
            Field {
                number: 1,
                value: Value::Varint(300)
            }
        );
    }

    #[test]
    fn impossible_bytes_are_refused() {
        for bytes in [
            &[0x00, 0][..], // field 0
            &[0x0B],        // group
            &[0x0F, 0],     // wire type 7
            &[0x0A, 5, 1],  // bytes end early
            &[0x08],        // varint ends early
            &[0x08, 0x80],  // the same, later
            &[
                0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1,
            ], // length 2⁶⁴−1
            &[
                0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2,
            ], // 65 bits
            &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0], // field number past the end
        ] {
            assert_eq!(fields(bytes), Err(Malformed::Damaged), "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(number in 1_u32..0x1FFF_FFFF, value: u32, data: Vec<u8>) {
            let bytes = Writer::new().uint32(number, value).bytes(number, &data).finish();
            let fields = fields(&bytes).unwrap();
            prop_assert_eq!(fields[0].number, number);
            prop_assert_eq!(fields[0].value.as_u32("x"), Ok(value));
            prop_assert_eq!(fields[1].value.as_bytes("x"), Ok(data.as_slice()));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = fields(&bytes);
        }
    }
}
