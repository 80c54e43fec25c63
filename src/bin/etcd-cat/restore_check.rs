//! The choice of the pre-restore check: which backup, and what speaks against the others.

use chrono::{DateTime, TimeDelta, Utc};
use etcd_cat::backup::{Backup, Verdict};
use etcd_cat::restore::Plan;
use etcd_cat::selection::{
    NearMiss, Outcome, Scope, Selected, Selection, TargetVersion, nearest_misses,
};

/// Backups this close together are taken for one moment: among them a valid one is better than one with warnings.
const ONE_MOMENT: TimeDelta = TimeDelta::minutes(10);

/// The answer to: is there a backup that will work, which, and how.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RestoreCheck {
    /// What is to be restored.
    pub(crate) version: TargetVersion,
    /// The cluster, when one was named.
    pub(crate) cluster: Option<String>,
    /// The backup to use.
    pub(crate) chosen: Option<Selected>,
    /// Everything that was looked at, the chosen one included, newest first.
    pub(crate) candidates: Vec<Selected>,
    /// How to restore the chosen backup.
    pub(crate) plan: Option<Plan>,
    /// What to know about the selection.
    pub(crate) notes: Vec<String>,
}

impl RestoreCheck {
    /// Chooses among `backups`: the newest that qualifies.
    pub(crate) fn new(
        version: TargetVersion,
        selection: Selection,
        backups: Vec<Backup>,
        now: DateTime<Utc>,
    ) -> Self {
        let cluster = selection.cluster.clone();
        let selection = Selection {
            valid_for: Some(version.clone()),
            scope: Scope::All,
            ..selection
        };
        let Outcome { shown, notes, .. } = selection.apply(backups, now);
        Self {
            version,
            cluster,
            chosen: choose(&shown).cloned(),
            candidates: shown,
            plan: None,
            notes,
        }
    }

    /// What does not qualify, nearest first.
    pub(crate) fn near_misses(&self) -> Vec<NearMiss<'_>> {
        nearest_misses(&self.candidates, &self.version)
    }
}

/// The newest that qualifies; a valid one of the same moment before one with warnings.
fn choose(newest_first: &[Selected]) -> Option<&Selected> {
    let mut qualified = newest_first.iter().filter(|one| one.qualifies());
    let newest = qualified.next()?;
    let is_of_its_moment = |other: &&Selected| match (newest.backup.taken_at, other.backup.taken_at)
    {
        (Some(newest), Some(other)) => newest.signed_duration_since(other) <= ONE_MOMENT,
        _ => false,
    };
    let is_valid = |one: &&Selected| one.backup.verdict == Verdict::Valid;
    if is_valid(&newest) {
        return Some(newest);
    }
    Some(
        qualified
            .take_while(is_of_its_moment)
            .find(is_valid)
            .unwrap_or(newest),
    )
}
