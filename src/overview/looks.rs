//! Whose files are looked at: of very many backups those that an answer rests on.
//!
//! Whether files have come or gone, directories tell of all. That one was rewritten in its place only a question for each
//! file tells, two for each backup: of a hundred thousand, half of all the time that a list takes, and on a share over a
//! network minutes. So beyond a number that is looked at whole, backups are told as they were judged, and counted.

use super::glance::Seen;
use super::sight::at;
use crate::selection::{Halves, UsableKind, is_told_by_place, sort_newest_first_by};
use std::collections::{HashMap, HashSet};

/// Whose files are looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Looks {
    /// Those of every backup that is shown.
    All,
    /// Those of so many, the newest that are shown; and of each cluster and version those of the newest that a choice would
    /// fall on.
    Newest(usize),
}

impl Looks {
    /// For lists. So many are asked for in some hundredths of a second.
    pub(crate) const USUAL: Self = Self::Newest(10_000);

    /// Chooses them, and sorts what is more than all is looked at of, the newest first. What lies far is never looked at.
    pub(super) fn choose(self, seen: &mut [Seen], near: &[bool]) {
        match self {
            Self::Newest(limit) if limit < seen.len() => {
                sort_newest_first_by(seen, |seen| &seen.summary);
                choose_newest(seen, near, limit);
                name_ties(seen);
            }
            _ => {
                for seen in seen {
                    seen.is_looked_at = seen.is_shown;
                    seen.is_named = true;
                }
            }
        }
    }
}

fn choose_newest(newest_first: &mut [Seen], near: &[bool], limit: usize) {
    let mut left = limit;
    let mut met = HashSet::new();
    for seen in newest_first {
        // Files that could not be read have nothing but their place.
        seen.is_named = seen.summary.halves == Halves::default();
        if !seen.is_shown {
            continue;
        }
        let is_first = seen.kind.is_some_and(|kind| met.insert((seen.group, kind)));
        if !seen.is_near(near) {
            seen.is_looked_at = true;
        } else if left > 0 || is_first {
            left = left.saturating_sub(1);
            seen.is_looked_at = true;
            seen.is_named = true;
        }
    }
}

/// Names those whose place alone tells which comes first.
fn name_ties(newest_first: &mut [Seen]) {
    let mut rest = newest_first;
    while let [one, others @ ..] = rest {
        if let Some(next) = others.first_mut()
            && is_told_by_place(&one.summary, &next.summary)
        {
            one.is_named = true;
            next.is_named = true;
        }
        rest = others;
    }
}

/// Chooses what a choice would fall on now that files turned out to be rewritten, and up to `ahead` of what comes after
/// each; returns the places of those that were not looked at.
pub(super) fn choose_next(newest_first: &mut [Seen], ahead: usize) -> Vec<usize> {
    let mut left: HashMap<(u32, UsableKind), usize> = HashMap::new();
    let mut chosen = Vec::new();
    for (place, seen) in newest_first.iter_mut().enumerate() {
        let Some(kind) = seen.kind.filter(|_| seen.is_shown) else {
            continue;
        };
        let left = left.entry((seen.group, kind)).or_insert(ahead);
        if seen.is_looked_at {
            *left = 0;
        } else if *left > 0 {
            *left -= 1;
            seen.is_looked_at = true;
            chosen.push(place);
        }
    }
    chosen
}

impl Seen {
    /// One of its files can be looked at.
    fn is_near(&self, near: &[bool]) -> bool {
        let mut places = self.places.iter();
        places.any(|(directory, _)| at(near, *directory) == Some(&true))
    }
}
