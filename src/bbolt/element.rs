//! Elements of branch and leaf pages, and buckets inside values.

use super::page::{PageDefect, PageHeader, PageKind, Pgid};
use crate::bytes::{ByteOrder, Fields, to_usize};

/// Bytes of an element in the table that follows the page header.
const ELEMENT_BYTES: usize = 16;
/// Flag of a leaf element whose value is a bucket.
const BUCKET_LEAF_FLAG: u32 = 0x01;
/// Longest key that bbolt takes (`MaxKeySize`). Also bounds what a finding that names keys can cost.
const MAX_KEY_BYTES: u32 = 32_768;

/// One key and value of a leaf page.
///
/// | offset | bytes | field | meaning |
/// |---|---|---|---|
/// | 0 | 4 | `flags` | bit 0: the value is a bucket |
/// | 4 | 4 | `pos` | bytes from the start of this element to its key |
/// | 8 | 4 | `ksize` | bytes of the key; the value follows it |
/// | 12 | 4 | `vsize` | bytes of the value |
///
/// Source: bbolt `internal/common/page.go`, struct `leafPageElement`, at 4e65d8f.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LeafElement<'p> {
    /// Never empty.
    pub(crate) key: &'p [u8],
    /// Value, or the bucket's header (and inline page).
    pub(crate) value: &'p [u8],
    /// The value is a bucket.
    pub(crate) is_bucket: bool,
}

/// One child of a branch page.
///
/// | offset | bytes | field | meaning |
/// |---|---|---|---|
/// | 0 | 4 | `pos` | bytes from the start of this element to its key |
/// | 4 | 4 | `ksize` | bytes of the key |
/// | 8 | 8 | `pgid` | the child |
///
/// Source: bbolt `internal/common/page.go`, struct `branchPageElement`, at 4e65d8f.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct BranchElement<'p> {
    /// No key below the child is smaller.
    pub(crate) key: &'p [u8],
    /// The child.
    pub(crate) child: Pgid,
}

fn check_key(index: u16, ksize: u32) -> Result<(), PageDefect> {
    match ksize {
        0 => Err(PageDefect::EmptyKey { index }),
        1..=MAX_KEY_BYTES => Ok(()),
        found => Err(PageDefect::KeyTooLong { index, found }),
    }
}

/// Walks the data behind an element table. bbolt writes keys and values without gaps, so each begins where the one
/// before ended, the first right behind the table: a wrong count shows, too.
struct Cursor<'p> {
    page: &'p [u8],
    end: usize,
}

impl<'p> Cursor<'p> {
    fn new(page: &'p [u8], count: u16) -> Result<Self, PageDefect> {
        let end = PageHeader::SIZE_BYTES + usize::from(count) * ELEMENT_BYTES;
        if end > page.len() {
            return Err(PageDefect::Count { count });
        }
        Ok(Self { page, end })
    }

    /// The element's 16 bytes and where they start.
    fn element(&self, index: u16) -> Option<(&'p [u8; ELEMENT_BYTES], usize)> {
        let start = PageHeader::SIZE_BYTES + usize::from(index) * ELEMENT_BYTES;
        Some((self.page.get(start..)?.first_chunk()?, start))
    }

    /// Moves behind `size` bytes that begin `pos` bytes after `start`.
    fn take(
        &mut self,
        start: usize,
        pos: u32,
        ksize: u32,
        vsize: u32,
    ) -> Option<(&'p [u8], &'p [u8])> {
        let from = start.checked_add(to_usize(pos))?;
        if from != self.end {
            return None;
        }
        let middle = from.checked_add(to_usize(ksize))?;
        let to = middle.checked_add(to_usize(vsize))?;
        let (key, value) = (self.page.get(from..middle)?, self.page.get(middle..to)?);
        self.end = to;
        Some((key, value))
    }
}

/// A leaf page whose elements are read one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf<'p> {
    page: &'p [u8],
    count: u16,
    order: ByteOrder,
}

impl<'p> Leaf<'p> {
    /// Takes the whole run of a leaf page, header included, with the count of its header.
    pub(crate) fn new(page: &'p [u8], count: u16, order: ByteOrder) -> Self {
        Self { page, count, order }
    }

