//! Bytes of the fuzzer, read as values. Reading never fails: what is not there is zero or empty.
//!
//! `arbitrary` does this, too, but cannot write what it reads: the seeds are made from real messages by [`Seed`].

/// What is left of an input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_be_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// A place in something of `length`. `None` where there is no place.
    pub(crate) fn place(&mut self, length: usize) -> Option<usize> {
        (length > 0).then(|| usize::from(self.u16()) % length)
    }

    /// Two bytes of length, then as many bytes, or as many as there are.
    pub(crate) fn block(&mut self) -> &'a [u8] {
        let length = usize::from(self.u16()).min(self.0.len());
        let (block, rest) = self.0.split_at(length);
        self.0 = rest;
        block
    }

    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// A copy of `bytes` with changes as the input says: none, bits turned, a number written, cut, or longer.
    pub(crate) fn changed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut copy = bytes.to_vec();
        for _ in 0..self.byte() % 8 {
            match self.byte() % 4 {
                0 => {
                    if let Some(at) = self.place(copy.len()) {
                        copy[at] ^= self.byte();
                    }
                }
                1 => {
                    if let Some(at) = self.place(copy.len()) {
                        let (to, from) = (&mut copy[at..], self.block());
                        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                    }
                }
                2 => {
                    if let Some(at) = self.place(copy.len()) {
                        copy.truncate(at);
                    }
                }
                _ => {
                    let at = self.place(copy.len() + 1).unwrap_or_default();
                    let inserted = self.block();
                    copy.splice(at..at, inserted.iter().copied());
                }
            }
        }
        copy
    }
}

/// Writes an input part by part, as the targets read it.
#[derive(Clone, Debug, Default)]
pub struct Seed(Vec<u8>);

impl Seed {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends one byte.
    #[must_use]
    pub fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    /// Appends a number of 32 bits.
    #[must_use]
    pub fn u32(mut self, number: u32) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    /// Appends a block.
    ///
    /// # Panics
    /// If it has more than 65535 bytes.
    #[must_use]
    pub fn block(mut self, bytes: &[u8]) -> Self {
        self.0
            .extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
        self.rest(bytes)
    }

    /// Appends bytes without their length.
    #[must_use]
    pub fn rest(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The input.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
