//! Who holds what: each archive goes to one moment of one cluster.

use super::rank::{PairRank, PossiblePair, StampMatch, stamps};
use crate::backup::Located;
use crate::finding::has_error;
use crate::inventory::{Inventory, KuberesourcesIndex, SnapshotIndex};
use crate::snapshot::Snapshot;
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// One backup by its places in the [`Inventory`]: at least one half is there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Paired {
    /// The snapshot.
    pub snapshot: Option<SnapshotIndex>,
    /// The kuberesources.
    pub kuberesources: Option<KuberesourcesIndex>,
    /// Other kuberesources that fit as well by name and content and belong to nobody else, ascending.
    pub rivals: Vec<KuberesourcesIndex>,
    /// What decided against the rivals; empty when there are none.
    pub reason: &'static str,
}

/// The best pair first. Ties fall by path.
pub(super) fn sort_best_first(inventory: &Inventory, edges: &mut [PossiblePair]) {
    let place = |edge: &PossiblePair| {
        let snapshot = edge.snapshot.of(&inventory.snapshots);
        let snapshot = snapshot.map(|snapshot| snapshot.path.as_os_str());
        let kuberesources = edge.kuberesources.of(&inventory.kuberesources);
        let kuberesources = kuberesources.map(|kuberesources| kuberesources.path.as_os_str());
        (kuberesources, snapshot)
    };
    edges.sort_unstable_by(|a, b| b.rank.cmp(&a.rank).then_with(|| place(a).cmp(&place(b))));
}

