//! Which clusters some backups are of.

use super::{Candidate, KnownCluster, distance};
use std::borrow::Cow;
use std::collections::HashSet;

/// Every cluster that the backups name, by name, then id.
pub(crate) fn known_clusters<'b, B: Candidate + 'b>(
    backups: impl IntoIterator<Item = &'b B>,
) -> Vec<KnownCluster> {
    let backups = backups.into_iter();
    let distinct: HashSet<_> = backups.filter_map(Candidate::cluster).collect();
    let mut clusters: Vec<KnownCluster> = distinct.into_iter().map(Cow::into_owned).collect();
    // Those that know their id come first, so that a half without one joins them.
    clusters.sort_by_key(|cluster| (cluster.id.is_none(), cluster.clone()));
    let mut known: Vec<KnownCluster> = Vec::new();
    for cluster in clusters {
        if !known.iter().any(|one| one.agrees_with(&cluster)) {
            known.push(cluster);
        }
    }
    known.sort();
    known
}

/// Somebody meant one cluster and named several.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{} clusters answer to {wanted:?}: {}", clusters.len(), joined(clusters))]
pub struct ClusterAmbiguous {
    /// What was given.
    pub wanted: String,
    /// Those that answer, by name, then id.
    pub clusters: Vec<KnownCluster>,
}

/// The cluster that `wanted` means; `None` when none is called so.
///
/// # Errors
///
/// Several are.
pub fn cluster_meant(
    wanted: &str,
    backups: &[impl Candidate],
) -> Result<Option<KnownCluster>, ClusterAmbiguous> {
    let mut found = known_clusters(backups);
    found.retain(|cluster| cluster.answers_to(wanted));
    if found.len() > 1 {
        return Err(ClusterAmbiguous {
            wanted: wanted.to_owned(),
            clusters: found,
        });
    }
    Ok(found.pop())
}

/// The cluster whose name looks most like `wanted`, when one does.
pub(super) fn nearest_cluster<'k>(
    wanted: &str,
    known: &'k [KnownCluster],
) -> Option<&'k KnownCluster> {
    let wanted = wanted.to_ascii_lowercase();
    let named = known.iter().filter_map(|cluster| {
        let distances = cluster
            .names()
            .map(|name| (distance(&wanted, name), name.len()));
        let near = distances.filter(|(distance, length)| *distance <= 2 || distance * 3 <= *length);
        Some((near.min()?, cluster))
    });
    named.min().map(|(_, cluster)| cluster)
}

pub(super) fn joined(clusters: &[KnownCluster]) -> String {
    let words: Vec<String> = clusters.iter().map(ToString::to_string).collect();
    words.join(", ")
}
