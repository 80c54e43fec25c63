//! Checked reads of fixed-width integers from bytes that nobody vouches for.

/// Byte order of the machine that wrote a bbolt file (s390x writes big-endian ones).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// Reads two bytes.
    pub fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    /// Reads four bytes.
    pub fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    /// Reads eight bytes.
    pub fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        }
    }
}

/// Reads one field after the other; `None` when the bytes run out.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    order: ByteOrder,
}

impl<'a> Fields<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self { rest: bytes, order }
    }

    /// The next two bytes.
    pub fn u16(&mut self) -> Option<u16> {
        self.chunk().map(|chunk| self.order.u16(chunk))
    }

    /// The next four bytes.
    pub fn u32(&mut self) -> Option<u32> {
        self.chunk().map(|chunk| self.order.u32(chunk))
    }

    /// The next eight bytes.
    pub fn u64(&mut self) -> Option<u64> {
        self.chunk().map(|chunk| self.order.u64(chunk))
    }

    /// What has not been read yet.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*chunk)
    }
}

/// Lossless widening: `usize` is at most 64 bits on every platform that Rust supports.
pub(crate) fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A count from the file as a length in memory; what does not fit saturates and fails the next bounds check.
pub(crate) fn to_usize(count: impl TryInto<usize>) -> usize {
    count.try_into().unwrap_or(usize::MAX)
}
