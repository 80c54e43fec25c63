//! A visit of one page: what the branches above say of it, and whether the page keeps to that.

use super::key_store::StoredKey;
use super::note::{PageNote, PageNotes};
use super::page::{PageDefect, Pgid};
use super::tree_defect::{TreeDefect, TreeDefectKind};

/// Deepest tree that is walked. A branch page holds dozens of children, so a real tree has five levels at most.
const MAX_DEPTH: usize = 32;

/// A page to visit and the range that its keys must lie in.
pub(super) struct PageVisit<'n> {
    pub(super) page: Pgid,
    pub(super) depth: usize,
    from: Option<StoredKey<'n>>,
    to: Option<StoredKey<'n>>,
}

impl<'n> PageVisit<'n> {
    /// The visit of the root page of a bucket: nothing stands above it.
    pub(super) fn of_root(page: Pgid) -> Self {
        Self {
            page,
            depth: 0,
            from: None,
            to: None,
        }
    }

    /// A page below the root must have elements, and the tree an end.
    pub(super) fn check_depth(&self, note: &PageNote) -> Result<(), TreeDefectKind> {
        if note.count == 0 && self.depth > 0 {
            Err(TreeDefectKind::Page(PageDefect::Empty))
        } else if self.depth > MAX_DEPTH {
            Err(TreeDefectKind::TooDeep)
        } else {
            Ok(())
        }
    }

    /// Do the keys of the page ascend, and stay inside the range?
    pub(super) fn check_order(
        &self,
        note: &PageNote,
        notes: &PageNotes,
    ) -> Result<(), TreeDefectKind> {
        if !note.is_ascending {
            return Err(TreeDefectKind::NotAscending);
        }
        let Some((first, last)) = span(note, notes) else {
            return Ok(());
        };
        let (from, to) = (self.from.as_ref(), self.to.as_ref());
        if from.is_some_and(|from| first.as_slice() < from.as_slice()) {
            return Err(TreeDefectKind::BelowRange);
        }
        if to.is_some_and(|to| last.as_slice() >= to.as_slice()) {
            return Err(TreeDefectKind::AboveRange);
        }
        Ok(())
    }

    /// Pushes the children of a branch so that the one with the smallest keys is visited first.
    pub(super) fn push_children(
        &self,
        note: &PageNote,
        notes: &'n PageNotes,
        visits: &mut Vec<Self>,
    ) {
        let base = visits.len();
        for (page, key) in notes.children(note) {
            if let Some(previous) = visits.get_mut(base..).and_then(<[Self]>::last_mut) {
                previous.to = Some(key.clone());
            }
            visits.push(Self {
                page,
                depth: self.depth + 1,
                from: Some(key),
                to: None,
            });
        }
        if let Some(children) = visits.get_mut(base..) {
            if let Some(last) = children.last_mut() {
                last.to.clone_from(&self.to);
            }
            children.reverse();
        }
    }

    /// A defect of the page, with all that is known of where it stands.
    pub(super) fn defect(
        &self,
        path: &[Pgid],
        bucket: Option<&[u8]>,
        kind: TreeDefectKind,
    ) -> TreeDefect {
        let bytes = |key: &Option<StoredKey<'_>>| key.as_ref().map(|key| key.as_slice().to_vec());
        TreeDefect {
            page: self.page,
            path: path.to_vec(),
            bucket: bucket.map(<[u8]>::to_vec),
            keys: (bytes(&self.from), bytes(&self.to)),
            kind,
        }
    }
}

/// First and last key of a page; `None` when it has none.
fn span<'n>(note: &PageNote, notes: &'n PageNotes) -> Option<(StoredKey<'n>, StoredKey<'n>)> {
    if !note.is_branch {
        return notes.leaf_span(note);
    }
    let mut keys = notes.children(note).map(|(_, key)| key);
    let first = keys.next()?;
    let last = keys.last().unwrap_or_else(|| first.clone());
    Some((first, last))
}
