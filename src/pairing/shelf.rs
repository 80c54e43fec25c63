//! Indexes over the kuberesources, so that no snapshot has to look at all of them.

use super::rank::stamps;
use crate::backup::Located;
use crate::inventory::Inventory;
use crate::kuberesources::Kuberesources;
use crate::snapshot::Snapshot;
use std::collections::HashMap;
use std::path::Path;

/// Candidates looked at in one shelf. More halves than this of one stamp and one cluster are no real run;
/// the bound keeps a hostile tree from making pairing quadratic.
const MAX_CANDIDATES: usize = 32;

/// Kuberesources by what a snapshot can know of its partner. Lists of a shelf ascend by path, or by stamp.
#[derive(Debug, Default)]
pub(super) struct Shelf<'a> {
    by_stamp: HashMap<i64, Vec<usize>>,
    by_stamp_and_cluster: HashMap<(i64, Option<&'a str>), Vec<usize>>,
    unstamped_by_cluster: HashMap<&'a str, Vec<usize>>,
    stamped_by_cluster: HashMap<&'a str, Vec<(i64, usize)>>,
    by_directory: HashMap<&'a Path, Vec<usize>>,
    unstamped_by_directory: HashMap<&'a Path, Vec<usize>>,
}

impl<'a> Shelf<'a> {
    /// Sorts all kuberesources in.
    pub(super) fn new(inventory: &'a Inventory) -> Self {
        let mut shelf = Self::default();
        let needs_content = inventory
            .snapshots
            .iter()
            .any(|half| stamps(half).next().is_none());
        let mut order: Vec<usize> = (0..inventory.kuberesources.len()).collect();
        order.sort_unstable_by_key(|&index| {
            inventory.kuberesources.get(index).map(|half| &half.path)
        });
        for index in order {
            if let Some(half) = inventory.kuberesources.get(index) {
                shelf.add(index, half, needs_content);
            }
        }
        shelf.split_large_stamps(inventory);
        for list in shelf.stamped_by_cluster.values_mut() {
            list.sort_unstable();
        }
        shelf
    }

    fn add(&mut self, index: usize, half: &'a Located<Kuberesources>, needs_content: bool) {
        let cluster = half.facts.infrastructure_name.as_deref();
        let mut is_stamped = false;
        for stamp in stamps(half) {
            is_stamped = true;
            let seconds = stamp.at.timestamp();
            put(self.by_stamp.entry(seconds).or_default(), index);
            if let (true, Some(cluster)) = (needs_content, cluster) {
                self.stamped_by_cluster
                    .entry(cluster)
                    .or_default()
                    .push((seconds, index));
            }
        }
        for directory in half.places().filter_map(|place| place.parent()) {
            if needs_content {
                put(self.by_directory.entry(directory).or_default(), index);
            }
            if !is_stamped {
                put(
                    self.unstamped_by_directory.entry(directory).or_default(),
                    index,
                );
            }
        }
        if let (false, Some(cluster)) = (is_stamped, cluster) {
            put(self.unstamped_by_cluster.entry(cluster).or_default(), index);
        }
    }

    /// A fleet that backs up at the same second everywhere is told apart by cluster.
    fn split_large_stamps(&mut self, inventory: &'a Inventory) {
        for (&seconds, list) in self
            .by_stamp
            .iter()
            .filter(|(_, list)| list.len() > MAX_CANDIDATES)
        {
            for &index in list {
                let half = inventory.kuberesources.get(index);
                let cluster = half.and_then(|half| half.facts.infrastructure_name.as_deref());
                self.by_stamp_and_cluster
                    .entry((seconds, cluster))
                    .or_default()
                    .push(index);
            }
        }
    }

    /// Kuberesources that could belong to a snapshot, each once.
    pub(super) fn candidates(&self, inventory: &Inventory, half: &Located<Snapshot>) -> Vec<usize> {
        let mut found = Vec::new();
        let cluster = half.facts.cluster.infrastructure_name.as_deref();
        let mut is_stamped = false;
        for stamp in stamps(half) {
            is_stamped = true;
            self.of_stamp(inventory, half, stamp.at.timestamp(), &mut found);
        }
        if let Some(list) = cluster.and_then(|cluster| self.unstamped_by_cluster.get(cluster)) {
            found.extend(near(inventory, list, &half.path));
        }
        let by_directory = if is_stamped {
            &self.unstamped_by_directory
        } else {
            &self.by_directory
        };
        if !by_directory.is_empty() {
            for directory in half.places().filter_map(|place| place.parent()) {
                let list = by_directory.get(directory).map_or(&[][..], Vec::as_slice);
                found.extend(near(inventory, list, &half.path));
            }
        }
        if let (false, Some(list)) = (
            is_stamped,
            cluster.and_then(|cluster| self.stamped_by_cluster.get(cluster)),
        ) {
            let taken_at = half.facts.newest_lease_at.or(half.facts.newest_content_at);
            found.extend(around(list, taken_at.map_or(i64::MAX, |at| at.timestamp())));
        }
        if found.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    fn of_stamp(
        &self,
        inventory: &Inventory,
        half: &Located<Snapshot>,
        seconds: i64,
        found: &mut Vec<usize>,
    ) {
        let Some(list) = self.by_stamp.get(&seconds) else {
            return;
        };
        if list.len() <= MAX_CANDIDATES {
            found.extend(list);
            return;
        }
        let Some(cluster) = half.facts.cluster.infrastructure_name.as_deref() else {
            found.extend(near(inventory, list, &half.path));
            return;
        };
        for cluster in [Some(cluster), None] {
            let list = self.by_stamp_and_cluster.get(&(seconds, cluster));
            found.extend(near(inventory, list.map_or(&[], Vec::as_slice), &half.path));
        }
    }
}

/// Adds an index once: the places of one half follow each other.
fn put(list: &mut Vec<usize>, index: usize) {
    if list.last() != Some(&index) {
        list.push(index);
    }
}

/// Entries of a list that ascends by path, around `path`: neighbours in that order share the longest prefix.
fn near<'l>(inventory: &Inventory, list: &'l [usize], path: &Path) -> &'l [usize] {
    if list.len() <= MAX_CANDIDATES {
        return list;
    }
    let place = |index: &usize| {
        inventory
            .kuberesources
            .get(*index)
            .map(|half| half.path.as_path())
    };
    let middle = list.partition_point(|index| place(index) < Some(path));
    window(list, middle)
}

/// Entries of a list that ascends by seconds, around `seconds`.
fn around(list: &[(i64, usize)], seconds: i64) -> impl Iterator<Item = usize> {
    let middle = list.partition_point(|entry| entry.0 < seconds);
    window(list, middle).iter().map(|entry| entry.1)
}

fn window<T>(list: &[T], middle: usize) -> &[T] {
    let start = middle.saturating_sub(MAX_CANDIDATES / 2);
    let end = start.saturating_add(MAX_CANDIDATES).min(list.len());
    list.get(start.min(end)..end).unwrap_or(&[])
}
