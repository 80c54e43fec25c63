//! The tree of a file: its buckets, and what is on their live pages.

use super::element::{Leaf, LeafElement};
use super::note::PageNotes;
use super::page::Pgid;
use super::page_set::PageSet;
use super::tree_defect::{TreeDefect, TreeDefectKind};
use crate::bytes::{ByteOrder, to_u64};
use crate::digest::{Crc32c, CrcJoiner};

/// A bucket and where its elements are.
#[derive(Debug)]
pub(crate) struct Bucket<'n> {
    /// Name in the root bucket.
    pub(crate) name: Vec<u8>,
    /// False when a part of its tree cannot be reached.
    pub(crate) is_complete: bool,
    pub(super) content: BucketContent<'n>,
}

/// Where the elements of a bucket are.
#[derive(Debug)]
pub(super) enum BucketContent<'n> {
    Inline(Leaf<'n>),
    /// Positions of the notes of its leaf pages, in key order.
    Leaves(Vec<u32>),
}

/// A leaf page of a bucket, in key order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeafRef {
    /// Its page id.
    pub(crate) page: Pgid,
    /// What the observer of the scan tagged it with.
    pub(crate) tag: u64,
    /// Elements on it.
    pub(crate) count: u16,
}

/// The tree of a file, as far as it is sound.
#[derive(Debug)]
pub(crate) struct Tree<'n> {
    pub(super) notes: &'n PageNotes,
    pub(super) order: ByteOrder,
    /// Buckets in name order.
    pub(crate) buckets: Vec<Bucket<'n>>,
    /// Everything wrong with it, in the order of the walk.
    pub(crate) defects: Vec<TreeDefect>,
    /// Defects beyond those described.
    pub(crate) undescribed_defects: u64,
    /// False when a part of the root bucket cannot be reached.
    pub(crate) is_root_complete: bool,
}

impl<'n> Tree<'n> {
    /// True when every page in use was reached and is sound.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_root_complete && self.buckets.iter().all(|bucket| bucket.is_complete)
    }

    /// True when no keys were found out of order.
    pub(crate) fn is_ordered(&self) -> bool {
        use TreeDefectKind as K;
        let is_order = |kind| matches!(kind, K::NotAscending | K::BelowRange | K::AboveRange);
        self.undescribed_defects == 0 && !self.defects.iter().any(|defect| is_order(defect.kind))
    }

    /// The bucket of this name.
    pub(crate) fn bucket(&self, name: &[u8]) -> Option<&Bucket<'n>> {
        self.buckets.iter().find(|bucket| bucket.name == name)
    }

    /// Leaf pages of a bucket in key order; none for an inline bucket.
    pub(crate) fn leaves<'t>(&'t self, bucket: &'t Bucket<'n>) -> impl Iterator<Item = LeafRef> {
        let positions = match &bucket.content {
            BucketContent::Leaves(positions) => positions.as_slice(),
            BucketContent::Inline(_) => &[],
        };
        let notes = positions
            .iter()
            .filter_map(|&position| self.notes.at(position));
        notes.map(|note| LeafRef {
            page: Pgid(u64::from(note.id)),
            tag: note.tag(),
            count: note.count,
        })
    }

    /// The leaf pages of a bucket.
    pub(crate) fn leaf_pages(&self, bucket: &Bucket<'n>) -> PageSet {
        let mut pages = PageSet::new(self.notes.file_pages);
        for leaf in self.leaves(bucket) {
            pages.add(leaf.page);
        }
        pages
    }

    /// Keys and values of a bucket whose pages were kept whole (small buckets and inline ones).
    ///
    /// `None` when a page was not kept.
    pub(crate) fn entries(&self, bucket: &Bucket<'n>) -> Option<Vec<LeafElement<'n>>> {
        match &bucket.content {
            BucketContent::Inline(leaf) => leaf.read().ok(),
            BucketContent::Leaves(positions) => {
                let mut entries = Vec::new();
                for &position in positions {
                    let note = self.notes.at(position)?;
                    if note.count == 0 {
                        continue;
                    }
                    let leaf = Leaf::new(self.notes.kept(note.id)?, note.count, self.order);
                    entries.extend(leaf.elements().map_while(Result::ok));
                }
                Some(entries)
            }
        }
    }

    /// Number of elements of a bucket.
    pub(crate) fn count(&self, bucket: &Bucket<'n>) -> u64 {
        match &bucket.content {
            BucketContent::Inline(leaf) => to_u64(leaf.elements().filter(Result::is_ok).count()),
            BucketContent::Leaves(_) => self.leaves(bucket).map(|leaf| u64::from(leaf.count)).sum(),
        }
    }

    /// CRC-32C over the bucket's keys and values in key order.
    pub(crate) fn checksum(&self, bucket: &Bucket<'n>, joiner: &CrcJoiner) -> Crc32c {
        match &bucket.content {
            BucketContent::Inline(leaf) => leaf
                .elements()
                .map_while(Result::ok)
                .fold(Crc32c::default(), |crc, element| {
                    crc.followed_by(element.key).followed_by(element.value)
                }),
            BucketContent::Leaves(positions) => positions
                .iter()
                .filter_map(|&position| self.notes.at(position))
                .fold(Crc32c::default(), |crc, note| {
                    joiner.join(crc, note.content())
                }),
        }
    }
}
