//! The choice of the pre-restore check: which backup, how to restore it, and what speaks against the others.

use super::plan::Plan;
use crate::backup::Backup;
use crate::finding::Code;
use crate::selection::{
    Candidate, ClusterAmbiguous, KnownCluster, NearMiss, Outcome, Scope, Selected, Selection,
    TargetVersion, WhyChosen, cluster_meant, known_clusters, nearest_misses, recommend, risks,
};
use chrono::{DateTime, TimeDelta, Utc};

/// The answer to: is there a backup that will work, which, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct RestoreCheck {
    /// What is to be restored.
    pub version: TargetVersion,
    /// The cluster, when one was named.
    pub cluster: Option<String>,
    /// The backup to use.
    pub chosen: Option<Selected>,
    /// Why that one; `None` when there is none.
    pub why_chosen: Option<WhyChosen>,
    /// How much time is lost by restoring it; `None` when it is not known when it was taken.
    pub lost: Option<TimeDelta>,
    /// Everything of the cluster that was looked at, the chosen one included, newest first.
    pub candidates: Vec<Selected>,
    /// What was looked at and is of other clusters.
    pub elsewhere: Elsewhere,
    /// How to restore the chosen backup.
    pub plan: Option<Plan>,
    /// What to know about the selection.
    pub notes: Vec<String>,
}

/// Backups of other clusters than the one that is to be restored.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Elsewhere {
    /// How many.
    pub backups: usize,
    /// Of which clusters.
    pub clusters: Vec<KnownCluster>,
}

/// Another backup that qualifies.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative<'c> {
    /// The backup.
    pub backup: &'c Backup,
    /// How much newer than the chosen one it is; negative when it is older, `None` when nothing says.
    pub newer_by: Option<TimeDelta>,
    /// What speaks against it.
    pub risks: Vec<Code>,
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

/// Which cluster is to be restored is not clear.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ClusterUnclear {
    /// None was named.
    #[error(transparent)]
    Several(#[from] SeveralClusters),
    /// Several answer to the name that was given.
    #[error(transparent)]
    Ambiguous(#[from] ClusterAmbiguous),
}

impl RestoreCheck {
    /// Chooses among `backups` one that qualifies for `version`, as `recommend` does.
    ///
    /// # Errors
    ///
    /// `selection` names no cluster and backups of several qualify, or several answer to the name.
    pub fn new(
        backups: Vec<Backup>,
        version: TargetVersion,
        selection: Selection,
        now: DateTime<Utc>,
    ) -> Result<Self, ClusterUnclear> {
        let cluster = selection.cluster.clone();
        if let Some(wanted) = &cluster {
            cluster_meant(wanted, &backups)?;
        }
        let selection = Selection {
            valid_for: Some(version.clone()),
            scope: Scope::All,
            ..selection
        };
        let mut elsewhere = Elsewhere::default();
        elsewhere.add(backups.iter().filter(|one| !selection.is_of_cluster(*one)));
        let Outcome {
            shown: mut candidates,
            notes,
            ..
        } = selection.apply(backups, now);
        one_cluster(&candidates, &version)?;
        let (chosen, why_chosen) = choose(&mut candidates, selection.prefer_clean()).unzip();
        if let Some(chosen) = &chosen {
            let ours = KnownCluster::of(&chosen.backup);
            let is_ours = |one: &Selected| can_be_of(ours.as_ref(), &one.backup);
            let (kept, dropped) = candidates.into_iter().partition(is_ours);
            candidates = kept;
            let dropped: Vec<Selected> = dropped;
            elsewhere.add(dropped.iter().map(|one| &one.backup));
        }
        let taken_at = chosen.as_ref().and_then(|one| one.backup.taken_at);
        Ok(Self {
            version,
            cluster,
            chosen,
            why_chosen,
            lost: taken_at.map(|taken_at| now.signed_duration_since(taken_at)),
            candidates,
            elsewhere,
            plan: None,
            notes,
        })
    }

    /// The others that qualify, newest first; what has to be mended comes last.
    pub fn alternatives(&self) -> Vec<Alternative<'_>> {
        let taken_at = self.chosen.as_ref().and_then(|one| one.backup.taken_at);
        let others = self.candidates.iter();
        let mut others: Vec<Alternative<'_>> = others
            .filter(|one| one.qualifies() && !one.is_recommended)
            .map(|one| Alternative {
                backup: &one.backup,
                newer_by: one
                    .backup
                    .taken_at
                    .zip(taken_at)
                    .map(|(other, chosen)| other.signed_duration_since(chosen)),
                risks: risks(&one.backup),
            })
            .collect();
        others.sort_by_key(|one| one.backup.is_mended());
        others
    }

    /// What of the cluster does not qualify, nearest first.
    pub fn near_misses(&self) -> Vec<NearMiss<'_>> {
        nearest_misses(&self.candidates, &self.version)
    }
}

