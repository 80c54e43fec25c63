//! The bytes of a snapshot, cut into chunks.

use super::reading::ReadError;
use crate::buffer::AlignedBuffer;
use crate::bytes::to_u64;
use crate::monitor::Monitor;
use std::io::{self, Read};

/// Bytes that are looked at twice. There is room for a multiple of 64 KiB, the largest page size, so that every page
/// begins where one may begin; the first chunk of a snapshot holds both meta pages.
pub(super) struct SnapshotChunk {
    bytes: AlignedBuffer,
    /// How many of them are filled: all, unless it is the last chunk.
    length: usize,
}

impl SnapshotChunk {
    pub(super) fn new(length: usize) -> Self {
        Self {
            bytes: AlignedBuffer::new(length),
            length: 0,
        }
    }

    pub(super) fn filled(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Cuts what a source gives into chunks.
pub(super) struct ChunkReader<'r> {
    source: Box<dyn Read + Send + 'r>,
    monitor: &'r dyn Monitor,
    offset: u64,
    is_at_end: bool,
}

impl<'r> ChunkReader<'r> {
    pub(super) fn new(source: Box<dyn Read + Send + 'r>, monitor: &'r dyn Monitor) -> Self {
        Self {
            source,
            monitor,
            offset: 0,
            is_at_end: false,
        }
    }

    /// Fills the chunk unless the source ends. Behind its end chunks stay empty: what has ended is not asked again, as
    /// a terminal or a growing file would go on in the middle of a page.
    pub(super) fn fill(&mut self, chunk: &mut SnapshotChunk) -> Result<(), ReadError> {
        chunk.length = 0;
        while !self.is_at_end && chunk.length < chunk.bytes.len() {
            if self.monitor.is_interrupted() {
                return Err(ReadError::Interrupted);
            }
            let free = chunk.bytes.get_mut(chunk.length..).unwrap_or_default();
            match self.source.read(free) {
                Ok(0) => self.is_at_end = true,
                Ok(read) => {
                    let read = read.min(free.len());
                    chunk.length += read;
                    self.offset += to_u64(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    let offset = self.offset;
                    return Err(ReadError::Io { offset, source });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{ChunkReader, SnapshotChunk};
    use crate::monitor::Silent;
    use std::io::{self, Read};

    /// Answers as told, one read after the other, and then fails.
    struct ScriptedReads(Vec<io::Result<usize>>);

    impl Read for ScriptedReads {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            let answer = self.0.pop();
            answer.unwrap_or_else(|| Err(io::Error::other("asked once too often")))
        }
    }

    fn lengths(mut answers: Vec<io::Result<usize>>) -> Vec<Option<usize>> {
        answers.reverse();
        let mut chunks = ChunkReader::new(Box::new(ScriptedReads(answers)), &Silent);
        let mut chunk = SnapshotChunk::new(8);
        let mut fill = || {
            let filled = chunks.fill(&mut chunk);
            filled.is_ok().then(|| chunk.filled().len())
        };
        vec![fill(), fill(), fill()]
    }

    #[test]
    fn short_reads_fill_a_chunk() {
        let again = || Err(io::ErrorKind::Interrupted.into());
        let filled = lengths(vec![Ok(3), again(), Ok(5), Ok(2), Ok(0)]);
        assert_eq!(filled, [Some(8), Some(2), Some(0)]);
    }

    #[test]
    fn what_has_ended_is_not_asked_again() {
        assert_eq!(
            lengths(vec![Ok(8), Ok(0), Ok(8)]),
            [Some(8), Some(0), Some(0)]
        );
        assert_eq!(
            lengths(vec![Ok(5), Ok(0), Ok(8)]),
            [Some(5), Some(0), Some(0)]
        );
    }

    #[test]
    fn a_source_that_claims_too_much_fills_no_more_than_there_is() {
        assert_eq!(lengths(vec![Ok(9), Ok(0)]), [Some(8), Some(0), Some(0)]);
    }

    #[test]
    fn a_failure_is_an_error() {
        assert_eq!(lengths(vec![Ok(8)]), [Some(8), None, None]);
    }
}
