//! Blocks of a file read ahead of whoever wants them, several requests in flight.

use super::super::PageCache;
use super::page_cache::{drop_from_cache, is_cached, read_if_cached};
use crate::buffer::AlignedBuffer;
use crate::bytes::{to_u64, to_usize};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;

/// Requests in flight.
const READERS: usize = 4;
/// Bytes of one request.
const BLOCK_BYTES: usize = 1 << 20;
/// The page cache is asked about one in so many blocks. A question about a page that is not there brings it in.
const BLOCKS_PER_QUESTION: u64 = 16;
/// Offsets, lengths and addresses of direct reads are multiples of this.
const ALIGNMENT: usize = AlignedBuffer::ALIGNMENT;

/// Threads that read every fourth block each. They end when this is dropped, each after the request it waits for.
#[derive(Debug)]
pub(super) struct Ahead {
    readers: Vec<Reader>,
    /// The reader whose block is next.
    turn: usize,
    /// Bytes of the next block that were read before.
    skip: usize,
    current: Option<(Block, usize)>,
    /// The page cache held the last block.
    was_cached: bool,
    is_at_end: bool,
}

/// One thread as the consumer sees it.
#[derive(Debug)]
struct Reader {
    blocks: Receiver<Block>,
    empty: SyncSender<Block>,
}

/// A block, or as much of it as there was.
#[derive(Debug)]
struct Block {
    bytes: AlignedBuffer,
    length: usize,
    was_cached: bool,
    error: Option<io::Error>,
}

impl Block {
    fn new() -> Self {
        Self {
            bytes: AlignedBuffer::new(BLOCK_BYTES),
            length: 0,
            was_cached: false,
            error: None,
        }
    }

    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn is_last(&self) -> bool {
        self.length < BLOCK_BYTES
    }
}

impl Ahead {
    /// Starts reading at `position`.
    ///
    /// # Errors
    ///
    /// There are not threads enough to be had.
    pub(super) fn start(
        file: &Arc<File>,
        position: u64,
        page_cache: PageCache,
    ) -> io::Result<Self> {
        let alignment = to_u64(ALIGNMENT);
        let first = position / alignment * alignment;
        let direct = open_direct(file).map(Arc::new);
        let reader = |index: usize| {
            let (filled, blocks) = sync_channel(1);
            let (empty, to_fill) = sync_channel(1);
            let reading = Reading {
                file: Arc::clone(file),
                direct: direct.clone(),
                page_cache,
            };
            let offset = first + to_u64(index * BLOCK_BYTES);
            Builder::new().spawn(move || reading.run(offset, &to_fill, &filled))?;
            Ok(Reader { blocks, empty })
        };
        Ok(Self {
            readers: (0..READERS).map(reader).collect::<io::Result<_>>()?,
            turn: 0,
            skip: to_usize(position - first),
            current: None,
            was_cached: false,
            is_at_end: false,
        })
    }

    /// True behind a block that the page cache held: most likely it holds the next ones, too.
    pub(super) fn is_needless(&self) -> bool {
        self.current.is_none() && !self.is_at_end && self.was_cached
    }

