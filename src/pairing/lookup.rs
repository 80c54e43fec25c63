//! Indexes over the kuberesources, so that no snapshot has to look at all of them.

use super::rank::{NEAR_SECONDS, PlaceStamps};
use super::stamp::RunStamp;
use crate::backup::Located;
use crate::inventory::{Inventory, KuberesourcesIndex, SnapshotIndex};
use crate::source::ObjectId;
use std::collections::HashMap;
use std::ffi::OsStr;

/// Candidates looked at in one list. More halves than this of one stamp and one cluster are no real run;
/// the bound keeps a hostile tree from making pairing quadratic.
const MAX_CANDIDATES: usize = 32;

/// Kuberesources by what a snapshot can know of its partner.
///
/// Lists longer than [`MAX_CANDIDATES`] ascend by path (by stamp where entries carry one), so that the entries
/// nearest to a snapshot can be found.
pub(super) struct PartnerLookup<'a> {
    inventory: &'a Inventory,
    names: &'a PlaceStamps,
    by_stamp: HashMap<i64, Vec<KuberesourcesIndex>>,
    by_stamp_and_cluster: HashMap<(i64, Option<&'a str>), Vec<KuberesourcesIndex>>,
    unstamped_by_cluster: HashMap<&'a str, Vec<KuberesourcesIndex>>,
    stamped_by_cluster: HashMap<&'a str, Vec<(i64, KuberesourcesIndex)>>,
    by_directory: HashMap<&'a OsStr, Vec<KuberesourcesIndex>>,
    unstamped_by_directory: HashMap<&'a OsStr, Vec<KuberesourcesIndex>>,
}

impl<'a> PartnerLookup<'a> {
    /// Sorts all kuberesources in.
    pub(super) fn new(inventory: &'a Inventory, names: &'a PlaceStamps) -> Self {
        let mut lookup = Self {
            inventory,
            names,
            by_stamp: HashMap::new(),
            by_stamp_and_cluster: HashMap::new(),
            unstamped_by_cluster: HashMap::new(),
            stamped_by_cluster: HashMap::new(),
            by_directory: HashMap::new(),
            unstamped_by_directory: HashMap::new(),
        };
        // Only a snapshot without stamp looks for archives by cluster or directory.
        let has_unstamped = names.snapshots.iter().any(Vec::is_empty);
        for (index, stamps) in (0..).map(KuberesourcesIndex).zip(&names.kuberesources) {
            lookup.add(index, stamps, has_unstamped);
        }
        lookup.sort();
        lookup
    }

    fn add(&mut self, index: KuberesourcesIndex, stamps: &[RunStamp], has_unstamped: bool) {
        let Some(kuberesources) = index.of(&self.inventory.kuberesources) else {
            return;
        };
        let cluster = kuberesources.facts.infrastructure_name.as_deref();
        for stamp in stamps {
            put(
                self.by_stamp.entry(stamp.at.timestamp()).or_default(),
                index,
            );
        }
        if has_unstamped {
            for directory in directories(kuberesources) {
                put(self.by_directory.entry(directory).or_default(), index);
            }
            let of_cluster = stamps.iter().zip(cluster.into_iter().cycle());
            for (stamp, cluster) in of_cluster {
                self.stamped_by_cluster
                    .entry(cluster)
                    .or_default()
                    .push((stamp.at.timestamp(), index));
            }
        }
        if stamps.is_empty() {
            for directory in directories(kuberesources) {
                put(
                    self.unstamped_by_directory.entry(directory).or_default(),
                    index,
                );
            }
            if let Some(cluster) = cluster {
                put(self.unstamped_by_cluster.entry(cluster).or_default(), index);
            }
        }
    }

    fn sort(&mut self) {
        self.stamped_by_cluster
            .values_mut()
            .for_each(|list| list.sort_unstable());
        // A fleet that backs up at the same second everywhere is told apart by cluster.
        for (&seconds, list) in self
            .by_stamp
            .iter()
            .filter(|(_, list)| list.len() > MAX_CANDIDATES)
        {
            for &index in list {
                let kuberesources = index.of(&self.inventory.kuberesources);
                let facts = kuberesources.map(|kuberesources| &kuberesources.facts);
                let cluster = facts.and_then(|facts| facts.infrastructure_name.as_deref());
                self.by_stamp_and_cluster
                    .entry((seconds, cluster))
                    .or_default()
                    .push(index);
            }
        }
        let inventory = self.inventory;
        let lists = self
            .by_stamp
            .values_mut()
            .chain(self.by_stamp_and_cluster.values_mut())
            .chain(self.unstamped_by_cluster.values_mut())
            .chain(self.by_directory.values_mut())
            .chain(self.unstamped_by_directory.values_mut());
        for list in lists.filter(|list| list.len() > MAX_CANDIDATES) {
            list.sort_unstable_by_key(|&index| place(inventory, index));
        }
    }

