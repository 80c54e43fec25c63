//! The bytes of a snapshot, cut into chunks.

use super::read::ReadError;
use crate::bytes::to_u64;
use crate::monitor::Monitor;
use std::io::{self, Read};

/// Bytes that are looked at twice. Its length is a multiple of 64 KiB, the largest page size, and the first one of a
/// snapshot holds both meta pages.
pub(super) struct Chunk {
    bytes: Vec<u8>,
    /// How many are filled; none behind the end of the snapshot.
    length: usize,
}

impl Chunk {
    pub(super) fn new(length: usize) -> Self {
        Self {
            bytes: vec![0; length],
            length: 0,
        }
    }

    pub(super) fn filled(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Reads from wherever the bytes come from.
pub(super) struct Feed<'r> {
    source: Box<dyn Read + Send + 'r>,
    monitor: &'r dyn Monitor,
    position: u64,
}

impl<'r> Feed<'r> {
    pub(super) fn new(source: Box<dyn Read + Send + 'r>, monitor: &'r dyn Monitor) -> Self {
        Self {
            source,
            monitor,
            position: 0,
        }
    }

    /// Fills the chunk unless the source ends.
    pub(super) fn fill(&mut self, chunk: &mut Chunk) -> Result<(), ReadError> {
        chunk.length = 0;
        if self.monitor.is_interrupted() {
            return Err(ReadError::Interrupted);
        }
        let mut length = 0;
        while let Some(rest) = chunk
            .bytes
            .get_mut(length..)
            .filter(|rest| !rest.is_empty())
        {
            match self.source.read(rest) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ReadError::Io {
                        offset: self.position + to_u64(length),
                        source,
                    });
                }
            }
        }
        chunk.length = length;
        self.position += to_u64(length);
        Ok(())
    }
}
