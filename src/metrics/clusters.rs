//! What is measured of each cluster.

use super::exposition::label;
use crate::backup::{Backup, Verdict};
use crate::clusters::RunningCluster;
use crate::finding::{Code, Severity};
use crate::selection::{Candidate, KnownCluster, known_clusters};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};

/// Backups that name no cluster.
const NAMELESS: &str = "unknown";

/// One cluster. Two of them never have the same labels.
#[derive(Debug, Default)]
pub(super) struct MeasuredCluster<'b> {
    /// The infrastructure name, else the id.
    pub(super) name: String,
    /// The id; empty when it is not known.
    pub(super) id: String,
    /// The version that is to be restored.
    pub(super) version: Option<String>,
    pub(super) verdicts: BTreeMap<Verdict, u32>,
    pub(super) findings: BTreeMap<(Code, Severity), u32>,
    pub(super) newest_at: Option<DateTime<Utc>>,
    /// By version, the newest backup that restores it.
    pub(super) newest_usable: BTreeMap<String, &'b Backup>,
    pub(super) oldest_proof_at: Option<DateTime<Utc>>,
    pub(super) unpaired_snapshots: u32,
    pub(super) unpaired_kuberesources: u32,
    /// When the backup was taken that `version` is of.
    version_at: Option<DateTime<Utc>>,
}

/// Every cluster that the backups name, by name, then id.
pub(super) fn measured<'b>(
    backups: &'b [Backup],
    running: Option<&RunningCluster>,
) -> Vec<MeasuredCluster<'b>> {
    let mut known = known_clusters(backups);
    if let Some(running) = running
        && !known.iter().any(|one| is_running(one, running))
    {
        known.push(KnownCluster {
            name: None,
            id: Some(running.id.clone()),
        });
    }
    let mut clusters: BTreeMap<(String, String), MeasuredCluster<'b>> = BTreeMap::new();
    for cluster in &known {
        measure_of(&mut clusters, Some(cluster));
    }
    let mut meant: HashMap<KnownCluster, Option<&KnownCluster>> = HashMap::new();
    for backup in backups.iter().filter(|backup| backup.is_present()) {
        let cluster = KnownCluster::of(backup).and_then(|named| {
            let known = known.iter();
            let find = |named: &KnownCluster| known.clone().find(|one| one.agrees_with(named));
            *meant.entry(named).or_insert_with_key(find)
        });
        measure_of(&mut clusters, cluster).add(backup);
    }
    if let Some(running) = running
        && let Some(cluster) = known.iter().find(|one| is_running(one, running))
    {
        measure_of(&mut clusters, Some(cluster)).version = Some(label(&running.version));
    }
    clusters.into_values().collect()
}

fn is_running(cluster: &KnownCluster, running: &RunningCluster) -> bool {
    cluster.id.as_deref() == Some(&running.id)
}

/// The measure of a cluster, begun if there is none.
fn measure_of<'m, 'b>(
    clusters: &'m mut BTreeMap<(String, String), MeasuredCluster<'b>>,
    cluster: Option<&KnownCluster>,
) -> &'m mut MeasuredCluster<'b> {
    let id = cluster.and_then(|cluster| cluster.id.as_deref());
    let name = cluster.and_then(|cluster| cluster.name.as_deref()).or(id);
    let name = label(name.unwrap_or(NAMELESS));
    let id = label(id.unwrap_or_default());
    clusters
        .entry((name.clone(), id.clone()))
        .or_insert_with(|| MeasuredCluster {
            name,
            id,
            ..MeasuredCluster::default()
        })
}

impl<'b> MeasuredCluster<'b> {
    fn add(&mut self, backup: &'b Backup) {
        for mark in Candidate::marks(backup).iter() {
            *self.findings.entry(*mark).or_default() += 1;
        }
        if backup.snapshot.is_none() && backup.kuberesources.is_some() {
            self.unpaired_kuberesources += 1;
            return;
        }
        let is_alone = |code: Code| backup.findings.iter().any(|found| found.code == code);
        self.unpaired_snapshots += u32::from(is_alone(Code::KuberesourcesMissing));
        *self.verdicts.entry(backup.verdict).or_default() += 1;
        self.newest_at = self.newest_at.max(backup.taken_at);
        self.oldest_proof_at = match (self.oldest_proof_at, backup.verified_at) {
            (Some(oldest), Some(own)) => Some(oldest.min(own)),
            (oldest, own) => oldest.or(own),
        };
        if let Some(version) = &backup.version.openshift
            && (self.version.is_none() || backup.taken_at > self.version_at)
        {
            self.version = Some(label(version));
            self.version_at = backup.taken_at;
        }
        if backup.verdict.is_usable() {
            let version = backup.version.openshift.as_deref().unwrap_or_default();
            let newest = self.newest_usable.entry(label(version)).or_insert(backup);
            if backup.taken_at > newest.taken_at {
                *newest = backup;
            }
        }
    }
}
