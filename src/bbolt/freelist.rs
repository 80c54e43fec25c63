//! The stored freelist: ids of free pages.

use super::page::{PageDefect, PageHeader, Pgid};
use crate::bytes::{ByteOrder, to_usize};

/// Count in the page header that says: the true count is the first integer of the page.
const COUNT_IN_PAGE: u16 = 0xFFFF;

/// What a freelist page says.
#[derive(Debug)]
pub(super) struct Freelist {
    /// Free pages in the order of the file.
    pub(super) ids: Vec<Pgid>,
    /// Further pages of its own run. bbolt takes one more than it needs when the ids fill the last page exactly.
    pub(super) overflow_pages: u32,
}

/// Reads the ids of a freelist page run, header included, in the order of the file.
///
/// | offset | bytes | field | meaning |
/// |---|---|---|---|
/// | 16 | 8 | count | only when the header's count is 0xFFFF |
/// | 16 or 24 | 8 each | ids | free pages, ascending; runs are listed page by page |
///
/// Source: bbolt `internal/common/page.go`, `FreelistPageIds`, at 4e65d8f.
///
/// # Errors
///
/// [`PageDefect::Count`] when there are fewer bytes than ids.
pub(super) fn parse(
    run: &[u8],
    header: &PageHeader,
    order: ByteOrder,
) -> Result<Freelist, PageDefect> {
    let defect = PageDefect::Count {
        count: header.count,
    };
    let ids = run.get(PageHeader::SIZE_BYTES..).ok_or(defect)?;
    let mut numbers = ids.as_chunks::<8>().0.iter().map(|&id| order.u64(id));
    let count = match header.count {
        COUNT_IN_PAGE => to_usize(numbers.next().ok_or(defect)?),
        count => usize::from(count),
    };
    if numbers.len() < count {
        return Err(defect);
    }
    Ok(Freelist {
        ids: numbers.take(count).map(Pgid).collect(),
        overflow_pages: header.overflow_pages,
    })
}
