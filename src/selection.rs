//! Which of the known backups somebody means: filters, references, and what counts as qualified.
//!
//! Everything here is pure. It judges nothing itself: verdicts come with the backups.

mod candidate;
mod choice;
mod cluster;
mod cluster_index;
mod distance;
mod explanation;
mod known_clusters;
mod near_miss;
mod reason;
mod reference;
mod summary;
mod target;
mod versions;

pub use candidate::{Candidate, Halves};
pub(crate) use choice::{PREFER_CLEAN, UsableKind, recommend};
pub use choice::{WhyChosen, risks};
pub use cluster::KnownCluster;
pub(crate) use cluster_index::ClusterIndex;
pub use distance::distance;
pub use explanation::REASONS;
pub use known_clusters::{ClusterAmbiguous, cluster_meant};
pub(crate) use known_clusters::{by_cluster, known_clusters};
pub use near_miss::NearMiss;
pub(crate) use near_miss::nearest_misses;
pub use reason::Reason;
pub use reference::{ResolveError, resolve, resolve_name};
pub use summary::{Judged, Place, Summary};
pub use target::TargetError;
pub use target::TargetVersion;
pub use versions::{KnownVersion, known_versions};

use crate::backup::Backup;
use chrono::{DateTime, TimeDelta, Utc};
use std::cmp::{Ordering, Reverse};

/// What was asked for on the command line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// Only backups that can restore exactly this version qualify.
    pub valid_for: Option<TargetVersion>,
    /// Only backups of this cluster: its id, its infrastructure name, or that without the suffix.
    pub cluster: Option<String>,
    /// Only backups taken at or after this instant.
    pub since: Option<DateTime<Utc>>,
    /// Only backups at most this old.
    pub max_age: Option<TimeDelta>,
    /// How much older than the newest a backup without a risk may be to be recommended; `None`: `PREFER_CLEAN`.
    pub prefer_clean: Option<TimeDelta>,
    /// Whether to show also what is usually left out.
    pub scope: Scope,
}

/// How much of what is known is shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Scope {
    /// Every snapshot that is still there; with a target, only what qualifies.
    #[default]
    Usual,
    /// Also orphans, records without files and, with a target, the others with the reason against each.
    All,
}

/// One backup and whether it is what was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected<B = Backup> {
    /// The backup.
    pub backup: B,
    /// Why it does not qualify, most telling first; `None` when there is no target to qualify for.
    pub reasons_against: Option<Vec<Reason>>,
    /// Of those of its cluster that qualify, the one to restore from.
    pub is_recommended: bool,
}

impl<B> Selected<B> {
    /// True when there is a target and nothing speaks against this backup.
    pub fn qualifies(&self) -> bool {
        self.reasons_against.as_ref().is_some_and(Vec::is_empty)
    }

    /// True when the version is all that speaks against it.
    pub fn is_other_version_only(&self) -> bool {
        match self.reasons_against.as_deref() {
            Some([reason]) => matches!(reason, Reason::OtherVersion { .. }),
            _ => false,
        }
    }
}

/// What a selection comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<B = Backup> {
    /// What is to be shown, newest first.
    pub shown: Vec<Selected<B>>,
    /// What was looked at and left out, newest first. Backups of other clusters are in neither list.
    pub hidden: Vec<Selected<B>>,
    /// How many more are left out, which were only counted.
    pub left_out: usize,
    /// What the reader should know about the selection itself, one sentence each.
    pub notes: Vec<String>,
}

impl<B> Outcome<B> {
    /// How many of the shown backups qualify for the target.
    pub fn qualified(&self) -> usize {
        self.shown.iter().filter(|one| one.qualifies()).count()
    }

    /// How many backups are left out.
    pub fn not_shown(&self) -> usize {
        self.hidden.len().saturating_add(self.left_out)
    }
}

impl Selection {
    /// For what was read just now: nothing of it is left out, except by a target that was asked for.
    #[must_use]
    pub fn of_what_was_read(self) -> Self {
        let scope = match self.valid_for {
            Some(_) => self.scope,
            None => Scope::All,
        };
        Self { scope, ..self }
    }