impl Elsewhere {
    fn add<'b>(&mut self, backups: impl Iterator<Item = &'b Backup> + Clone) {
        self.backups = self.backups.saturating_add(backups.clone().count());
        for cluster in known_clusters(backups) {
            if !self.clusters.iter().any(|one| one.agrees_with(&cluster)) {
                self.clusters.push(cluster);
            }
        }
    }
}

/// Marks the one to use, and no other.
fn choose(newest_first: &mut [Selected], prefer_clean: TimeDelta) -> Option<(Selected, WhyChosen)> {
    let qualified = newest_first.iter_mut().filter(|one| one.qualifies());
    let mut qualified: Vec<&mut Selected> = qualified.collect();
    let backups: Vec<&Backup> = qualified.iter().map(|one| &one.backup).collect();
    let (chosen, why) = recommend(&backups, prefer_clean)?;
    for (index, one) in qualified.iter_mut().enumerate() {
        one.is_recommended = index == chosen;
    }
    Some((Selected::clone(qualified.get(chosen)?), why))
}

/// A backup that does not name its cluster may be of any.
fn can_be_of(cluster: Option<&KnownCluster>, backup: &Backup) -> bool {
    match (cluster, backup.cluster()) {
        (Some(cluster), Some(other)) => cluster.agrees_with(&other),
        _ => true,
    }
}

