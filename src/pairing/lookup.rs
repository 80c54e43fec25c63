//! Indexes over the kuberesources, so that no snapshot has to look at all of them.

use super::cluster::{ClusterNumber, ClusterNumbers};
use super::index_lists::IndexLists;
use super::rank::{NEAR_SECONDS, PlaceStamps};
use super::stamp::RunStamp;
use crate::backup::Located;
use crate::inventory::{Inventory, KuberesourcesIndex, SnapshotIndex};
use crate::kuberesources::Kuberesources;
use crate::source::ObjectId;
use foldhash::fast::RandomState;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
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
    clusters: &'a ClusterNumbers,
    by_stamp: IndexLists<i64>,
    /// All stamps, ascending.
    seconds: Vec<i64>,
    by_stamp_and_cluster: IndexLists<(i64, Option<ClusterNumber>)>,
    unstamped_by_cluster: IndexLists<ClusterNumber>,
    stamped_by_cluster: HashMap<ClusterNumber, Vec<(i64, KuberesourcesIndex)>, RandomState>,
    by_directory: IndexLists<&'a OsStr>,
    unstamped_by_directory: IndexLists<&'a OsStr>,
}

/// What is known of the kuberesources, not yet in lists.
#[derive(Default)]
struct Entries<'a> {
    by_stamp: Vec<(i64, KuberesourcesIndex)>,
    unstamped_by_cluster: Vec<(ClusterNumber, KuberesourcesIndex)>,
    stamped_by_cluster: HashMap<ClusterNumber, Vec<(i64, KuberesourcesIndex)>, RandomState>,
    by_directory: Vec<(&'a OsStr, KuberesourcesIndex)>,
    unstamped_by_directory: Vec<(&'a OsStr, KuberesourcesIndex)>,
}

impl<'a> PartnerLookup<'a> {
    /// Sorts all kuberesources in.
    pub(super) fn new(
        inventory: &'a Inventory,
        names: &'a PlaceStamps,
        clusters: &'a ClusterNumbers,
    ) -> Self {
        // Only a snapshot without stamp looks for archives by cluster or directory.
        let has_unstamped = names.snapshots.iter().any(<[RunStamp]>::is_empty);
        let mut entries = Entries::default();
        entries.by_stamp.reserve(inventory.kuberesources.len());
        let halves = inventory.kuberesources.iter();
        let halves = (0..).map(KuberesourcesIndex).zip(halves);
        for ((index, half), stamps) in halves.zip(names.kuberesources.iter()) {
            let cluster = clusters.of_kuberesources(index);
            entries.add((index, half), stamps, cluster, has_unstamped);
        }
        for list in entries.stamped_by_cluster.values_mut() {
            list.sort_unstable();
        }
        let by_stamp = IndexLists::new(entries.by_stamp);
        let mut seconds: Vec<i64> = by_stamp.keys().collect();
        seconds.sort_unstable();
        let mut lookup = Self {
            inventory,
            names,
            clusters,
            by_stamp_and_cluster: by_stamp_and_cluster(&by_stamp, clusters),
            by_stamp,
            seconds,
            unstamped_by_cluster: IndexLists::new(entries.unstamped_by_cluster),
            stamped_by_cluster: entries.stamped_by_cluster,
            by_directory: IndexLists::new(entries.by_directory),
            unstamped_by_directory: IndexLists::new(entries.unstamped_by_directory),
        };
        lookup.sort_long_lists();
        lookup
    }

    fn sort_long_lists(&mut self) {
        let inventory = self.inventory;
        let place = |index| place(inventory, index);
        // With a cluster, lists by stamp alone are not looked at when they are long.
        let nameless = self.stamps_of_nameless();
        self.by_stamp
            .sort_longer_than(MAX_CANDIDATES, |at| nameless.contains(at), place);
        self.by_stamp_and_cluster
            .sort_longer_than(MAX_CANDIDATES, |_| true, place);
        self.unstamped_by_cluster
            .sort_longer_than(MAX_CANDIDATES, |_| true, place);
        self.by_directory
            .sort_longer_than(MAX_CANDIDATES, |_| true, place);
        self.unstamped_by_directory
            .sort_longer_than(MAX_CANDIDATES, |_| true, place);
    }

    /// Stamps of snapshots that do not name their cluster.
    fn stamps_of_nameless(&self) -> HashSet<i64, RandomState> {
        let snapshots = (0..).map(SnapshotIndex).zip(self.names.snapshots.iter());
        let nameless = snapshots.filter(|(index, _)| self.clusters.of_snapshot(*index).is_none());
        let stamps = nameless.flat_map(|(_, stamps)| stamps);
        stamps.map(|stamp| stamp.at.timestamp()).collect()
    }

    /// Puts the kuberesources that could belong to a snapshot into `found`, each once, ascending.
    pub(super) fn find(&self, index: SnapshotIndex, found: &mut Vec<KuberesourcesIndex>) {
        found.clear();
        let Some(snapshot) = index.of(&self.inventory.snapshots) else {
            return;
        };
        let stamps = self.names.of_snapshot(index);
        let cluster = self.clusters.of_snapshot(index);
        for stamp in stamps {
            self.of_stamp(stamp.at.timestamp(), cluster, &snapshot.path, found);
        }
        self.near_stamps(stamps, cluster, &snapshot.path, found);
        if let Some(cluster) = cluster.filter(|_| !self.unstamped_by_cluster.is_empty()) {
            let list = self.unstamped_by_cluster.of(&cluster);
            found.extend(self.near(list, &snapshot.path));
        }
        let by_directory = if stamps.is_empty() {
            &self.by_directory
        } else {
            &self.unstamped_by_directory
        };
        if !by_directory.is_empty() {
            for directory in directories(snapshot) {
                found.extend(self.near(by_directory.of(&directory), &snapshot.path));
            }
        }
        let stamped = cluster
            .filter(|_| stamps.is_empty())
            .and_then(|cluster| self.stamped_by_cluster.get(&cluster));
        if let Some(list) = stamped {
            let taken_at = snapshot.facts.taken_at();
            found.extend(around(list, taken_at.map_or(i64::MAX, |at| at.timestamp())));
        }
        if found.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
    }

    /// Archives of the same cluster whose stamps are nearly those of a snapshot, where none has the same one.
    fn near_stamps(
        &self,
        stamps: &[RunStamp],
        cluster: Option<ClusterNumber>,
        id: &ObjectId,
        found: &mut Vec<KuberesourcesIndex>,
    ) {
        if cluster.is_none() {
            return;
        }
        let is_of_cluster =
            |index: &KuberesourcesIndex| self.clusters.of_kuberesources(*index) == cluster;
        if found.iter().any(is_of_cluster) {
            return;
        }
        let mut near = Vec::new();
        for stamp in stamps {
            for at in self.seconds_near(stamp.at.timestamp()) {
                self.of_stamp(at, cluster, id, &mut near);
            }
        }
        found.extend(near.into_iter().filter(is_of_cluster).take(MAX_CANDIDATES));
    }

    /// Other stamps less than a minute away, the nearest first, of two the earlier.
    fn seconds_near(&self, at: i64) -> Vec<i64> {
        let earliest = at.saturating_sub(NEAR_SECONDS);
        let start = self.seconds.partition_point(|other| *other < earliest);
        let later = self.seconds.get(start..).unwrap_or_default().iter();
        let latest = at.saturating_add(NEAR_SECONDS);
        let near = later.copied().take_while(|other| *other <= latest);
        let mut near: Vec<i64> = near.filter(|other| *other != at).collect();
        near.sort_unstable_by_key(|other| (other.abs_diff(at), Reverse(*other < at)));
        near
    }

    fn of_stamp(
        &self,
        seconds: i64,
        cluster: Option<ClusterNumber>,
        id: &ObjectId,
        found: &mut Vec<KuberesourcesIndex>,
    ) {
        let list = self.by_stamp.of(&seconds);
        if list.len() <= MAX_CANDIDATES {
            found.extend(list);
        } else if cluster.is_none() {
            found.extend(self.near(list, id));
        } else {
            for cluster in [cluster, None] {
                let list = self.by_stamp_and_cluster.of(&(seconds, cluster));
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

impl<'a> Entries<'a> {
    fn add(
        &mut self,
        (index, half): (KuberesourcesIndex, &'a Located<Kuberesources>),
        stamps: &[RunStamp],
        cluster: Option<ClusterNumber>,
        has_unstamped: bool,
    ) {
        let seconds = stamps.iter().map(|stamp| stamp.at.timestamp());
        let stamped = seconds.map(|at| (at, index));
        self.by_stamp.extend(stamped.clone());
        if has_unstamped {
            let places = directories(half).map(|directory| (directory, index));
            self.by_directory.extend(places);
            if let Some(cluster) = cluster.filter(|_| !stamps.is_empty()) {
                let list = self.stamped_by_cluster.entry(cluster).or_default();
                list.extend(stamped);
            }
        }
        if stamps.is_empty() {
            let places = directories(half).map(|directory| (directory, index));
            self.unstamped_by_directory.extend(places);
            let cluster = cluster.map(|cluster| (cluster, index));
            self.unstamped_by_cluster.extend(cluster);
        }
    }
}

/// A fleet that backs up at the same second everywhere is told apart by cluster.
fn by_stamp_and_cluster(
    by_stamp: &IndexLists<i64>,
    clusters: &ClusterNumbers,
) -> IndexLists<(i64, Option<ClusterNumber>)> {
    let lists = by_stamp.longer_than(MAX_CANDIDATES);
    let keyed = lists.flat_map(|(seconds, list)| {
        let key = move |index| (seconds, clusters.of_kuberesources(index));
        list.iter().map(move |&index| (key(index), index))
    });
    IndexLists::new(keyed.collect())
}

fn place(inventory: &Inventory, index: KuberesourcesIndex) -> Option<&OsStr> {
    let kuberesources = index.of(&inventory.kuberesources)?;
    Some(kuberesources.path.as_os_str())
}

fn directories<T>(located: &Located<T>) -> impl Iterator<Item = &OsStr> {
    located.places().filter_map(ObjectId::directory)
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
