//! A stream without the carriage returns that a text-mode transfer put before its line feeds.

use std::io::{self, Read};

const BUFFER_BYTES: usize = 64 << 10;

/// Takes one carriage return away before each line feed.
pub(super) struct LineFeeds<R> {
    source: R,
    buffer: Vec<u8>,
    /// What of the buffer is still to be given.
    ready: std::ops::Range<usize>,
    /// A carriage return was the last byte that was read: what follows tells whether it stays.
    is_held: bool,
    is_at_end: bool,
}

impl<R: Read> LineFeeds<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            ready: 0..0,
            is_held: false,
            is_at_end: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut raw = vec![0; BUFFER_BYTES];
        self.buffer.clear();
        while self.buffer.is_empty() && !self.is_at_end {
            let length = match self.source.read(&mut raw) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.is_at_end = length == 0;
            for byte in raw.iter().take(length) {
                self.take(*byte);
            }
        }
        if self.is_at_end && std::mem::take(&mut self.is_held) {
            self.buffer.push(b'\r');
        }
        self.ready = 0..self.buffer.len();
        Ok(())
    }

    fn take(&mut self, byte: u8) {
        if self.is_held && byte != b'\n' {
            self.buffer.push(b'\r');
        }
        self.is_held = byte == b'\r';
        if !self.is_held {
            self.buffer.push(byte);
        }
    }
}

impl<R: Read> Read for LineFeeds<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() {
            self.refill()?;
        }
        let mut ready = self.buffer.get(self.ready.clone()).unwrap_or_default();
        let length = ready.read(out)?;
        self.ready.start = self.ready.start.saturating_add(length);
        Ok(length)
    }
}