fn one_cluster(candidates: &[Selected], version: &TargetVersion) -> Result<(), SeveralClusters> {
    let qualified = candidates.iter().filter(|one| one.qualifies());
    let clusters = known_clusters(qualified.map(|one| &one.backup));
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
    use crate::backup::{Verdict, Version};
    use crate::digest::Sha256Digest;
    use crate::finding::{Finding, Severity};
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

    fn check(backups: Vec<Backup>) -> Result<RestoreCheck, ClusterUnclear> {
        check_of(backups, None)
    }

    fn check_of(
        backups: Vec<Backup>,
        cluster: Option<&str>,
    ) -> Result<RestoreCheck, ClusterUnclear> {
        let version = "4.17.3".parse().expect("a version");
        let now = at("2024-11-10T00:00:00Z");
        let selection = Selection {
            cluster: cluster.map(str::to_owned),
            ..Selection::default()
        };
        RestoreCheck::new(backups, version, selection, now)
    }

    /// With this finding.
    fn with(backup: Backup, code: Code) -> Backup {
        let finding = Finding::new(code, "found").severity(Severity::Warning);
        Backup {
            findings: vec![finding],
            verdict: Verdict::Warning,
            ..backup
        }
    }

    fn risky(seed: u64, hours: i64) -> Backup {
        with(backup(seed, hours, Verdict::Valid), Code::RolloutInProgress)
    }

    fn chosen(backups: Vec<Backup>) -> (Option<Sha256Digest>, Option<WhyChosen>) {
        let check = check(backups).expect("one cluster");
        let digest = check.chosen.and_then(|one| one.backup.digest);
        (digest, check.why_chosen)
    }

    #[test]
    fn the_newest_without_a_risk_is_chosen_unless_it_is_much_older() {
        let risks = vec![Code::RolloutInProgress];
        let rows = [
            (
                1,
                2,
                WhyChosen::NewestClean {
                    newest_by: TimeDelta::hours(1),
                    risks: risks.clone(),
                },
            ),
            (
                24,
                2,
                WhyChosen::NewestClean {
                    newest_by: TimeDelta::hours(24),
                    risks: risks.clone(),
                },
            ),
            (
                25,
                1,
                WhyChosen::CleanTooOld {
                    older_by: Some(TimeDelta::hours(25)),
                    limit: TimeDelta::hours(24),
                    risks,
                },
            ),
        ];
        for (hours, expected, why) in rows {
            let clean = with(backup(2, hours, Verdict::Valid), Code::DuplicateHost);
            let found = chosen(vec![clean, risky(1, 0)]);
            assert_eq!(
                found,
                (Some(digest(expected)), Some(why)),
                "{hours} h apart"
            );
        }
    }

    #[test]
    fn where_all_have_a_risk_or_none_the_newest_is_chosen() {
        let risks = vec![Code::RolloutInProgress];
        let found = chosen(vec![risky(2, 1), risky(1, 0)]);
        let why = WhyChosen::NoneClean {
            risks: risks.clone(),
        };
        assert_eq!(found, (Some(digest(1)), Some(why)));
        let found = chosen(vec![risky(2, 1), backup(1, 0, Verdict::Warning)]);
        assert_eq!(found, (Some(digest(1)), Some(WhyChosen::Newest)));
        let found = chosen(vec![risky(2, 1)]);
        assert_eq!(found, (Some(digest(2)), Some(WhyChosen::Only { risks })));
        assert_eq!(chosen(Vec::new()), (None, None));
    }

    #[test]
    fn an_accepted_risk_and_one_that_only_informs_count_for_nothing() {
        let mut accepted = risky(1, 0);
        accepted.accepted = vec![Code::RolloutInProgress];
        let mut informed = with(backup(2, 1, Verdict::Valid), Code::PossiblyDirty);
        for finding in &mut informed.findings {
            finding.severity = Severity::Info;
        }
        let found = chosen(vec![informed.clone(), accepted]);
        assert_eq!(found, (Some(digest(1)), Some(WhyChosen::Newest)));
        let found = chosen(vec![informed, risky(1, 0)]).0;
        assert_eq!(found, Some(digest(2)));
    }

    #[test]
    fn of_one_moment_the_larger_revision_is_the_newer() {
        let mut backups = vec![backup(1, 0, Verdict::Valid), backup(2, 0, Verdict::Valid)];
        for (backup, revision) in backups.iter_mut().zip([7, 8]) {
            if let Some(half) = &mut backup.snapshot {
                half.facts.status.revision = Some(revision);
            }
        }
        assert_eq!(chosen(backups).0, Some(digest(2)));
    }

    #[test]
    fn the_others_that_qualify_are_told_with_their_distance() {
        let backups = vec![
            risky(1, 0),
            backup(2, 2, Verdict::Valid),
            backup(3, 12, Verdict::Valid),
            backup(4, 3, Verdict::Invalid),
        ];
        let check = check(backups).expect("one cluster");
        assert_eq!(check.lost, Some(TimeDelta::hours(23)));
        let told = check.alternatives();
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.backup.digest, one.newer_by, one.risks.as_slice()))
            .collect();
        let risks = [Code::RolloutInProgress];
        let expected: [(_, _, &[Code]); 2] = [
            (Some(digest(1)), Some(TimeDelta::hours(2)), &risks),
            (Some(digest(3)), Some(TimeDelta::hours(-10)), &[]),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn other_clusters_are_counted_and_not_told_one_by_one() {
        let ours = backup(1, 0, Verdict::Valid);
        let mut theirs = backup(2, 1, Verdict::Invalid);
        if let Some(half) = &mut theirs.snapshot {
            half.facts.cluster.id = Some("another".to_owned());
        }
        let check = check(vec![ours, theirs]).expect("one cluster");
        assert_eq!(check.elsewhere.backups, 1);
        assert_eq!(check.elsewhere.clusters.len(), 1);
        assert_eq!(check.near_misses(), []);
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
        let text = error.to_string();
        assert!(
            text.starts_with("backups of 2 clusters qualify for 4.17.3: lab-abcde (another), "),
            "{text}"
        );
    }

    /// One that does not qualify counts, too: its cluster may be the dead one.
    #[test]
    fn a_name_that_two_clusters_answer_to_means_neither() {
        let ours = backup(1, 0, Verdict::Valid);
        let ours_name = ours.cluster().and_then(|cluster| cluster.name.clone());
        let mut theirs = backup(2, 1, Verdict::Invalid);
        if let Some(half) = &mut theirs.snapshot {
            half.facts.cluster.id = Some("another".to_owned());
        }
        let name = ours_name.expect("a name");
        let error = check_of(vec![ours, theirs], Some(&name)).expect_err("two clusters");
        assert!(matches!(error, ClusterUnclear::Ambiguous(_)), "{error}");
    }
}
