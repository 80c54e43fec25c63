//! What can be wrong with the tree, and the list of what was found.

use super::page::{PageDefect, Pgid};

/// Defects that are described one by one; of the others only the number is kept.
const MAX_DESCRIBED: usize = 256;

/// Something wrong with the tree, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TreeDefect {
    /// The page it is about.
    pub(crate) page: Pgid,
    /// Pages from the root of the bucket down to it, itself excluded.
    pub(crate) path: Vec<Pgid>,
    /// Bucket whose tree it stands in; `None` for the root bucket and the freelist.
    pub(crate) bucket: Option<Vec<u8>>,
    /// Keys that are lost or out of reach with it: from (inclusive), to (exclusive).
    pub(crate) keys: (Option<Vec<u8>>, Option<Vec<u8>>),
    /// What is wrong.
    pub(crate) kind: TreeDefectKind,
}

/// What can be wrong with the tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TreeDefectKind {
    /// A page in use is malformed.
    #[error("{0}")]
    Page(PageDefect),
    /// Keys on the page do not ascend.
    #[error("keys on the page do not ascend")]
    NotAscending,
    /// First key smaller than the parent says.
    #[error("first key is smaller than the key of the page in its parent")]
    BelowRange,
    /// Last key not smaller than the next page's key in the parent.
    #[error("last key is not smaller than the key of the next page in the parent")]
    AboveRange,
    /// A reference to page 0, 1, or behind the high water mark.
    #[error("page id lies outside the file's {pages} pages")]
    OutOfRange {
        /// Pages that a reference may lead to.
        pages: u64,
    },
    /// Reached a second time: two parents, a cycle, or the run of another page.
    #[error("page is used twice")]
    Twice,
    /// Branches below branches without end.
    #[error("page lies deeper in the tree than any that bbolt writes")]
    TooDeep,
    /// In use and in the freelist.
    #[error("page is in use and free at once")]
    UsedAndFree,
    /// The stored freelist cannot be read.
    #[error("freelist: {0}")]
    Freelist(PageDefect),
    /// Ids of the freelist out of order, twice, or out of range.
    #[error("freelist names page {0} out of order, twice, or outside the file")]
    FreelistId(Pgid),
    /// A freelist is stored and does not name the page, and no tree reaches it.
    #[error("page is neither in use nor free, and {others} others")]
    Lost {
        /// How many more such pages there are.
        others: u64,
    },
}

impl TreeDefect {
    /// A defect that says nothing of a path, a bucket or keys.
    pub(super) fn of_page(page: Pgid, kind: TreeDefectKind) -> Self {
        Self {
            page,
            path: Vec::new(),
            bucket: None,
            keys: (None, None),
            kind,
        }
    }
}

/// The first defects, and how many more there were.
#[derive(Debug, Default)]
pub(super) struct TreeDefects {
    pub(super) described: Vec<TreeDefect>,
    pub(super) undescribed: u64,
}

impl TreeDefects {
    pub(super) fn report(&mut self, defect: TreeDefect) {
        if self.described.len() < MAX_DESCRIBED {
            self.described.push(defect);
        } else {
            self.undescribed += 1;
        }
    }

    pub(super) fn report_page(&mut self, page: Pgid, kind: TreeDefectKind) {
        self.report(TreeDefect::of_page(page, kind));
    }
}
