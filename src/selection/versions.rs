//! Which versions there are to be restored, for each cluster.

use super::{Candidate, KnownCluster, known_clusters};
use chrono::{DateTime, Utc};

/// A version that usable backups of one cluster can restore.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownVersion {
    /// The whole version.
    pub version: String,
    /// How many usable backups of it there are.
    pub backups: u64,
    /// When the newest of them was taken.
    pub newest_at: Option<DateTime<Utc>>,
}

/// The clusters with their versions, that of the newest usable backup first.
pub fn known_versions<B: Candidate>(backups: &[B]) -> Vec<(KnownCluster, Vec<KnownVersion>)> {
    let clusters = known_clusters(backups).into_iter();
    clusters
        .map(|cluster| {
            let versions = versions_of(&cluster, backups);
            (cluster, versions)
        })
        .collect()
}

fn versions_of(cluster: &KnownCluster, backups: &[impl Candidate]) -> Vec<KnownVersion> {
    let mut versions: Vec<KnownVersion> = Vec::new();
    for backup in backups {
        let is_of_cluster = backup
            .cluster()
            .is_some_and(|other| cluster.agrees_with(&other));
        let Some(version) = backup.version().openshift.as_ref() else {
            continue;
        };
        if !is_of_cluster || !backup.is_restorable() {
            continue;
        }
        let taken_at = backup.taken_at();
        match versions.iter_mut().find(|known| known.version == *version) {
            Some(known) => {
                known.backups = known.backups.saturating_add(1);
                known.newest_at = known.newest_at.max(taken_at);
            }
            None => versions.push(KnownVersion {
                version: version.clone(),
                backups: 1,
                newest_at: taken_at,
            }),
        }
    }
    versions.sort_by(|left, right| {
        let newest_first = right.newest_at.cmp(&left.newest_at);
        newest_first.then_with(|| left.version.cmp(&right.version))
    });
    versions
}
