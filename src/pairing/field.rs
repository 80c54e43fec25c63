//! What could belong to what, by names and clusters.

use super::cluster::ClusterNumbers;
use super::lookup::PartnerLookup;
use super::rank::{ByPlace, PlaceStamps, PossiblePair, by_place, rows, weigh};
use super::rows::Rows;
use crate::inventory::{Inventory, KuberesourcesIndex, SnapshotIndex};
use std::thread::{self, ScopedJoinHandle};

/// So many are worth a thread.
const MANY: usize = 4096;

/// Pairs of snapshot and kuberesources whose keys are worth trying: every pair that names and
/// contents leave possible. Ask this before the proofs are made, and [`pair`](super::pair) afterwards.
pub(crate) fn candidates(inventory: &Inventory) -> Vec<(SnapshotIndex, KuberesourcesIndex)> {
    let field = Field::new(inventory);
    let is_possible = |pair: &CandidatePair| match field.by_place(*pair) {
        ByPlace::Impossible => false,
        ByPlace::Possible => true,
        ByPlace::Undecided => field.weigh(*pair).is_some(),
    };
    let pairs = field.rows().flat_map(|(snapshot, list)| {
        let pairs = list.iter();
        pairs.map(move |kuberesources| (snapshot, *kuberesources))
    });
    pairs.filter(is_possible).collect()
}

/// What names and facts say of each half. Both are waits for memory: of many they go on side by side.
fn looked_up(inventory: &Inventory) -> (PlaceStamps, ClusterNumbers) {
    if inventory.snapshots.len() < MANY {
        return (PlaceStamps::new(inventory), ClusterNumbers::new(inventory));
    }
    thread::scope(|scope| {
        let clusters = scope.spawn(|| ClusterNumbers::new(inventory));
        let kuberesources = scope.spawn(|| rows(&inventory.kuberesources));
        let names = PlaceStamps {
            snapshots: rows(&inventory.snapshots),
            kuberesources: joined(kuberesources),
        };
        (names, joined(clusters))
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    let result = thread.join();
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Two halves that could be one backup.
pub(super) type CandidatePair = (SnapshotIndex, KuberesourcesIndex);

/// What could belong to what by name and cluster, and what is needed to decide it.
pub(super) struct Field<'a> {
    pub(super) inventory: &'a Inventory,
    names: PlaceStamps,
    clusters: ClusterNumbers,
    /// For each snapshot: what could belong to it.
    candidates: Rows<KuberesourcesIndex>,
}

impl<'a> Field<'a> {
    pub(super) fn new(inventory: &'a Inventory) -> Self {
        let (names, clusters) = looked_up(inventory);
        let lookup = PartnerLookup::new(inventory, &names, &clusters);
        let mut candidates = Rows::with_capacity(inventory.snapshots.len());
        let mut found = Vec::new();
        for index in 0..inventory.snapshots.len() {
            lookup.find(SnapshotIndex(index), &mut found);
            candidates.push(found.iter().copied());
        }
        Self {
            inventory,
            names,
            clusters,
            candidates,
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (SnapshotIndex, &[KuberesourcesIndex])> {
        (0..).map(SnapshotIndex).zip(self.candidates.iter())
    }

    pub(super) fn by_place(&self, pair: CandidatePair) -> ByPlace {
        by_place(pair, (self.inventory, &self.names))
    }

    pub(super) fn weigh(&self, pair: CandidatePair) -> Option<PossiblePair> {
        weigh(pair, (self.inventory, &self.names))
    }

    pub(super) fn are_strangers(&self, (snapshot, kuberesources): CandidatePair) -> bool {
        self.clusters.differ(snapshot, kuberesources)
    }
}