    /// Copies what is there of the current block.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some((block, taken)) = &mut self.current else {
                if self.is_at_end {
                    return Ok(0);
                }
                self.receive()?;
                continue;
            };
            let rest = block.filled().get(*taken..).unwrap_or_default();
            let length = rest.len().min(buffer.len());
            if let Some((to, from)) = buffer.get_mut(..length).zip(rest.get(..length)) {
                to.copy_from_slice(from);
            }
            *taken += length;
            let is_used_up = length == rest.len();
            // What comes behind the last block, be it an error, is for the next call.
            if is_used_up && (length == 0 || !block.is_last()) {
                self.give_back()?;
            }
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
        }
    }

    fn receive(&mut self) -> io::Result<()> {
        let reader = self.readers.get(self.turn).ok_or(ErrorKind::BrokenPipe)?;
        let block = reader.blocks.recv().map_err(|_| ErrorKind::BrokenPipe)?;
        self.current = Some((block, std::mem::take(&mut self.skip)));
        Ok(())
    }

    /// Lets the reader go on, or ends at a block that is not full: behind it lies nothing, or a defect.
    fn give_back(&mut self) -> io::Result<()> {
        let Some((mut block, _)) = self.current.take() else {
            return Ok(());
        };
        if block.is_last() {
            self.is_at_end = true;
            self.readers.clear();
            return block.error.take().map_or(Ok(()), Err);
        }
        self.was_cached = block.was_cached;
        if let Some(reader) = self.readers.get(self.turn) {
            // A reader that has ended is told of when its next block is due.
            let _ = reader.empty.send(block);
        }
        self.turn = (self.turn + 1) % READERS;
        Ok(())
    }
}

/// One thread's work.
struct Reading {
    file: Arc<File>,
    direct: Option<Arc<File>>,
    page_cache: PageCache,
}

impl Reading {
    fn run(&self, mut offset: u64, to_fill: &Receiver<Block>, filled: &SyncSender<Block>) {
        let mut block = Block::new();
        loop {
            self.fill(&mut block, offset);
            let is_last = block.is_last();
            if filled.send(block).is_err() || is_last {
                return;
            }
            let Ok(empty) = to_fill.recv() else {
                return;
            };
            block = empty;
            offset += to_u64(READERS * BLOCK_BYTES);
        }
    }

    fn fill(&self, block: &mut Block, offset: u64) {
        block.error = None;
        block.was_cached = self.is_worth_asking(offset) && self.fill_from_cache(block, offset);
        if block.was_cached {
            return;
        }
        if let Some(direct) = &self.direct
            && let Ok(length) = read_direct(direct, &mut block.bytes, offset)
        {
            block.length = length;
            return;
        }
        // Refused; or a bad sector, before which there may be more to read.
        (block.length, block.error) = read_plainly(&self.file, &mut block.bytes, offset);
        if self.page_cache == PageCache::Drop {
            drop_from_cache(&self.file, offset, to_u64(block.length));
        }
    }

    /// Is it this block's turn to be asked about, and is a page of it there? A page at random: the one that was asked
    /// about in an earlier reading has been brought in by that very question.
    fn is_worth_asking(&self, offset: u64) -> bool {
        let block_bytes = to_u64(BLOCK_BYTES);
        if !(offset / block_bytes).is_multiple_of(BLOCKS_PER_QUESTION) {
            return false;
        }
        let page = RandomState::new().hash_one(offset) % (block_bytes / to_u64(ALIGNMENT));
        is_cached(&self.file, offset + page * to_u64(ALIGNMENT))
    }

    fn fill_from_cache(&self, block: &mut Block, offset: u64) -> bool {
        block.length = read_if_cached(&self.file, &mut block.bytes, offset).unwrap_or(0);
        block.length == BLOCK_BYTES
    }
}

/// Opens the same file once more for reads past the page cache; `None` where that is refused.
fn open_direct(file: &File) -> Option<File> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::DIRECT | OFlags::CLOEXEC | OFlags::NOCTTY;
    let direct = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    Some(File::from(direct))
}

/// Fills `space` unless the file ends.
fn read_direct(file: &File, space: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = space.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + to_u64(length)) {
            Ok(read) => {
                length += read;
                // The end of the file is where a direct read stops at no multiple of the alignment.
                if read == 0 || length % ALIGNMENT != 0 {
                    break;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// Fills `space` as far as the file and its disk allow.
fn read_plainly(file: &File, space: &mut [u8], offset: u64) -> (usize, Option<io::Error>) {
    let mut length = 0;
    while let Some(rest) = space.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + to_u64(length)) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (length, Some(error)),
        }
    }
    (length, None)
}
