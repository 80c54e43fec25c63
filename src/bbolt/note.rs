//! What a scan remembers of each page that could be alive.

use super::element::BranchElement;
use super::freelist::Freelist;
use super::key_store::{KeyReader, KeyWriter, StoredKey};
use super::page::{PageDefect, Pgid};
use crate::bytes::{to_u64, to_usize};
use crate::digest::Crc32c;
use std::collections::HashMap;

/// Defects kept for pages that turned out malformed; more of them change nothing about the verdict.
const MAX_REJECTED: usize = 1 << 16;
/// Bytes of pages kept whole, of each sort. The small buckets of etcd fill a few pages.
const MAX_KEPT_BYTES: usize = 16 << 20;
/// PageNotes between two entries of the lookup index.
const INDEX_STEP_PAGES: u64 = 64;

/// One well-formed branch or leaf page.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageNote {
    pub(super) id: u32,
    pub(super) overflow_pages: u32,
    crc: u32,
    content_bytes: u32,
    /// Where its keys begin in the key store.
    keys: U40,
    /// What the observer of leaves wants to find again.
    tag: U40,
    pub(super) count: u16,
    pub(super) is_branch: bool,
    pub(super) is_ascending: bool,
    /// Some value on it is a bucket.
    pub(super) has_buckets: bool,
}

/// A number below 2^40 in five bytes: there is a note for each page, and the notes of a large file fill much memory.
#[derive(Clone, Copy, Debug)]
struct U40([u8; 5]);

impl U40 {
    /// Larger numbers, positions in a terabyte of notes, become the largest one.
    fn new(number: u64) -> Self {
        let [b0, b1, b2, b3, b4, b5, b6, b7] = number.to_le_bytes();
        match [b5, b6, b7] {
            [0, 0, 0] => Self([b0, b1, b2, b3, b4]),
            _ => Self([0xFF; 5]),
        }
    }

    fn get(self) -> u64 {
        let [b0, b1, b2, b3, b4] = self.0;
        u64::from_le_bytes([b0, b1, b2, b3, b4, 0, 0, 0])
    }
}

impl PageNote {
    /// CRC-32C over keys and values in element order.
    pub(super) fn content(&self) -> Crc32c {
        Crc32c {
            value: self.crc,
            length: u64::from(self.content_bytes),
        }
    }

    pub(super) fn tag(&self) -> u64 {
        self.tag.get()
    }
}

/// A leaf page as it is handed to [`PageNotes::leaf`].
#[derive(Clone, Copy, Debug)]
pub(super) struct LeafNote<'p> {
    pub(super) id: u32,
    pub(super) overflow_pages: u32,
    pub(super) count: u16,
    pub(super) content: Crc32c,
    pub(super) is_ascending: bool,
    pub(super) has_buckets: bool,
    pub(super) tag: u64,
    pub(super) first_and_last: Option<(&'p [u8], &'p [u8])>,
}

/// The notes of a whole file.
#[derive(Debug, Default)]
pub(crate) struct PageNotes {
    pages: Vec<PageNote>,
    index: Vec<u32>,
    keys: Vec<u8>,
    kept: HashMap<u32, Box<[u8]>>,
    kept_bytes: usize,
    kept_bucket_bytes: usize,
    rejected: HashMap<u32, PageDefect>,
    /// The stored freelist, if there is one, or why it cannot be read.
    pub(super) freelist: Option<Result<Freelist, PageDefect>>,
    /// Whole pages that the file holds.
    pub(super) file_pages: u64,
}

impl PageNotes {
    pub(super) fn leaf(&mut self, leaf: &LeafNote<'_>) {
        let keys = to_u64(self.keys.len());
        if let Some((first, last)) = leaf.first_and_last {
            let mut writer = KeyWriter::new(&mut self.keys);
            writer.key(first);
            writer.key(last);
        }
        self.pages.push(PageNote {
            id: leaf.id,
            overflow_pages: leaf.overflow_pages,
            crc: leaf.content.value,
            content_bytes: u32::try_from(leaf.content.length).unwrap_or(u32::MAX),
            keys: U40::new(keys),
            tag: U40::new(leaf.tag),
            count: leaf.count,
            is_branch: false,
            is_ascending: leaf.is_ascending,
            has_buckets: leaf.has_buckets,
        });
    }

