//! Tells the monitor what passes by.

use crate::bytes::to_u64;
use crate::monitor::Monitor;
use std::io::{self, Read};

/// A reader that reports its bytes as progress.
pub(crate) struct Counting<'m, R> {
    reader: R,
    monitor: &'m dyn Monitor,
}

impl<'m, R: Read> Counting<'m, R> {
    /// Reports every byte read from `reader` to `monitor`.
    pub(crate) fn new(reader: R, monitor: &'m dyn Monitor) -> Self {
        Self { reader, monitor }
    }
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.monitor.advance(to_u64(length));
        Ok(length)
    }
}

impl<R> std::fmt::Debug for Counting<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counting")
    }
}
