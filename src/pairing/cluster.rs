//! Clusters as numbers: a hundred thousand halves are compared by them, where names lie all over the memory.

use crate::inventory::{Inventory, KuberesourcesIndex, SnapshotIndex};
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Stands for an infrastructure name. Two clusters never share one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct ClusterNumber(usize);

/// The cluster of each half; `None` where it does not name its own.
#[derive(Debug)]
pub(super) struct ClusterNumbers {
    snapshots: Vec<Option<ClusterNumber>>,
    kuberesources: Vec<Option<ClusterNumber>>,
}

impl ClusterNumbers {
    /// Gives every name a number.
    pub(super) fn new(inventory: &Inventory) -> Self {
        let mut names = Names::default();
        let snapshots = inventory.snapshots.iter();
        let snapshots = snapshots.map(|half| half.facts.cluster.infrastructure_name.as_deref());
        let snapshots = snapshots.map(|name| names.number(name)).collect();
        let kuberesources = inventory.kuberesources.iter();
        let kuberesources = kuberesources.map(|half| half.facts.infrastructure_name.as_deref());
        let kuberesources = kuberesources.map(|name| names.number(name)).collect();
        Self {
            snapshots,
            kuberesources,
        }
    }

    /// The cluster that a snapshot names.
    pub(super) fn of_snapshot(&self, index: SnapshotIndex) -> Option<ClusterNumber> {
        index.of(&self.snapshots).copied().flatten()
    }

    /// The cluster that a kuberesources names.
    pub(super) fn of_kuberesources(&self, index: KuberesourcesIndex) -> Option<ClusterNumber> {
        index.of(&self.kuberesources).copied().flatten()
    }

    /// Both halves name their cluster, and it is not the same: that alone is a contradiction.
    pub(super) fn differ(&self, snapshot: SnapshotIndex, archive: KuberesourcesIndex) -> bool {
        let both = self
            .of_snapshot(snapshot)
            .zip(self.of_kuberesources(archive));
        both.is_some_and(|(one, other)| one != other)
    }
}

#[derive(Default)]
struct Names<'a> {
    numbers: HashMap<&'a str, ClusterNumber, RandomState>,
    /// What was asked for last: what lies in one directory is mostly of one cluster.
    last: Option<(&'a str, ClusterNumber)>,
}

impl<'a> Names<'a> {
    fn number(&mut self, name: Option<&'a str>) -> Option<ClusterNumber> {
        let name = name?;
        if let Some((last, number)) = self.last
            && last == name
        {
            return Some(number);
        }
        let next = ClusterNumber(self.numbers.len());
        let number = *self.numbers.entry(name).or_insert(next);
        self.last = Some((name, number));
        Some(number)
    }
}