    pub(super) fn branch(&mut self, id: u32, overflow_pages: u32, elements: &[BranchElement<'_>]) {
        let keys = to_u64(self.keys.len());
        let mut writer = KeyWriter::new(&mut self.keys);
        for element in elements {
            writer.number(element.child.0);
            writer.key(element.key);
        }
        let is_ascending = elements
            .windows(2)
            .all(|pair| matches!(pair, [left, right] if left.key < right.key));
        let count = u16::try_from(elements.len()).unwrap_or(u16::MAX);
        self.pages.push(PageNote {
            id,
            overflow_pages,
            crc: 0,
            content_bytes: 0,
            keys: U40::new(keys),
            tag: U40::new(0),
            count,
            is_branch: true,
            is_ascending,
            has_buckets: false,
        });
    }

    /// Keeps the root page of the root bucket, whatever else has been kept.
    pub(super) fn keep_root(&mut self, id: u32, page: &[u8]) {
        self.kept.insert(id, page.into());
    }

    /// Keeps a whole page that holds buckets: of the root bucket, should it fill more than one.
    pub(super) fn keep_buckets(&mut self, id: u32, page: &[u8]) {
        if self.kept_bucket_bytes + page.len() <= MAX_KEPT_BYTES {
            self.kept_bucket_bytes += page.len();
            self.kept.insert(id, page.into());
        }
    }

    /// Keeps a whole page of some small bucket.
    pub(super) fn keep(&mut self, id: u32, page: &[u8]) {
        if self.kept_bytes + page.len() <= MAX_KEPT_BYTES {
            self.kept_bytes += page.len();
            self.kept.insert(id, page.into());
        }
    }

    pub(super) fn reject(&mut self, id: u32, defect: PageDefect) {
        if self.rejected.len() < MAX_REJECTED {
            self.rejected.insert(id, defect);
        }
    }

    /// Sorts what was noted out of order (runs are noted when they end) and builds the lookup index.
    pub(super) fn finish(&mut self, file_pages: u64) {
        self.file_pages = file_pages;
        self.pages.sort_by_key(|note| note.id);
        let last = self.pages.last().map_or(0, |note| u64::from(note.id));
        let mut position = 0;
        for step in 0..=last / INDEX_STEP_PAGES {
            while self
                .pages
                .get(position)
                .is_some_and(|note| u64::from(note.id) < step * INDEX_STEP_PAGES)
            {
                position += 1;
            }
            self.index.push(u32::try_from(position).unwrap_or(u32::MAX));
        }
    }

    /// The note of a page, or why there is none.
    pub(super) fn page(&self, id: Pgid) -> Result<(u32, &PageNote), PageDefect> {
        self.position(id).ok_or_else(|| {
            let rejected = u32::try_from(id.0)
                .ok()
                .and_then(|id| self.rejected.get(&id));
            rejected.copied().unwrap_or(PageDefect::NoPage)
        })
    }

    fn position(&self, id: Pgid) -> Option<(u32, &PageNote)> {
        let step = to_usize(id.0 / INDEX_STEP_PAGES);
        let from = to_usize(*self.index.get(step)?);
        let to = self
            .index
            .get(step + 1)
            .map_or(self.pages.len(), |&to| to_usize(to));
        let notes = self.pages.get(from..to)?;
        let found = notes
            .binary_search_by_key(&id.0, |note| u64::from(note.id))
            .ok()?;
        let note = notes.get(found)?;
        Some((u32::try_from(from + found).ok()?, note))
    }

    pub(super) fn at(&self, position: u32) -> Option<&PageNote> {
        self.pages.get(to_usize(position))
    }

    /// The bytes of a page that was kept whole.
    pub(super) fn kept(&self, id: u32) -> Option<&[u8]> {
        self.kept.get(&id).map(AsRef::as_ref)
    }

    /// First and last key of a leaf page.
    pub(super) fn leaf_span(&self, note: &PageNote) -> Option<(StoredKey<'_>, StoredKey<'_>)> {
        if note.count == 0 {
            return None;
        }
        let mut reader = KeyReader::new(&self.keys, note.keys.get());
        Some((reader.key()?, reader.key()?))
    }

    /// Children of a branch page with their keys, in element order.
    pub(super) fn children(&self, note: &PageNote) -> impl Iterator<Item = (Pgid, StoredKey<'_>)> {
        let mut reader = KeyReader::new(&self.keys, note.keys.get());
        (0..note.count).map_while(move |_| Some((Pgid(reader.number()?), reader.key()?)))
    }
}
