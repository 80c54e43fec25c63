//! Which clusters the known backups are of, and by what names they can be called.

use super::{Candidate, distance};
use crate::backup::Backup;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;

/// A cluster as at least one backup names it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct KnownCluster {
    /// The infrastructure name, such as `prod-x7k2p`.
    pub name: Option<String>,
    /// The cluster id, a UUID; kuberesources alone do not know it.
    pub id: Option<String>,
}

impl KnownCluster {
    /// The cluster of one backup; `None` when neither half names it.
    pub fn of(backup: &Backup) -> Option<Self> {
        let cluster = backup.snapshot.as_ref().map(|half| &half.facts.cluster);
        let kuberesources = backup.kuberesources.as_ref().map(|half| &half.facts);
        let name = cluster
            .and_then(|cluster| cluster.infrastructure_name.clone())
            .or_else(|| kuberesources.and_then(|half| half.infrastructure_name.clone()));
        let id = cluster.and_then(|cluster| cluster.id.clone());
        (name.is_some() || id.is_some()).then_some(Self { name, id })
    }

    /// True when `wanted` is the id or its first characters, the infrastructure name, or that name without the five
    /// random characters which the installer appends; upper and lower case are the same.
    pub(crate) fn answers_to(&self, wanted: &str) -> bool {
        let id = self.id.as_deref();
        id.is_some_and(|id| begins_with(id, wanted)) || self.is_named(wanted)
    }

    fn is_named(&self, wanted: &str) -> bool {
        let is_same = |name: &str| name.eq_ignore_ascii_case(wanted);
        let name = self.name.as_deref();
        name.is_some_and(|name| is_same(name) || without_suffix(name).is_some_and(is_same))
    }

    /// What it can be called by: the name as it is and without the suffix, and the id.
    fn names(&self) -> impl Iterator<Item = &str> {
        let name = self.name.as_deref();
        let short = name.and_then(without_suffix);
        name.into_iter().chain(short).chain(self.id.as_deref())
    }

    /// True when both can be the same cluster, one of them perhaps knowing less.
    fn agrees_with(&self, other: &Self) -> bool {
        match (&self.id, &other.id) {
            (Some(left), Some(right)) => left == right,
            _ => self.name.is_some() && self.name == other.name,
        }
    }
}

/// Shorter beginnings of an id mean nothing.
const MIN_ID_CHARACTERS: usize = 4;

fn begins_with(id: &str, wanted: &str) -> bool {
    let beginning = id.get(..wanted.len());
    wanted.len() >= MIN_ID_CHARACTERS
        && beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(wanted))
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

fn without_suffix(name: &str) -> Option<&str> {
    let (short, suffix) = name.rsplit_once('-')?;
    (suffix.len() == 5).then_some(short)
}

impl fmt::Display for KnownCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.id) {
            (Some(name), Some(id)) => write!(f, "{name} ({id})"),
            (Some(only), None) | (None, Some(only)) => f.write_str(only),
            (None, None) => f.write_str("unknown"),
        }
    }
}

/// Every cluster that the backups name, by name, then id.
pub(crate) fn known_clusters(backups: &[impl Candidate]) -> Vec<KnownCluster> {
    let distinct: HashSet<_> = backups.iter().filter_map(Candidate::cluster).collect();
    let mut clusters: Vec<KnownCluster> = distinct
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect();
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
