//! Which clusters some backups are of.

use super::{Candidate, ClusterIndex, KnownCluster, distance};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Every cluster that the backups name, by name, then id.
pub(crate) fn known_clusters<'b, B: Candidate + 'b>(
    backups: impl IntoIterator<Item = &'b B>,
) -> Vec<KnownCluster> {
    let backups = backups.into_iter();
    let distinct: HashSet<_> = backups.filter_map(Candidate::cluster).collect();
    let mut clusters: Vec<KnownCluster> = distinct.into_iter().map(Cow::into_owned).collect();
    // Those that know their id come first, so that a half without one joins them.
    clusters.sort_by_key(|cluster| (cluster.id.is_none(), cluster.clone()));
    let mut index = ClusterIndex::default();
    let mut known: Vec<KnownCluster> = Vec::new();
    for cluster in &clusters {
        if index.agreeing(cluster).is_empty() {
            index.push(cluster);
            known.push(cluster.clone());
        }
    }
    known.sort();
    known
}

/// Values by the cluster that each names: a list for each of `clusters`, in their order, and behind them one for what
/// names none. A value whose cluster can be several is in each of their lists.
pub(crate) fn by_cluster<'v, T: Copy + 'v>(
    clusters: &[KnownCluster],
    values: impl IntoIterator<Item = T>,
    cluster_of: impl Fn(T) -> Option<Cow<'v, KnownCluster>>,
) -> Vec<Vec<T>> {
    let index = ClusterIndex::new(clusters);
    let mut lists: Vec<Vec<T>> = vec![Vec::new(); clusters.len() + 1];
    let mut met: HashMap<Cow<'v, KnownCluster>, Vec<usize>> = HashMap::new();
    for value in values {
        let nameless = [clusters.len()];
        let numbers = match cluster_of(value) {
            None => nameless.as_slice(),
            Some(cluster) => met
                .entry(cluster)
                .or_insert_with_key(|cluster| index.agreeing(cluster))
                .as_slice(),
        };
        for number in numbers {
            if let Some(list) = lists.get_mut(*number) {
                list.push(value);
            }
        }
    }
    lists
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