/// What fits a snapshot as well as what was chosen, and what decided.
type Rivals = (Vec<KuberesourcesIndex>, &'static str);

/// Who holds what so far.
pub(super) struct Assignment {
    /// For each snapshot: its kuberesources.
    chosen: Vec<Option<KuberesourcesIndex>>,
    /// For each kuberesources: the snapshot that was served first.
    holder: Vec<Option<SnapshotIndex>>,
    /// How well what was chosen fits, where something else was possible.
    ranks: HashMap<SnapshotIndex, PairRank, RandomState>,
}

impl Assignment {
    pub(super) fn new(inventory: &Inventory) -> Self {
        Self {
            chosen: vec![None; inventory.snapshots.len()],
            holder: vec![None; inventory.kuberesources.len()],
            ranks: HashMap::default(),
        }
    }

    pub(super) fn is_waiting(&self, snapshot: SnapshotIndex) -> bool {
        snapshot.of(&self.chosen).is_some_and(Option::is_none)
    }

    pub(super) fn is_free(&self, kuberesources: KuberesourcesIndex) -> bool {
        kuberesources.of(&self.holder).is_some_and(Option::is_none)
    }

    pub(super) fn join(&mut self, snapshot: SnapshotIndex, kuberesources: KuberesourcesIndex) {
        if let Some(chosen) = snapshot.of_mut(&mut self.chosen) {
            *chosen = Some(kuberesources);
        }
        if let Some(holder) = kuberesources.of_mut(&mut self.holder) {
            holder.get_or_insert(snapshot);
        }
    }

    pub(super) fn give(&mut self, inventory: &Inventory, edge: &PossiblePair) {
        let Some(holder) = edge.kuberesources.of(&self.holder) else {
            return;
        };
        let may_share = |first: &SnapshotIndex| {
            let first = first.of(&inventory.snapshots);
            first
                .zip(edge.snapshot.of(&inventory.snapshots))
                .is_some_and(|(a, b)| are_of_one_run(a, b))
        };
        if self.is_waiting(edge.snapshot) && holder.as_ref().is_none_or(may_share) {
            self.join(edge.snapshot, edge.kuberesources);
            self.ranks.insert(edge.snapshot, edge.rank);
        }
    }

    pub(super) fn give_leftover(&mut self, edge: &PossiblePair) {
        let is_near = edge.rank.stamps != StampMatch::OneIsMissing || edge.rank.is_beside;
        if is_near && self.is_waiting(edge.snapshot) && self.is_free(edge.kuberesources) {
            self.join(edge.snapshot, edge.kuberesources);
        }
    }

    pub(super) fn into_pairs(self, fitting: &[PossiblePair]) -> Vec<Paired> {
        let orphans = self.holder.iter().filter(|holder| holder.is_none()).count();
        let mut pairs = Vec::with_capacity(self.chosen.len() + orphans);
        let snapshots = (0..).map(SnapshotIndex).zip(&self.chosen);
        pairs.extend(snapshots.map(|(snapshot, kuberesources)| Paired {
            snapshot: Some(snapshot),
            kuberesources: *kuberesources,
            ..Paired::default()
        }));
        for (snapshot, (rivals, reason)) in self.rivals(fitting) {
            if let Some(paired) = snapshot.of_mut(&mut pairs) {
                paired.rivals = rivals;
                paired.reason = reason;
            }
        }
        let orphans = (0..).map(KuberesourcesIndex).zip(&self.holder);
        let orphans = orphans.filter(|(_, holder)| holder.is_none());
        pairs.extend(orphans.map(|(index, _)| Paired {
            kuberesources: Some(index),
            ..Paired::default()
        }));
        pairs
    }

    /// For each snapshot with a choice: what else fits as well, and what decided.
    fn rivals(&self, fitting: &[PossiblePair]) -> HashMap<SnapshotIndex, Rivals, RandomState> {
        let mut rivals: HashMap<SnapshotIndex, Rivals, RandomState> = HashMap::default();
        let free = fitting
            .iter()
            .filter(|edge| self.is_free(edge.kuberesources));
        for edge in free {
            let Some(chosen) = self.ranks.get(&edge.snapshot) else {
                continue;
            };
            if fits_as_well(&edge.rank, chosen) {
                let (list, reason) = rivals.entry(edge.snapshot).or_default();
                list.push(edge.kuberesources);
                *reason = decisive(chosen, &edge.rank);
            }
        }
        for (list, _) in rivals.values_mut() {
            list.sort_unstable();
        }
        rivals
    }
}

/// True when neither name nor content speaks against the rival more than against the chosen one.
fn fits_as_well(rival: &PairRank, chosen: &PairRank) -> bool {
    rival.stamps == chosen.stamps
        && rival.is_present == chosen.is_present
        && rival.is_sound == chosen.is_sound
        && rival.cluster_facts == chosen.cluster_facts
        && rival.other_facts == chosen.other_facts
}

fn decisive(chosen: &PairRank, rival: &PairRank) -> &'static str {
    if chosen.is_beside != rival.is_beside {
        "it lies in the same directory as the snapshot"
    } else if chosen.apart != rival.apart {
        "its stamp is nearest to the content of the snapshot"
    } else if chosen.steps != rival.steps {
        "its path is nearest to the snapshot"
    } else {
        "its path comes first in the alphabet"
    }
}

/// Two files that came from one run of the backup may share its archive: the same moment in other bytes
/// (a raw copy and a download), or a damaged copy beside a sound one.
fn are_of_one_run(a: &Located<Snapshot>, b: &Located<Snapshot>) -> bool {
    let (one, two) = (&a.facts, &b.facts);
    let names = one
        .cluster
        .infrastructure_name
        .as_ref()
        .zip(two.cluster.infrastructure_name.as_ref());
    if names.is_some_and(|(a, b)| a != b) {
        return false;
    }
    let is_same_moment = one.status.revision.is_some()
        && one.status.revision == two.status.revision
        && one.newest_lease_at == two.newest_lease_at;
    let is_stamped_alike = stamps(a).any(|stamp| stamps(b).any(|second| second.at == stamp.at));
    let is_doubtful = [a, b]
        .iter()
        .any(|snapshot| !snapshot.is_present || has_error(&snapshot.facts.findings));
    is_same_moment || (is_stamped_alike && is_doubtful)
}