    /// Kuberesources that could belong to a snapshot, each once.
    pub(super) fn candidates(&self, index: SnapshotIndex) -> Vec<KuberesourcesIndex> {
        let (Some(snapshot), Some(stamps)) = (
            index.of(&self.inventory.snapshots),
            index.of(&self.names.snapshots),
        ) else {
            return Vec::new();
        };
        let cluster = snapshot.facts.cluster.infrastructure_name.as_deref();
        let mut found = Vec::new();
        for stamp in stamps {
            self.of_stamp(stamp.at.timestamp(), cluster, &snapshot.path, &mut found);
        }
        self.near_stamps(stamps, cluster, &snapshot.path, &mut found);
        if let Some(list) = cluster.and_then(|cluster| self.unstamped_by_cluster.get(cluster)) {
            found.extend(self.near(list, &snapshot.path));
        }
        let by_directory = if stamps.is_empty() {
            &self.by_directory
        } else {
            &self.unstamped_by_directory
        };
        if !by_directory.is_empty() {
            for list in directories(snapshot).filter_map(|directory| by_directory.get(directory)) {
                found.extend(self.near(list, &snapshot.path));
            }
        }
        let stamped = cluster
            .filter(|_| stamps.is_empty())
            .and_then(|cluster| self.stamped_by_cluster.get(cluster));
        if let Some(list) = stamped {
            let taken_at = snapshot.facts.taken_at();
            found.extend(around(list, taken_at.map_or(i64::MAX, |at| at.timestamp())));
        }
        if found.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    /// Archives of the same cluster whose stamps are nearly those of a snapshot, where none has the same one.
    fn near_stamps(
        &self,
        stamps: &[RunStamp],
        cluster: Option<&str>,
        id: &ObjectId,
        found: &mut Vec<KuberesourcesIndex>,
    ) {
        let Some(cluster) = cluster else {
            return;
        };
        let is_of_cluster = |index: &KuberesourcesIndex| {
            let kuberesources = index.of(&self.inventory.kuberesources);
            kuberesources
                .is_some_and(|half| half.facts.infrastructure_name.as_deref() == Some(cluster))
        };
        if found.iter().any(is_of_cluster) {
            return;
        }
        let mut near = Vec::new();
        for stamp in stamps {
            for seconds in (1..=NEAR_SECONDS).flat_map(|apart| [-apart, apart]) {
                let at = stamp.at.timestamp().saturating_add(seconds);
                self.of_stamp(at, Some(cluster), id, &mut near);
            }
        }
        found.extend(near.into_iter().filter(is_of_cluster).take(MAX_CANDIDATES));
    }

    fn of_stamp(
        &self,
        seconds: i64,
        cluster: Option<&str>,
        id: &ObjectId,
        found: &mut Vec<KuberesourcesIndex>,
    ) {
        let Some(list) = self.by_stamp.get(&seconds) else {
            return;
        };
        if list.len() <= MAX_CANDIDATES {
            found.extend(list);
        } else if cluster.is_none() {
            found.extend(self.near(list, id));
        } else {
            let lists =
                [cluster, None].map(|cluster| self.by_stamp_and_cluster.get(&(seconds, cluster)));
            for list in lists.into_iter().flatten() {
                found.extend(self.near(list, id));
            }
        }
    }

    /// Entries around `id`: neighbours in the order of paths share the longest prefix.
    fn near<'l>(&self, list: &'l [KuberesourcesIndex], id: &ObjectId) -> &'l [KuberesourcesIndex] {
        if list.len() <= MAX_CANDIDATES {
            return list;
        }
        let middle =
            list.partition_point(|&index| place(self.inventory, index) < Some(id.as_os_str()));
        window(list, middle)
    }
}

fn place(inventory: &Inventory, index: KuberesourcesIndex) -> Option<&OsStr> {
    let kuberesources = index.of(&inventory.kuberesources)?;
    Some(kuberesources.path.as_os_str())
}

fn directories<T>(located: &Located<T>) -> impl Iterator<Item = &OsStr> {
    located.places().filter_map(ObjectId::directory)
}

/// Adds an index once: the places of one half follow each other.
fn put(list: &mut Vec<KuberesourcesIndex>, index: KuberesourcesIndex) {
    if list.last() != Some(&index) {
        list.push(index);
    }
}

/// Entries of a list that ascends by seconds, around `seconds`.
fn around(
    list: &[(i64, KuberesourcesIndex)],
    seconds: i64,
) -> impl Iterator<Item = KuberesourcesIndex> {
    let middle = list.partition_point(|entry| entry.0 < seconds);
    window(list, middle).iter().map(|entry| entry.1)
}

fn window<T>(list: &[T], middle: usize) -> &[T] {
    let start = middle.saturating_sub(MAX_CANDIDATES / 2);
    let end = start.saturating_add(MAX_CANDIDATES).min(list.len());
    list.get(start.min(end)..end).unwrap_or(&[])
}
