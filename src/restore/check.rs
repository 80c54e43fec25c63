//! The choice of the pre-restore check: which backup, how to restore it, and what speaks against the others.

use super::plan::Plan;
use crate::backup::{Backup, Verdict};
use crate::selection::{
    KnownCluster, NearMiss, Outcome, Scope, Selected, Selection, TargetVersion, known_clusters,
    nearest_misses,
};
use chrono::{DateTime, TimeDelta, Utc};

/// Backups this close together are taken for one moment: among them a valid one is better than one with warnings.
const ONE_MOMENT: TimeDelta = TimeDelta::minutes(10);

/// The answer to: is there a backup that will work, which, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct RestoreCheck {
    /// What is to be restored.
    pub version: TargetVersion,
    /// The cluster, when one was named.
    pub cluster: Option<String>,
    /// The backup to use.
    pub chosen: Option<Selected>,
    /// Everything that was looked at, the chosen one included, newest first.
    pub candidates: Vec<Selected>,
    /// How to restore the chosen backup.
    pub plan: Option<Plan>,
    /// What to know about the selection.
    pub notes: Vec<String>,
}

/// Backups of several clusters qualify: which one is dead only the user knows.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "backups of {count} clusters qualify for {version}: {names}",
    count = clusters.len(),
    names = names(clusters)
)]
pub struct SeveralClusters {
    /// What is to be restored.
    pub version: TargetVersion,
    /// Those that have a backup of it.
    pub clusters: Vec<KnownCluster>,
}

impl RestoreCheck {
    /// Chooses among `backups`: the newest that qualifies for `version`.
    ///
    /// # Errors
    ///
    /// Backups of several clusters qualify, and `selection` names none of them.
    pub fn new(
        backups: Vec<Backup>,
        version: TargetVersion,
        selection: Selection,
        now: DateTime<Utc>,
    ) -> Result<Self, SeveralClusters> {
        let cluster = selection.cluster.clone();
        let selection = Selection {
            valid_for: Some(version.clone()),
            scope: Scope::All,
            ..selection
        };
        let Outcome { shown, notes, .. } = selection.apply(backups, now);
        if cluster.is_none() {
            one_cluster(&shown, &version)?;
        }
        let chosen = choose(&shown).cloned();
        let plan = chosen
            .as_ref()
            .and_then(|chosen| Plan::of(&chosen.backup, None, now));
        Ok(Self {
            version,
            cluster,
            chosen,
            candidates: shown,
            plan,
            notes,
        })
    }

    /// What does not qualify, nearest first.
    pub fn near_misses(&self) -> Vec<NearMiss<'_>> {
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

fn one_cluster(candidates: &[Selected], version: &TargetVersion) -> Result<(), SeveralClusters> {
    let qualified: Vec<Backup> = candidates
        .iter()
        .filter(|one| one.qualifies())
        .map(|one| one.backup.clone())
        .collect();
    let clusters = known_clusters(&qualified);
    if clusters.len() < 2 {
        return Ok(());
    }
    Err(SeveralClusters {
        version: version.clone(),
        clusters,
    })
}

fn names(clusters: &[KnownCluster]) -> String {
    let names: Vec<String> = clusters.iter().map(ToString::to_string).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::Version;
    use crate::fixture::{at, digest, healthy, only};
    use crate::openshift::Cluster;

    /// A backup of 4.17.3 that is so many hours old.
    fn backup(seed: u64, hours: i64, verdict: Verdict) -> Backup {
        let backup = only(healthy());
        Backup {
            digest: Some(digest(seed)),
            taken_at: at("2024-11-09T03:00:00Z").checked_sub_signed(TimeDelta::hours(hours)),
            findings: Vec::new(),
            verdict,
            version: Version {
                openshift: Some("4.17.3".to_owned()),
                ..backup.version
            },
            ..backup
        }
    }

    fn check(backups: Vec<Backup>) -> Result<RestoreCheck, SeveralClusters> {
        let version = "4.17.3".parse().expect("a version");
        let now = at("2024-11-10T00:00:00Z");
        RestoreCheck::new(backups, version, Selection::default(), now)
    }

    #[test]
    fn the_same_moment_prefers_the_valid_backup() {
        let warned = backup(1, 0, Verdict::Warning);
        for (hours, expected) in [(0, 2), (3, 1)] {
            let backups = vec![backup(2, hours, Verdict::Valid), warned.clone()];
            let chosen = check(backups).expect("one cluster").chosen;
            let chosen = chosen.and_then(|one| one.backup.digest);
            assert_eq!(chosen, Some(digest(expected)), "{hours} h apart");
        }
    }

    #[test]
    fn which_of_several_clusters_is_dead_is_not_guessed() {
        let ours = backup(1, 0, Verdict::Valid);
        let mut theirs = backup(2, 1, Verdict::Valid);
        if let Some(half) = &mut theirs.snapshot {
            half.facts.cluster = Cluster {
                id: Some("another".to_owned()),
                infrastructure_name: Some("lab-abcde".to_owned()),
                ..half.facts.cluster.clone()
            };
        }
        let error = check(vec![ours, theirs]).expect_err("two clusters");
        assert_eq!(error.clusters.len(), 2);
        let text = error.to_string();
        assert!(
            text.starts_with("backups of 2 clusters qualify for 4.17.3: lab-abcde (another), "),
            "{text}"
        );
    }
}