    /// Applies the selection as of `now`; the result is newest first, and of what qualifies for a target that which has to
    /// be staged to be what was saved comes last.
    pub fn apply<B: Candidate>(&self, mut backups: Vec<B>, now: DateTime<Utc>) -> Outcome<B> {
        // They are taken out from the end.
        let mut oldest_first = newest_first_order(&backups, B::taken_at, newest_first);
        oldest_first.reverse();
        permute(&mut backups, oldest_first);
        let count = backups.len();
        // What is not used of it is no memory, and growing would take it twice.
        let mut outcome = Outcome {
            notes: self.cluster_notes(&backups),
            shown: Vec::with_capacity(count),
            hidden: Vec::with_capacity(count),
            left_out: 0,
        };
        for backup in last_first(backups) {
            if !self.is_of_cluster(&backup) {
                continue;
            }
            let reasons_against = self.reasons_against(&backup, now);
            let is_shown = self.shows(&backup, reasons_against.as_deref(), now);
            let selected = Selected {
                backup,
                reasons_against,
                is_recommended: false,
            };
            if is_shown {
                outcome.shown.push(selected);
            } else {
                outcome.hidden.push(selected);
            }
        }
        if self.valid_for.is_some() && self.scope != Scope::All {
            outcome.shown.sort_by_key(|one| one.backup.is_mended());
        }
        if self.valid_for.is_some() {
            self.mark_recommended(&mut outcome.shown);
        }
        outcome
    }

    /// How much older than the newest a backup without a risk may be.
    pub(crate) fn prefer_clean(&self) -> TimeDelta {
        self.prefer_clean.unwrap_or(PREFER_CLEAN)
    }

    /// Marks the choice of each cluster.
    fn mark_recommended<B: Candidate>(&self, newest_first: &mut [Selected<B>]) {
        let qualified: Vec<(usize, &B)> = newest_first
            .iter()
            .enumerate()
            .filter(|(_, one)| one.qualifies())
            .map(|(index, one)| (index, &one.backup))
            .collect();
        let mut recommended = Vec::new();
        let clusters = known_clusters(qualified.iter().map(|(_, backup)| *backup));
        // What does not name its cluster is for itself.
        let own = by_cluster(&clusters, qualified.iter().copied(), |(_, backup)| {
            backup.cluster()
        });
        for own in own {
            let (indexes, of_cluster): (Vec<usize>, Vec<&B>) = own.into_iter().unzip();
            let choice = recommend(&of_cluster, self.prefer_clean());
            recommended.extend(choice.and_then(|(chosen, _)| indexes.get(chosen)).copied());
        }
        for index in recommended {
            if let Some(selected) = newest_first.get_mut(index) {
                selected.is_recommended = true;
            }
        }
    }

    /// True when [`apply`](Self::apply) would show this backup.
    pub(crate) fn would_show(&self, backup: &impl Candidate, now: DateTime<Utc>) -> bool {
        self.is_of_cluster(backup)
            && self.shows(backup, self.reasons_against(backup, now).as_deref(), now)
    }

    /// True unless a cluster was named and this backup is of another, or of an unknown one.
    pub(crate) fn is_of_cluster(&self, backup: &impl Candidate) -> bool {
        let Some(wanted) = &self.cluster else {
            return true;
        };
        let cluster = backup.cluster();
        cluster.is_some_and(|cluster| cluster.answers_to(wanted))
    }

    fn reasons_against(&self, backup: &impl Candidate, now: DateTime<Utc>) -> Option<Vec<Reason>> {
        let target = self.valid_for.as_ref()?;
        Some(reason::against(
            backup,
            target,
            self.is_too_old(backup, now),
        ))
    }

    /// A backup of unknown age is too old for any limit.
    fn is_too_old(&self, backup: &impl Candidate, now: DateTime<Utc>) -> bool {
        let oldest_by_age = self.max_age.and_then(|age| now.checked_sub_signed(age));
        let Some(oldest) = self.since.max(oldest_by_age) else {
            return false;
        };
        backup.taken_at().is_none_or(|taken_at| taken_at < oldest)
    }

    fn shows(
        &self,
        backup: &impl Candidate,
        reasons_against: Option<&[Reason]>,
        now: DateTime<Utc>,
    ) -> bool {
        if let Some(reasons) = reasons_against {
            return self.scope == Scope::All || reasons.is_empty();
        }
        if self.is_too_old(backup, now) {
            return false;
        }
        let halves = backup.halves();
        let is_lone_kuberesources = halves.snapshot.is_none() && halves.kuberesources.is_some();
        let is_usual = !is_lone_kuberesources && backup.is_present();
        self.scope == Scope::All || is_usual
    }

