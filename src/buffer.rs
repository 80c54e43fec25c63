//! A buffer that begins where a page of memory does. Direct reads ask for that, and the kernel copies faster to it.

use std::ops::{Deref, DerefMut};

/// Bytes from the beginning of a page of memory.
#[derive(Debug)]
pub(crate) struct AlignedBuffer {
    /// Some more than asked for: an aligned part of it has the length wanted.
    bytes: Vec<u8>,
    start: usize,
    length: usize,
}

impl AlignedBuffer {
    /// Pages of memory, and what direct reads ask of offsets and lengths, too: no disk asks for more.
    pub(crate) const ALIGNMENT: usize = 4096;

    /// Zeros.
    pub(crate) fn new(length: usize) -> Self {
        let bytes = vec![0; length + Self::ALIGNMENT];
        let start = bytes.as_ptr().align_offset(Self::ALIGNMENT);
        Self {
            bytes,
            start,
            length,
        }
    }
}

impl Deref for AlignedBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let from_start = self.bytes.get(self.start..).unwrap_or_default();
        from_start.get(..self.length).unwrap_or_default()
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        let from_start = self.bytes.get_mut(self.start..).unwrap_or_default();
        from_start.get_mut(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::AlignedBuffer;

    #[test]
    fn it_is_aligned_and_as_long_as_wanted() {
        for length in [0, 1, 4096, 100_000] {
            let mut buffer = AlignedBuffer::new(length);
            assert_eq!(buffer.as_ptr().align_offset(AlignedBuffer::ALIGNMENT), 0);
            assert_eq!((buffer.len(), buffer.iter_mut().count()), (length, length));
        }
    }
}
