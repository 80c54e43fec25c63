//! The bytes of a snapshot, cut into chunks.

use super::read::ReadError;
use crate::bytes::to_u64;
use crate::monitor::Monitor;
use std::io::{self, Read};

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

    /// Fills the buffer unless the source ends: chunks are cut at multiples of its length.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        if self.monitor.is_interrupted() {
            return Err(ReadError::Interrupted);
        }
        let mut length = 0;
        while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
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
        self.position += to_u64(length);
        Ok(length)
    }
}