    fn cluster_notes(&self, backups: &[impl Candidate]) -> Vec<String> {
        let Some(wanted) = &self.cluster else {
            return Vec::new();
        };
        let known = known_clusters(backups);
        let matching: Vec<&KnownCluster> = known
            .iter()
            .filter(|cluster| cluster.answers_to(wanted))
            .collect();
        match (matching.as_slice(), known.as_slice()) {
            ([_], _) => Vec::new(),
            ([], []) => vec![format!(
                "no backup names its cluster, so none can be of cluster {wanted:?}"
            )],
            ([], _) => {
                let nearest = known_clusters::nearest_cluster(wanted, &known);
                let meant =
                    nearest.map_or_else(String::new, |one| format!("; did you mean {one}?"));
                let known = known_clusters::joined(&known);
                vec![format!(
                    "no backup is of cluster {wanted:?}, known are {known}{meant}"
                )]
            }
            (several, _) => vec![format!(
                "{} clusters answer to {wanted:?}: {}; give the id to select one",
                several.len(),
                join(several.iter().copied())
            )],
        }
    }
}

fn join<'a>(clusters: impl Iterator<Item = &'a KnownCluster>) -> String {
    clusters
        .map(ToString::to_string)
        .collect::<Vec<String>>()
        .join(", ")
}

/// Sorts by the moment of the snapshot, newest first, unknown last; those of one moment by revision, then by id.
pub fn sort_newest_first(backups: &mut [impl Candidate]) {
    sort_newest_first_by(backups, Candidate::taken_at, newest_first);
}

/// Sorts things so by when they were taken; `ties` compares those of one second.
pub(crate) fn sort_newest_first_by<T>(
    things: &mut [T],
    taken_at: impl Fn(&T) -> Option<DateTime<Utc>>,
    ties: impl Fn(&T, &T) -> Ordering,
) {
    let order = newest_first_order(things, taken_at, ties);
    permute(things, order);
}

/// The places of things in the order of lists.
///
/// What decides for nearly all of them, the second, is copied next to each other: they themselves lie all over the memory.
fn newest_first_order<T>(
    things: &[T],
    taken_at: impl Fn(&T) -> Option<DateTime<Utc>>,
    ties: impl Fn(&T, &T) -> Ordering,
) -> Vec<usize> {
    // Before all that chrono knows comes what is not known.
    let second = |thing: &T| taken_at(thing).map_or(i64::MIN, |at| at.timestamp());
    let mut seconds: Vec<_> = things
        .iter()
        .map(|one| Reverse(second(one)))
        .zip(0..)
        .collect();
    seconds.sort_by(|(left, place), (right, other)| {
        let tie = || match (things.get(*place), things.get(*other)) {
            (Some(left), Some(right)) => ties(left, right),
            _ => Ordering::Equal,
        };
        left.cmp(right).then_with(tie)
    });
    seconds.into_iter().map(|(_, place)| place).collect()
}

/// The order of lists.
fn newest_first(left: &impl Candidate, right: &impl Candidate) -> Ordering {
    let by_moment = moment(left).cmp(&moment(right));
    by_moment.then_with(|| of_one_moment(left, right))
}

/// Time and revision, the newest first.
type Moment = Reverse<(Option<DateTime<Utc>>, Option<i64>)>;

fn moment(backup: &impl Candidate) -> Moment {
    Reverse((backup.taken_at(), backup.revision()))
}

/// The order of two of one moment.
fn of_one_moment(left: &impl Candidate, right: &impl Candidate) -> Ordering {
    let by_digest = left.digest().cmp(&right.digest());
    // Paths are put together only where nothing else tells two apart.
    by_digest.then_with(|| left.place().cmp(&right.place()))
}

/// Takes them out, and gives back memory on the way.
fn last_first<T>(mut values: Vec<T>) -> impl Iterator<Item = T> {
    std::iter::from_fn(move || {
        let value = values.pop();
        if values.len().is_multiple_of(GIVEN_BACK) {
            values.shrink_to_fit();
        }
        value
    })
}

/// Puts at each place what `order` names for it; sorting such large values themselves would take them twice.
///
/// Each one is moved once: from place to place as `order` leads, until it leads back.
fn permute<T>(values: &mut [T], mut order: Vec<usize>) {
    for start in 0..order.len() {
        let mut place = start;
        while let Some(entry) = order.get_mut(place) {
            let from = std::mem::replace(entry, place);
            if from == start || from == place {
                break;
            }
            values.swap(place, from);
            place = from;
        }
    }
}

/// Values whose memory is given back at once.
const GIVEN_BACK: usize = 4096;

#[cfg(test)]
mod tests;
