//! One pass over the pages of a file, in file order: a note for each page that could be alive.
//!
//! Free pages look like live ones, and runs of stale pages may overlap live pages; so every page position is
//! looked at, and a run never hides the pages inside it. The tree decides later, in [`proof`](super::proof).

use super::element::{Branch, Leaf, LeafElement};
use super::freelist;
use super::meta::Layout;
use super::note::{LeafNote, PageNotes};
use super::page::{PageDefect, PageHeader, PageKind, Pgid};
use crate::bytes::{to_u64, to_usize};
use crate::digest::Crc32c;

/// Longest run that is examined. A run holds at most a few values, and etcd takes 1.5 MiB in one request unless told
/// otherwise; a stored freelist of 32 MiB lists four million free pages.
const MAX_RUN_BYTES: u64 = 32 << 20;
/// Bytes of overlapping runs that may be examined beyond three times the file: no arrangement of stale pages may
/// make the scan quadratic.
const EXAMINE_ALLOWANCE_BYTES: u64 = 64 << 20;

/// Looks at the leaves that a scan finds, dead or alive.
pub(crate) trait LeafObserver {
    /// Called once for each well-formed leaf page, in about the order of the file.
    fn leaf(&mut self, id: Pgid, elements: &[LeafElement<'_>]) -> Observation;
}

/// What an observer wants to have remembered of a leaf page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation {
    /// Handed back with the leaf by [`Tree::leaves`](super::Tree::leaves).
    pub(crate) tag: u64,
    /// The whole page is to be kept in memory.
    pub(crate) keep: bool,
}

/// A scan under way.
#[derive(Debug)]
pub(crate) struct Scan<O> {
    layout: Layout,
    observer: O,
    notes: PageNotes,
    position: u64,
    carry: Carry,
    examined_bytes: u64,
}

/// Runs that go on beyond what has been fed, and their bytes so far.
#[derive(Debug, Default)]
struct Carry {
    start: u64,
    bytes: Vec<u8>,
    pending: Vec<(u64, PageHeader)>,
}

impl Carry {
    fn end(&self) -> u64 {
        self.start + to_u64(self.bytes.len())
    }
}

impl<O: LeafObserver> Scan<O> {
    /// Starts at the first byte of a file with this layout.
    pub(crate) fn new(layout: Layout, observer: O) -> Self {
        Self {
            layout,
            observer,
            notes: PageNotes::default(),
            position: 0,
            carry: Carry::default(),
            examined_bytes: 0,
        }
    }

    /// Takes the next bytes of the file.
    ///
    /// Every chunk but the last must be a multiple of 64 KiB long.
    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        let chunk_start = self.position;
        self.position += to_u64(chunk.len());
        self.continue_pending(chunk, chunk_start);
        let page_size = to_usize(self.layout.meta.page_size);
        let mut offset = chunk_start;
        for page in chunk.chunks(page_size) {
            if page.len() == page_size {
                self.page(page, chunk, chunk_start, offset);
            }
            offset += to_u64(page.len());
        }
        self.carry_over(chunk, chunk_start);
    }

    /// Ends the scan; runs that were cut off by the end of the file are defective.
    pub(crate) fn finish(mut self) -> (PageNotes, O) {
        for (offset, _) in std::mem::take(&mut self.carry.pending) {
            self.reject(offset, PageDefect::Overflow { overflow_pages: 0 });
        }
        self.notes
            .finish(self.position / u64::from(self.layout.meta.page_size));
        (self.notes, self.observer)
    }

    /// Looks at the page at `offset`, whose run may reach to the end of `chunk` and beyond.
    fn page(&mut self, page: &[u8], chunk: &[u8], chunk_start: u64, offset: u64) {
        let Some(header) = PageHeader::parse(page, self.layout.order) else {
            return;
        };
        let Some(run_bytes) = self.candidate(offset, &header) else {
            return;
        };
        let from = to_usize(offset - chunk_start);
        match chunk
            .get(from..)
            .and_then(|rest| rest.get(..to_usize(run_bytes)))
        {
            Some(run) => self.run(offset, &header, run),
            None => self.carry.pending.push((offset, header)),
        }
    }

    /// The length of the run if the header could be that of a live page or of the stored freelist.
    fn candidate(&mut self, offset: u64, header: &PageHeader) -> Option<u64> {
        let page_size = u64::from(self.layout.meta.page_size);
        let id = offset / page_size;
        let high_water_mark = self.layout.meta.high_water_mark.0;
        if id < 2 || id >= high_water_mark {
            return None;
        }
        let kind = PageKind::from_flags(header.flags);
        if header.id.0 != id {
            // Most such pages are the middle of a run. Remember those that look like a page of somewhere else.
            if matches!(kind, Some(PageKind::Branch | PageKind::Leaf))
                && header.id.0 < high_water_mark
            {
                self.reject(offset, PageDefect::Id { found: header.id });
            }
            return None;
        }
        let is_candidate = match kind {
            Some(PageKind::Branch | PageKind::Leaf) => true,
            Some(PageKind::Freelist) => self.layout.meta.freelist == Some(Pgid(id)),
            _ => false,
        };
        if !is_candidate {
            self.reject(
                offset,
                PageDefect::Flags {
                    found: header.flags,
                },
            );
            return None;
        }
        self.run_length(offset, id, header.overflow_pages)
    }

    fn run_length(&mut self, offset: u64, id: u64, overflow_pages: u32) -> Option<u64> {
        let pages = u64::from(overflow_pages) + 1;
        let bytes = pages * u64::from(self.layout.meta.page_size);
        let defect = if id + pages > self.layout.meta.high_water_mark.0 {
            PageDefect::Overflow { overflow_pages }
        } else if bytes > MAX_RUN_BYTES {
            PageDefect::RunTooLong { overflow_pages }
        } else if overflow_pages > 0
            && self.examined_bytes > 3 * self.position + EXAMINE_ALLOWANCE_BYTES
        {
            PageDefect::Unexamined
        } else {
            self.examined_bytes += bytes;
            return Some(bytes);
        };
        self.reject(offset, defect);
        None
    }