    /// All elements in table order.
    ///
    /// # Errors
    ///
    /// The first malformed element.
    pub(crate) fn read(self) -> Result<Vec<LeafElement<'p>>, PageDefect> {
        let mut cursor = Cursor::new(self.page, self.count)?;
        // No more than the page has room for: the cursor has compared it.
        let mut elements = Vec::with_capacity(usize::from(self.count));
        for index in 0..self.count {
            elements.push(Self::element(&mut cursor, index, self.order)?);
        }
        Ok(elements)
    }

    /// Reads the elements in table order; the first malformed one ends the iteration.
    pub(crate) fn elements(self) -> impl Iterator<Item = Result<LeafElement<'p>, PageDefect>> {
        let (mut cursor, mut failed) = match Cursor::new(self.page, self.count) {
            Ok(cursor) => (Some(cursor), None),
            Err(defect) => (None, Some(defect)),
        };
        let mut index = 0;
        std::iter::from_fn(move || {
            if let Some(defect) = failed.take() {
                return Some(Err(defect));
            }
            if index == self.count {
                return None;
            }
            let element = Self::element(cursor.as_mut()?, index, self.order);
            index += 1;
            if element.is_err() {
                cursor = None;
            }
            Some(element)
        })
    }

    fn element(
        cursor: &mut Cursor<'p>,
        index: u16,
        order: ByteOrder,
    ) -> Result<LeafElement<'p>, PageDefect> {
        let bounds = PageDefect::ElementBounds { index };
        let (table, start) = cursor.element(index).ok_or(bounds)?;
        let &[
            f0,
            f1,
            f2,
            f3,
            p0,
            p1,
            p2,
            p3,
            k0,
            k1,
            k2,
            k3,
            v0,
            v1,
            v2,
            v3,
        ] = table;
        let flags = order.u32([f0, f1, f2, f3]);
        if flags > BUCKET_LEAF_FLAG {
            return Err(PageDefect::ElementFlags {
                index,
                found: flags,
            });
        }
        let (pos, ksize, vsize) = (
            order.u32([p0, p1, p2, p3]),
            order.u32([k0, k1, k2, k3]),
            order.u32([v0, v1, v2, v3]),
        );
        check_key(index, ksize)?;
        let (key, value) = cursor.take(start, pos, ksize, vsize).ok_or(bounds)?;
        Ok(LeafElement {
            key,
            value,
            is_bucket: flags == BUCKET_LEAF_FLAG,
        })
    }
}

/// A branch page whose elements are read one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Branch<'p> {
    page: &'p [u8],
    count: u16,
    order: ByteOrder,
}

impl<'p> Branch<'p> {
    /// Takes the whole run of a branch page, header included, with the count of its header.
    pub(crate) fn new(page: &'p [u8], count: u16, order: ByteOrder) -> Self {
        Self { page, count, order }
    }

    /// All children in table order.
    ///
    /// # Errors
    ///
    /// The first malformed element. A branch without children is malformed.
    pub(crate) fn elements(self) -> Result<Vec<BranchElement<'p>>, PageDefect> {
        if self.count == 0 {
            return Err(PageDefect::Empty);
        }
        let mut cursor = Cursor::new(self.page, self.count)?;
        (0..self.count)
            .map(|index| Self::element(&mut cursor, index, self.order))
            .collect()
    }

    fn element(
        cursor: &mut Cursor<'p>,
        index: u16,
        order: ByteOrder,
    ) -> Result<BranchElement<'p>, PageDefect> {
        let bounds = PageDefect::ElementBounds { index };
        let (table, start) = cursor.element(index).ok_or(bounds)?;
        let &[p0, p1, p2, p3, k0, k1, k2, k3, id @ ..] = table;
        let (pos, ksize) = (order.u32([p0, p1, p2, p3]), order.u32([k0, k1, k2, k3]));
        check_key(index, ksize)?;
        let (key, _) = cursor.take(start, pos, ksize, 0).ok_or(bounds)?;
        Ok(BranchElement {
            key,
            child: Pgid(order.u64(id)),
        })
    }
}

/// The value of a bucket element.
///
/// | offset | bytes | field | meaning |
/// |---|---|---|---|
/// | 0 | 8 | `root` | root page of the bucket; 0: inline |
/// | 8 | 8 | `sequence` | unused by etcd |
/// | 16 | | | inline bucket: a leaf page with id 0 |
///
/// Source: bbolt `internal/common/bucket.go`, struct `InBucket`, at 4e65d8f.
#[derive(Clone, Copy, Debug)]
pub(crate) enum InlineBucket<'p> {
    /// The bucket has pages of its own.
    Root(Pgid),
    /// The bucket's leaf page, inside the value.
    Inline(Leaf<'p>),
}

impl<'p> InlineBucket<'p> {
    /// Reads the value of a bucket element; `None` when it is malformed.
    pub(crate) fn parse(value: &'p [u8], order: ByteOrder) -> Option<Self> {
        let mut fields = Fields::new(value, order);
        let root = fields.u64()?;
        fields.u64()?;
        if root != 0 {
            return Some(Self::Root(Pgid(root)));
        }
        let page = fields.rest();
        let header = PageHeader::parse(page, order)?;
        let is_leaf = PageKind::from_flags(header.flags) == Some(PageKind::Leaf)
            && header.overflow_pages == 0;
        is_leaf.then(|| Self::Inline(Leaf::new(page, header.count, order)))
    }
}
