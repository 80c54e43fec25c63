//! The revisions of the entries of one page, in some two bytes each, or by both ends where none is absent.

use super::entry::{EntryKind, RevisionEntry};
use super::revision::Revision;
use crate::protobuf::varint;

/// The revisions of the entries of one page.
#[derive(Clone, Debug)]
pub(crate) enum PageOrder<'n> {
    /// Changes, each the next one in its transaction or the first of the next transaction.
    Dense {
        /// Revision of the first one.
        first: Revision,
        /// Revision of the last one.
        last: Revision,
    },
    /// Anything else.
    Sparse(RevisionSteps<'n>),
}

impl PageOrder<'_> {
    /// The smallest revision on the page that can be relied upon.
    pub(crate) fn smallest(&self) -> Option<Revision> {
        match self {
            Self::Dense { first, .. } => Some(*first),
            Self::Sparse(steps) => {
                let sound = steps
                    .clone()
                    .filter(|step| step.kind != EntryKind::Defective);
                sound.map(|step| step.revision).min()
            }
        }
    }

    /// Entries that cannot be read.
    pub(crate) fn defective(&self) -> usize {
        match self {
            Self::Dense { .. } => 0,
            Self::Sparse(steps) => {
                let is_defective = |step: &RevisionStep| step.kind == EntryKind::Defective;
                steps.clone().filter(is_defective).count()
            }
        }
    }
}

/// An entry's place in the order of revisions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RevisionStep {
    /// The entry's revision.
    pub(crate) revision: Revision,
    /// [`EntryKind::Put`] stands for deletions, too.
    pub(crate) kind: EntryKind,
}

const SPARSE: u8 = 0;
const DENSE: u8 = 1;

impl<'n> PageOrder<'n> {
    /// Appends the order of `entries` to `bytes`.
    pub(super) fn push(bytes: &mut Vec<u8>, entries: &[RevisionEntry]) {
        let dense = entries
            .first()
            .zip(entries.last())
            .filter(|_| is_dense(entries));
        if let Some((first, last)) = dense {
            bytes.push(DENSE);
            push_step(bytes, 0, first);
            push_step(bytes, first.revision.main, last);
            return;
        }
        bytes.push(SPARSE);
        let mut main = 0;
        for entry in entries {
            push_step(bytes, main, entry);
            main = entry.revision.main;
        }
    }

    /// Reads what was pushed for a page of `count` entries; `rest` may go on behind it.
    pub(super) fn take(rest: &'n [u8], count: u16) -> Option<Self> {
        let (&form, rest) = rest.split_first()?;
        let mut steps = RevisionSteps {
            rest,
            main: 0,
            left: count,
        };
        if form == SPARSE {
            return Some(Self::Sparse(steps));
        }
        steps.left = 2;
        let (first, last) = (steps.next()?.revision, steps.next()?.revision);
        Some(Self::Dense { first, last })
    }
}

fn is_dense(entries: &[RevisionEntry]) -> bool {
    let follows = |left: Revision, right: Revision| {
        if left.main == right.main {
            right.sub.checked_sub(1) == Some(left.sub)
        } else {
            right.main.checked_sub(1) == Some(left.main) && right.sub == 0
        }
    };
    entries.iter().all(|entry| entry.kind.is_change())
        && entries
            .windows(2)
            .all(|pair| matches!(pair, [left, right] if follows(left.revision, right.revision)))
}

/// Kinds that are told by a byte of their own; nearly all entries are changes.
const BUMP: u8 = 0;
const DEFECTIVE: u8 = 1;

/// Two bytes for most entries: the distance to the revision before, and the position in the transaction.
fn push_step(bytes: &mut Vec<u8>, previous_main: i64, entry: &RevisionEntry) {
    let Revision { main, sub } = entry.revision;
    let mark = match entry.kind {
        EntryKind::Put | EntryKind::Tombstone => None,
        EntryKind::Bump => Some(BUMP),
        EntryKind::Defective => Some(DEFECTIVE),
    };
    varint::push_signed(bytes, main.wrapping_sub(previous_main));
    // Revisions are not negative, so the highest bit is free.
    varint::push(bytes, sub.cast_unsigned() << 1 | u64::from(mark.is_some()));
    bytes.extend(mark);
}

/// The entries of one page, in the order of the page.
#[derive(Clone, Debug)]
pub(crate) struct RevisionSteps<'n> {
    rest: &'n [u8],
    main: i64,
    left: u16,
}

impl Iterator for RevisionSteps<'_> {
    type Item = RevisionStep;

    #[inline]
    fn next(&mut self) -> Option<RevisionStep> {
        self.left = self.left.checked_sub(1)?;
        let distance = varint::take_signed(&mut self.rest)?;
        let sub = varint::take(&mut self.rest)?;
        self.main = self.main.wrapping_add(distance);
        let kind = if sub & 1 == 0 {
            EntryKind::Put
        } else {
            let (&mark, rest) = self.rest.split_first()?;
            self.rest = rest;
            if mark == BUMP {
                EntryKind::Bump
            } else {
                EntryKind::Defective
            }
        };
        let (main, sub) = (self.main, (sub >> 1).cast_signed());
        Some(RevisionStep {
            revision: Revision { main, sub },
            kind,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{PageOrder, RevisionEntry};
    use crate::etcd::Revision;

    #[test]
    fn of_a_page_on_which_no_revision_is_absent_both_ends_are_kept() {
        let put = |main, sub| RevisionEntry {
            revision: Revision { main, sub },
            ..RevisionEntry::PUT
        };
        let is_dense = |entries: &[RevisionEntry]| {
            let mut bytes = Vec::new();
            PageOrder::push(&mut bytes, entries);
            let (first, last) = (entries.first(), entries.last());
            match PageOrder::take(&bytes, 3).expect("was pushed") {
                PageOrder::Dense {
                    first: one,
                    last: other,
                } => {
                    assert_eq!(Some(one), first.map(|entry| entry.revision));
                    assert_eq!(Some(other), last.map(|entry| entry.revision));
                    true
                }
                PageOrder::Sparse(steps) => {
                    assert_eq!(steps.count(), entries.len());
                    false
                }
            }
        };
        assert!(is_dense(&[put(4, 6), put(4, 7), put(5, 0)]));
        assert!(!is_dense(&[put(4, 6), put(4, 7), put(5, 1)]));
        assert!(!is_dense(&[put(4, 6), put(4, 6), put(5, 0)]));
        assert!(!is_dense(&[put(4, 6), put(5, 0), put(7, 0)]));
        assert!(!is_dense(&[put(5, 0), put(4, 0), put(5, 0)]));
    }
}
