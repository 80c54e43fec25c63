//! Whose files are looked at: of very many backups those that an answer rests on.
//!
//! Whether files have come or gone, directories tell of all. That one was rewritten in its place only a question for each
//! file tells, two for each backup: of a hundred thousand, half of all the time that a list takes, and on a share over a
//! network minutes. So beyond a number that is looked at whole, backups are told as they were judged, and counted.

use super::record::OverviewRow;
use super::seen::Seen;
use crate::selection::{Halves, Summary, UsableKind, sort_newest_first_by};
use foldhash::fast::RandomState;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// Whose files are looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Looks {
    /// Those of every backup that is shown.
    All,
    /// Those of so many, the newest that are shown.
    Newest(usize),
    /// Besides those of what a choice would fall on in each cluster, and in the version that it has now: the newest usable one
    /// of each kind.
    NewestAndChoices(usize),
}

/// So many are asked for in some hundredths of a second.
const LOOKED_AT: usize = 5000;

impl Looks {
    /// For a list, which leaves choosing to who reads it.
    pub(crate) const OF_LIST: Self = Self::Newest(LOOKED_AT);
    /// For an answer that chooses.
    pub(crate) const OF_CHOICE: Self = Self::NewestAndChoices(LOOKED_AT);

    /// The newest first, where not all of them may be looked at.
    pub(super) fn sort(self, rows: &mut [(u32, OverviewRow)]) {
        if self.limit() >= rows.len() {
            return;
        }
        let moment = |row: &OverviewRow| Reverse((row.taken_at, row.revision));
        sort_newest_first_by(
            rows,
            |(_, row)| row.taken_at,
            |(_, left), (_, right)| {
                let by_moment = moment(left).cmp(&moment(right));
                by_moment.then_with(|| left.digest.cmp(&right.digest))
            },
        );
    }

    /// Chooses among what was sorted. What lies far is never looked at.
    pub(super) fn choose(self, seen: &mut [Seen], summaries: &[Summary], near: &[bool]) {
        if self.limit() < seen.len() {
            let has_choices = matches!(self, Self::NewestAndChoices(_));
            choose_newest(seen, self.limit(), has_choices, near);
            name_some(seen, summaries);
            return;
        }
        for seen in seen {
            seen.is_looked_at = seen.is_shown;
            seen.is_named = true;
        }
    }

    fn limit(self) -> usize {
        match self {
            Self::All => usize::MAX,
            Self::Newest(limit) | Self::NewestAndChoices(limit) => limit,
        }
    }
}

fn choose_newest(newest_first: &mut [Seen], limit: usize, has_choices: bool, near: &[bool]) {
    let mut left = limit;
    let mut choices = Choices::default();
    let mut met: HashSet<Choice, RandomState> = HashSet::default();
    for seen in newest_first.iter_mut().filter(|seen| seen.is_shown) {
        let fallen = choices.that_fall_on(seen).filter(|_| has_choices);
        // All of them are met.
        let is_first = fallen.filter(|choice| met.insert(*choice)).count() > 0;
        if !seen.is_near(near) {
            seen.is_looked_at = true;
        } else if left > 0 || is_first {
            left = left.saturating_sub(1);
            seen.is_looked_at = true;
            seen.is_named = true;
        }
    }
}

/// Of one cluster, all of it or one of its groups: the newest usable one of a kind.
type Choice = (Option<u32>, Option<u32>, UsableKind);

/// Choices are made of all backups of a cluster, or among those of the version that the newest of them has.
#[derive(Default)]
struct Choices {
    /// The group of the newest backup with a version, by cluster.
    newest: HashMap<Option<u32>, u32, RandomState>,
}

impl Choices {
    /// Those that may fall on a backup. The newer ones were asked before it.
    fn that_fall_on(&mut self, seen: &Seen) -> impl Iterator<Item = Choice> + use<> {
        let (cluster, group) = (seen.cluster, seen.group);
        let newest = if seen.has_version {
            Some(*self.newest.entry(cluster).or_insert(group))
        } else {
            None
        };
        let scopes = [Some(None), newest.filter(|one| *one == group).map(Some)];
        let kind = seen.kind;
        let choices = scopes.into_iter().flatten();
        choices.filter_map(move |scope| Some((cluster, scope, kind?)))
    }
}

/// Names besides what has nothing but its place, and those whose place alone tells which comes first.
fn name_some(newest_first: &mut [Seen], summaries: &[Summary]) {
    let mut last: Option<(&mut Seen, &Summary)> = None;
    for (seen, summary) in newest_first.iter_mut().zip(summaries) {
        seen.is_named |= summary.halves == Halves::default();
        if let Some((other, before)) = last
            && is_told_by_place(before, summary)
        {
            other.is_named = true;
            seen.is_named = true;
        }
        last = Some((seen, summary));
    }
}

fn is_told_by_place(left: &Summary, right: &Summary) -> bool {
    let told = |one: &Summary| (one.taken_at, one.revision, one.digest);
    told(left) == told(right)
}

/// Chooses what a choice would fall on now that files turned out to be rewritten, and up to `ahead` of what comes after
/// each; returns the places of those that were not looked at.
pub(super) fn choose_next(newest_first: &mut [Seen], ahead: usize) -> Vec<usize> {
    let mut choices = Choices::default();
    let mut left: HashMap<Choice, usize, RandomState> = HashMap::default();
    let mut chosen = Vec::new();
    let seen = newest_first.iter_mut().enumerate();
    for (place, seen) in seen.filter(|(_, seen)| seen.is_shown) {
        let mut is_next = false;
        for choice in choices.that_fall_on(seen) {
            let left = left.entry(choice).or_insert(ahead);
            if seen.is_looked_at {
                *left = 0;
            }
            is_next |= *left > 0;
            *left = left.saturating_sub(1);
        }
        if is_next {
            seen.is_looked_at = true;
            chosen.push(place);
        }
    }
    chosen
}
