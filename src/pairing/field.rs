//! What could belong to what, by names and clusters.

use super::cluster::ClusterNumbers;
use super::lookup::PartnerLookup;
use super::rank::{ByPlace, PlaceStamps, PossiblePair, by_place, weigh};
use super::rows::Rows;
use crate::inventory::{Inventory, KuberesourcesIndex, SnapshotIndex};

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
        let names = PlaceStamps::new(inventory);
        let clusters = ClusterNumbers::new(inventory);
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
