//! The header of a page, and what can be wrong with a page.

use crate::bytes::{ByteOrder, Fields};
use std::fmt;

/// Page id: position of a page in the file, in pages.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Pgid(pub(crate) u64);

impl fmt::Display for Pgid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a page is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PageKind {
    /// Keys and child pages.
    Branch,
    /// Keys and values.
    Leaf,
    /// One of the two meta pages.
    Meta,
    /// Ids of free pages.
    Freelist,
}

impl PageKind {
    /// Exactly one bit is set in the flags of a page.
    pub(crate) fn from_flags(flags: u16) -> Option<Self> {
        match flags {
            0x01 => Some(Self::Branch),
            0x02 => Some(Self::Leaf),
            0x04 => Some(Self::Meta),
            0x10 => Some(Self::Freelist),
            _ => None,
        }
    }
}

/// Header in the first 16 bytes of every page.
///
/// | offset | bytes | field | meaning |
/// |---|---|---|---|
/// | 0 | 8 | `id` | this page's own [`Pgid`] |
/// | 8 | 2 | `flags` | exactly one [`PageKind`] bit |
/// | 10 | 2 | `count` | elements on the page |
/// | 12 | 4 | `overflow` | further pages this one runs on for |
///
/// Integers are in the byte order of the machine that wrote the file.
///
/// Source: bbolt `internal/common/page.go`, struct `Page`, at 4e65d8f.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PageHeader {
    /// Must be the position of the page.
    pub(crate) id: Pgid,
    /// Raw: not yet known to be one of [`PageKind`].
    pub(crate) flags: u16,
    /// Elements on the page.
    pub(crate) count: u16,
    /// Further pages of the run.
    pub(crate) overflow_pages: u32,
}

impl PageHeader {
    /// Bytes of a header.
    pub(crate) const SIZE_BYTES: usize = 16;

    /// Reads the header of `page`; `None` when it is shorter than 16 bytes.
    pub(crate) fn parse(page: &[u8], order: ByteOrder) -> Option<Self> {
        let mut fields = Fields::new(page, order);
        Some(Self {
            id: Pgid(fields.u64()?),
            flags: fields.u16()?,
            count: fields.u16()?,
            overflow_pages: fields.u32()?,
        })
    }
}

/// What is wrong with the bytes of one page.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PageDefect {
    /// It carries another page's id, or none.
    #[error("page carries id {found}")]
    Id {
        /// The id in the header.
        found: Pgid,
    },
    /// Flags are no page kind, or not one that may stand here.
    #[error("page flags are {found:#06x}, expected a branch (0x0001) or leaf (0x0002) page")]
    Flags {
        /// The flags in the header.
        found: u16,
    },
    /// The run ends behind the high water mark.
    #[error("page runs on for {overflow_pages} pages, past the high water mark")]
    Overflow {
        /// Overflow in the header.
        overflow_pages: u32,
    },
    /// The run is longer than any that etcd can write.
    #[error("page runs on for {overflow_pages} pages, more than any that etcd writes")]
    RunTooLong {
        /// Overflow in the header.
        overflow_pages: u32,
    },
    /// The element table does not fit.
    #[error("page has {count} elements, more than fit on it")]
    Count {
        /// Count in the header.
        count: u16,
    },
    /// Key or value lies outside the page, or not right behind its neighbour.
    #[error("element {index} does not begin where the one before ends, or ends outside the page")]
    ElementBounds {
        /// Position in the element table.
        index: u16,
    },
    /// Flags of a leaf element other than 0 (value) and 1 (bucket).
    #[error("element {index} has flags {found:#010x}, expected 0 or 1")]
    ElementFlags {
        /// Position in the element table.
        index: u16,
        /// The flags found.
        found: u32,
    },
    /// A key longer than bbolt takes.
    #[error("element {index} has a key of {found} bytes, expected 32768 at most")]
    KeyTooLong {
        /// Position in the element table.
        index: u16,
        /// Its length.
        found: u32,
    },
    /// A bucket among the values of a bucket; etcd has none.
    #[error("page holds a bucket inside a bucket")]
    NestedBucket,
    /// An element without a key.
    #[error("element {index} has an empty key")]
    EmptyKey {
        /// Position in the element table.
        index: u16,
    },
    /// A branch without children, or a leaf below a branch without elements.
    #[error("page has no elements")]
    Empty,
    /// The value of a bucket element is shorter than a bucket header, or its inline page is malformed.
    #[error("element {index} is a malformed bucket")]
    Bucket {
        /// Position in the element table.
        index: u16,
    },
    /// Pages overlap so much that examining them all would take many times the file's length.
    #[error("page is one of too many overlapping runs to be examined")]
    Unexamined,
    /// Nothing is known of the page but that its header is not that of a page in use.
    #[error("page is no branch or leaf page with its own id")]
    NoPage,
}
