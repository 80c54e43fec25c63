//! Files read front to back, at the speed of the page cache or of the disk, whichever holds them.
//!
//! What is in the page cache is copied out of it. The first byte that is not there (the kernel says so when asked not to
//! wait, `RWF_NOWAIT`) starts a few threads that read ahead, each a block of its own, directly from the disk
//! (`O_DIRECT`), past the cache, which therefore stays as it was. They end where the cache goes on. A disk that reaches
//! its rate only with several requests in flight is read at that rate, and warm files pay nothing for it.
//!
//! Whoever asks for bytes that are not cached has the kernel fetch them, without waiting: so the question is asked seldom
//! and about little, and the kernel is told to fetch no more than that, or the disk would read everything twice.
//!
//! File systems that do not answer such questions (some network and overlay file systems) are read plainly, with the
//! advice that it will be sequential; those that refuse direct reads are read ahead through the cache.

use super::super::PageCache;
use super::ahead::Ahead;
use super::page_cache::{drop_from_cache, read_if_cached};
use crate::bytes::to_u64;
use rustix::fs::Advice;
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Take};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// Bytes after which what has been read is dropped from the cache again.
const DROP_BYTES: u64 = 8 << 20;
/// A part of so many bytes is read as a whole file is.
const LARGE_PART_BYTES: u64 = 16 << 20;

/// Reads a regular file to its end.
#[derive(Debug)]
pub(super) struct FileReader {
    file: Arc<File>,
    position: u64,
    way: Way,
    page_cache: PageCache,
}

#[derive(Debug)]
enum Way {
    /// Out of the page cache, as far as it goes.
    Cached,
    /// Ahead of the reader, on threads.
    Ahead(Ahead),
    /// As the system has it. What lies before this offset has been dropped from the cache already.
    Plain(u64),
}

impl FileReader {
    /// Starts at the file's first byte, whatever its own position is.
    pub(super) fn new(file: Arc<File>, page_cache: PageCache) -> Self {
        let _ = rustix::fs::fadvise(&*file, 0, None, Advice::Random);
        Self {
            file,
            position: 0,
            way: Way::Cached,
            page_cache,
        }
    }

    /// Starts at the first byte of a part, and ends behind its last one.
    pub(super) fn of_part(file: Arc<File>, part: Range<u64>, page_cache: PageCache) -> Take<Self> {
        let size_bytes = part.end.saturating_sub(part.start);
        // Reading ahead goes on behind the end of the part, and starts threads.
        let is_worth_it = size_bytes >= LARGE_PART_BYTES;
        let mut reader = Self::new(file, page_cache);
        reader.position = part.start;
        if !is_worth_it {
            reader.way = Way::Plain(part.start);
        }
        reader.take(size_bytes)
    }

    /// Reads what is cached. `None` when another way must be, and has been, chosen.
    fn read_cached(&mut self, buffer: &mut [u8]) -> Option<usize> {
        match read_if_cached(&self.file, buffer, self.position) {
            Ok(length) => Some(length),
            Err(Errno::AGAIN) => {
                self.way = Ahead::start(&self.file, self.position, self.page_cache)
                    .map_or(Way::Plain(self.position), Way::Ahead);
                None
            }
            Err(_) => {
                // Advice: a file system without read-ahead may ignore it.
                let _ = rustix::fs::fadvise(&*self.file, 0, None, Advice::Sequential);
                self.way = Way::Plain(self.position);
                None
            }
        }
    }
}

/// Who reads a part may stop at any byte of it.
impl Drop for FileReader {
    fn drop(&mut self) {
        if let Way::Plain(dropped) = self.way
            && self.page_cache == PageCache::Drop
        {
            drop_from_cache(&self.file, dropped, self.position.saturating_sub(dropped));
        }
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Way::Ahead(ahead) = &self.way
            && ahead.is_needless()
        {
            self.way = Way::Cached;
        }
        if let Way::Cached = self.way
            && let Some(length) = self.read_cached(buffer)
        {
            self.position += to_u64(length);
            return Ok(length);
        }
        match &mut self.way {
            Way::Ahead(ahead) => {
                let length = ahead.read(buffer)?;
                self.position += to_u64(length);
                Ok(length)
            }
            Way::Cached => Ok(0),
            Way::Plain(dropped) => {
                let length = self.file.read_at(buffer, self.position)?;
                self.position += to_u64(length);
                let is_due = length == 0 || self.position - *dropped >= DROP_BYTES;
                if is_due && self.page_cache == PageCache::Drop {
                    drop_from_cache(&self.file, *dropped, self.position - *dropped);
                    *dropped = self.position;
                }
                Ok(length)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, FileReader, PageCache};
    use std::fs::File;
    use std::io::{Read as _, Write as _};

    fn some_bytes(count: u32) -> Vec<u8> {
        let byte = |i: u32| u8::try_from(i * 7 % 251).expect("below 251");
        (0..count).map(byte).collect()
    }

    /// On the disk, so that nothing of it has to be cached.
    fn file_of(bytes: &[u8]) -> std::io::Result<Arc<File>> {
        let mut file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR"))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(Arc::new(file))
    }

    #[test]
    fn a_file_is_read_whole_whether_it_is_cached_or_not() -> std::io::Result<()> {
        // Not a multiple of anything, and longer than all blocks in flight.
        let bytes = some_bytes(40_000_007);
        let file = file_of(&bytes)?;
        for page_cache in [PageCache::Keep, PageCache::Drop] {
            for cached_bytes in [0, 1_000_000, bytes.len()] {
                super::drop_from_cache(&file, 0, u64::MAX >> 1);
                let mut head = vec![0; cached_bytes];
                std::os::unix::fs::FileExt::read_at(&*file, &mut head, 0)?;
                let mut found = Vec::new();
                FileReader::new(Arc::clone(&file), page_cache).read_to_end(&mut found)?;
                assert!(found == bytes, "{cached_bytes} bytes cached before");
            }
        }
        Ok(())
    }

    #[test]
    fn a_part_is_read_from_its_first_byte_to_its_last() -> std::io::Result<()> {
        let bytes = some_bytes(24_000_011);
        let file = file_of(&bytes)?;
        // Of a small part, of a large one, of one byte, and beyond the end.
        for part in [5_001..70_000, 3..20_000_000, 7..8, 23_999_999..30_000_000] {
            for page_cache in [PageCache::Keep, PageCache::Drop] {
                super::drop_from_cache(&file, 0, u64::MAX >> 1);
                let mut found = Vec::new();
                let reader = FileReader::of_part(Arc::clone(&file), part.clone(), page_cache);
                { reader }.read_to_end(&mut found)?;
                let place = |at: u64| usize::try_from(at).map(|at| at.min(bytes.len()));
                let (start, end) = (place(part.start), place(part.end));
                let expected = bytes.get(start.expect("small")..end.expect("small"));
                assert!(Some(found.as_slice()) == expected, "{part:?}");
            }
        }
        Ok(())
    }
}
