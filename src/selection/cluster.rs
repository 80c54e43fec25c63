//! Which clusters the known backups are of, and by what names they can be called.

use crate::backup::Backup;
use serde::{Deserialize, Serialize};
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
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let name = self.name.as_deref();
        let short = name.and_then(without_suffix);
        name.into_iter().chain(short).chain(self.id.as_deref())
    }

    /// True when both can be the same cluster, one of them perhaps knowing less.
    pub fn agrees_with(&self, other: &Self) -> bool {
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
