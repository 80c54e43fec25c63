//! The order of revisions: is every one there, and none twice.
//!
//! Above the compaction revision etcd removes nothing, so every main revision has its entries, and subs count from 0.

use super::compaction::Compaction;
use super::entry::EntryKind;
use super::page_order::{PageOrder, RevisionStep};
use super::record_defect::{DefectLog, RecordDefectKind};
use super::revision::Revision;
use crate::bbolt::Pgid;

/// First main revision of a store that was never compacted: etcd starts counting at 1, before the first change.
const FIRST_MAIN: i64 = 2;

/// Takes the entries of all pages in the order of revisions, and looks for what is not there.
#[derive(Debug)]
pub(crate) struct RevisionOrder {
    /// Nothing above it has been removed; `i64::MAX` when it is not known.
    compact: i64,
    /// Entries that are there but cannot be read, and were not yet taken for one that is absent.
    unreadable: u64,
    /// The last entry that can be relied upon.
    last: Option<Revision>,
    pub(super) newest: Option<Revision>,
    pub(super) defective_entries: u64,
    pub(super) log: DefectLog,
}

impl RevisionOrder {
    pub(super) fn new(compaction: Option<Compaction>, unreadable: u64) -> Self {
        Self {
            compact: Compaction::floor(compaction),
            unreadable,
            last: None,
            newest: None,
            defective_entries: 0,
            log: DefectLog::default(),
        }
    }

    /// Takes the entries of the next page, sorted by revision unless they are.
    pub(crate) fn page(&mut self, page: Pgid, order: PageOrder<'_>, is_ordered: bool) {
        match order {
            PageOrder::Dense { first, last } => self.dense(page, first, last),
            PageOrder::Sparse(steps) if is_ordered => {
                steps.for_each(|step| self.step(page, step));
            }
            PageOrder::Sparse(steps) => {
                let mut steps: Vec<_> = steps.collect();
                steps.sort_by_key(|step| step.revision);
                steps.into_iter().for_each(|step| self.step(page, step));
            }
        }
    }

    /// Of revisions that follow one another the first tells what is absent before all of them.
    fn dense(&mut self, page: Pgid, first: Revision, last: Revision) {
        let kind = EntryKind::Put;
        self.step(
            page,
            RevisionStep {
                revision: first,
                kind,
            },
        );
        self.newest = self.newest.max(Some(last).filter(|at| at.main > 0));
        self.last = self.last.max(Some(last));
    }

    /// Takes the next entry.
    fn step(&mut self, page: Pgid, step: RevisionStep) {
        let (revision, compact) = (step.revision, self.compact);
        self.newest = self.newest.max(Some(revision).filter(|at| at.main > 0));
        if step.kind == EntryKind::Defective {
            self.defective_entries += 1;
            return;
        }
        if self.last == Some(revision) {
            self.log.report(revision, page, RecordDefectKind::Repeated);
        }
        // What stands behind a greater one is out of order, which its page tells.
        if self.last < Some(revision) {
            if revision.main > compact {
                self.check_density(page, revision);
            }
            self.last = Some(revision);
        }
        // etcd takes it for an entry of the empty key, so compaction keeps it for ever: lawful at the compaction
        // revision that the restore set, and below any later one.
        if step.kind == EntryKind::Bump && revision.main > compact {
            self.log.report(revision, page, RecordDefectKind::StrayBump);
        }
    }

    /// Takes a revision above the compaction and greater than the last one: it must be the next one.
    fn check_density(&mut self, page: Pgid, revision: Revision) {
        let last = self.last.filter(|last| last.main > self.compact);
        if let Some(last) = last.filter(|last| last.main == revision.main) {
            // No overflow: both of these are smaller than a revision that exists.
            self.check_sub(page, revision, last.sub + 1);
            return;
        }
        let before = last.map_or(self.compact.max(FIRST_MAIN - 1), |last| last.main);
        let absent = revision.main - before - 1;
        if absent > 0 && !explain(&mut self.unreadable, absent) {
            let gap = RecordDefectKind::RevisionGap {
                from: before + 1,
                to: revision.main - 1,
            };
            self.log.report(revision, page, gap);
        }
        self.check_sub(page, revision, 0);
    }

    fn check_sub(&mut self, page: Pgid, revision: Revision, expected: i64) {
        let absent = revision.sub - expected;
        if absent > 0 && !explain(&mut self.unreadable, absent) {
            let gap = RecordDefectKind::SubGap { expected };
            self.log.report(revision, page, gap);
        }
    }
}

/// Each entry that is there but cannot be read may be what is absent elsewhere: a gap that such entries explain is not
/// told a second time.
pub(super) fn explain(unreadable: &mut u64, absent: i64) -> bool {
    let rest = u64::try_from(absent)
        .ok()
        .and_then(|absent| unreadable.checked_sub(absent));
    if let Some(rest) = rest {
        *unreadable = rest;
    }
    rest.is_some()
}

#[cfg(test)]
mod tests {
    use super::{RevisionOrder, RevisionStep};
    use crate::bbolt::Pgid;
    use crate::etcd::record_defect::RecordDefectKind;
    use crate::etcd::{Compaction, EntryKind, Revision};

    fn defects(compacted: i64, unreadable: u64, revisions: &[(i64, i64)]) -> Vec<RecordDefectKind> {
        let compaction = Compaction {
            scheduled: Some(compacted),
            finished: Some(compacted),
        };
        let mut order = RevisionOrder::new(Some(compaction), unreadable);
        for &(main, sub) in revisions {
            let step = RevisionStep {
                revision: Revision { main, sub },
                kind: EntryKind::Put,
            };
            order.step(Pgid(5), step);
        }
        let found = order.log.losses.into_sorted().into_iter();
        let found = found.chain(order.log.contradictions.into_sorted());
        found.map(|defect| defect.kind).collect()
    }

    #[test]
    fn what_is_absent_above_the_compaction_is_told() {
        use RecordDefectKind as K;
        assert_eq!(defects(5, 0, &[(2, 0), (4, 7), (6, 0), (6, 1), (7, 0)]), []);
        assert_eq!(
            defects(5, 0, &[(8, 0)]),
            [K::RevisionGap { from: 6, to: 7 }]
        );
        assert_eq!(defects(5, 0, &[(6, 1)]), [K::SubGap { expected: 0 }]);
        assert_eq!(
            defects(5, 0, &[(6, 0), (6, 2)]),
            [K::SubGap { expected: 1 }]
        );
        assert_eq!(defects(5, 0, &[(6, 0), (6, 0)]), [K::Repeated]);
        // A store that was never compacted begins at 2.
        assert_eq!(defects(0, 0, &[(2, 0)]), []);
        assert_eq!(
            defects(0, 0, &[(3, 0)]),
            [K::RevisionGap { from: 2, to: 2 }]
        );
    }

    #[test]
    fn entries_that_cannot_be_read_explain_as_many_that_are_absent() {
        use RecordDefectKind as K;
        assert_eq!(defects(5, 2, &[(8, 0)]), []);
        assert_eq!(
            defects(5, 1, &[(8, 0)]),
            [K::RevisionGap { from: 6, to: 7 }]
        );
    }
}