    fn reject(&mut self, offset: u64, defect: PageDefect) {
        if let Ok(id) = u32::try_from(offset / u64::from(self.layout.meta.page_size)) {
            self.notes.reject(id, defect);
        }
    }

    /// Parses a whole run and notes what is in it.
    fn run(&mut self, offset: u64, header: &PageHeader, run: &[u8]) {
        let order = self.layout.order;
        let noted = match PageKind::from_flags(header.flags) {
            Some(PageKind::Branch) => self.branch(header, Branch::new(run, header.count, order)),
            Some(PageKind::Leaf) => self.leaf(header, run),
            _ => {
                self.notes.freelist = Some(freelist::parse(run, header, order));
                Ok(())
            }
        };
        if let Err(defect) = noted {
            self.reject(offset, defect);
        }
    }

    fn branch(&mut self, header: &PageHeader, branch: Branch<'_>) -> Result<(), PageDefect> {
        let elements = branch.elements()?;
        let id = u32::try_from(header.id.0).map_err(|_| PageDefect::Unexamined)?;
        self.notes.branch(id, header.overflow_pages, &elements);
        Ok(())
    }

    fn leaf(&mut self, header: &PageHeader, run: &[u8]) -> Result<(), PageDefect> {
        let leaf = Leaf::new(run, header.count, self.layout.order);
        let elements = leaf.read()?;
        let id = u32::try_from(header.id.0).map_err(|_| PageDefect::Unexamined)?;
        let observation = self.observer.leaf(header.id, &elements);
        let has_buckets = elements.iter().any(|element| element.is_bucket);
        if header.id == self.layout.meta.root {
            // Each commit leaves a stale root page behind; thousands of them must not crowd out the live one.
            self.notes.keep_root(id, run);
        } else if has_buckets {
            self.notes.keep_buckets(id, run);
        } else if observation.keep {
            self.notes.keep(id, run);
        }
        let first_and_last = elements
            .first()
            .zip(elements.last())
            .map(|(first, last)| (first.key, last.key));
        self.notes.leaf(&LeafNote {
            id,
            overflow_pages: header.overflow_pages,
            count: header.count,
            content: content_checksum(run, &elements),
            is_ascending: elements
                .windows(2)
                .all(|pair| matches!(pair, [left, right] if left.key < right.key)),
            has_buckets,
            tag: observation.tag,
            first_and_last,
        });
        Ok(())
    }

    /// Feeds pending runs, oldest first, and parses those that are complete now.
    fn continue_pending(&mut self, chunk: &[u8], chunk_start: u64) {
        if self.carry.pending.is_empty() {
            return;
        }
        let page_size = u64::from(self.layout.meta.page_size);
        let end_of = |(offset, header): &(u64, PageHeader)| {
            offset + (u64::from(header.overflow_pages) + 1) * page_size
        };
        let wanted = self
            .carry
            .pending
            .iter()
            .map(end_of)
            .max()
            .unwrap_or_default();
        self.carry_bytes(chunk, chunk_start, wanted);
        let carry = std::mem::take(&mut self.carry);
        let (complete, pending): (Vec<_>, Vec<_>) = carry
            .pending
            .iter()
            .copied()
            .partition(|run| end_of(run) <= carry.end());
        for (offset, header) in &complete {
            let from = to_usize(offset - carry.start);
            let length = to_usize(end_of(&(*offset, *header)) - offset);
            if let Some(run) = carry.bytes.get(from..).and_then(|rest| rest.get(..length)) {
                self.run(*offset, header, run);
            }
        }
        self.carry = Carry { pending, ..carry };
        self.trim_carry();
    }

    /// Keeps the bytes of `chunk` that pending runs need.
    fn carry_over(&mut self, chunk: &[u8], chunk_start: u64) {
        let Some(&(first, _)) = self.carry.pending.first() else {
            return;
        };
        if self.carry.bytes.is_empty() {
            self.carry.start = first;
        }
        self.carry_bytes(chunk, chunk_start, u64::MAX);
    }

    /// Appends what `chunk` holds between the end of the carried bytes and `wanted`.
    fn carry_bytes(&mut self, chunk: &[u8], chunk_start: u64, wanted: u64) {
        let from = to_usize(self.carry.end().saturating_sub(chunk_start));
        let to = to_usize(wanted.saturating_sub(chunk_start)).min(chunk.len());
        self.carry
            .bytes
            .extend_from_slice(chunk.get(from..to).unwrap_or_default());
    }

    fn trim_carry(&mut self) {
        let Some(&(first, _)) = self.carry.pending.first() else {
            self.carry = Carry::default();
            return;
        };
        let unused = first - self.carry.start;
        // Moving the bytes down only when a whole run's worth is unused keeps the cost linear.
        if unused >= MAX_RUN_BYTES {
            self.carry.bytes.drain(..to_usize(unused));
            self.carry.start = first;
        }
    }
}

/// CRC-32C over keys and values in element order. They lie side by side, so this is one slice.
fn content_checksum(run: &[u8], elements: &[LeafElement<'_>]) -> Crc32c {
    let table_end = PageHeader::SIZE_BYTES * (elements.len() + 1);
    let length: usize = elements
        .iter()
        .map(|element| element.key.len() + element.value.len())
        .sum();
    let content = run.get(table_end..).and_then(|data| data.get(..length));
    Crc32c::of(content.unwrap_or_default())
}
