//! Which clusters the known backups are of, and by what names they can be called.

use super::Candidate;
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

    /// True when `wanted` is the id, the infrastructure name, or that name without the five random
    /// characters which the installer appends.
    pub(crate) fn answers_to(&self, wanted: &str) -> bool {
        let is_id = self
            .id
            .as_deref()
            .is_some_and(|id| id.eq_ignore_ascii_case(wanted));
        let is_name = self.name.as_deref().is_some_and(|name| {
            name == wanted || without_suffix(name).is_some_and(|short| short == wanted)
        });
        is_id || is_name
    }

    /// True when both can be the same cluster, one of them perhaps knowing less.
    fn agrees_with(&self, other: &Self) -> bool {
        match (&self.id, &other.id) {
            (Some(left), Some(right)) => left == right,
            _ => self.name.is_some() && self.name == other.name,
        }
    }
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
