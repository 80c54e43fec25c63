//! Some bytes in a row of a zip that can be read anywhere: its directory, or a member.

use crate::bytes::to_u64;
use crate::monitor::Monitor;
use crate::source::packed::PackingBudget;
use crate::source::{PageCache, ReadAt};
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

/// Where the bytes are, and what is told of reading them.
#[derive(Clone)]
pub(super) struct ZipSource<'o> {
    pub(super) object: Arc<dyn ReadAt + Send + Sync + 'o>,
    /// What becomes of the page cache where much is read.
    pub(super) page_cache: PageCache,
    pub(super) budget: PackingBudget,
    /// Told of what is read; where it asks to stop, reading ends in an error.
    pub(super) monitor: &'o dyn Monitor,
}

/// Reads such bytes from end to end.
pub(super) struct Part<'o> {
    source: ZipSource<'o>,
    /// The way that the store has for that, if it has one.
    reader: Option<Box<dyn Read + Send>>,
    position: u64,
    end: u64,
}

impl<'o> Part<'o> {
    pub(super) fn new(source: &ZipSource<'o>, position: u64, end: u64) -> Self {
        Self {
            source: source.clone(),
            reader: source.object.part_reader(position..end, source.page_cache),
            position,
            end,
        }
    }
}

impl Read for Part<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let length = left.min(out.len());
        let Some(out) = out.get_mut(..length).filter(|out| !out.is_empty()) else {
            return Ok(0);
        };
        if self.source.monitor.is_interrupted() {
            return Err(io::Error::other("interrupted"));
        }
        let read = match &mut self.reader {
            Some(reader) => reader.read(out)?,
            None => self.source.object.read_at(out, self.position)?,
        };
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.position += to_u64(read);
        self.source.budget.meter(read);
        self.source.monitor.advance(to_u64(read));
        Ok(read)
    }
}
