//! Gives each snapshot its kuberesources: best fit first, each archive to one moment of one cluster.

use super::lookup::PartnerLookup;
use super::rank::{PairRank, PlaceStamps, PossiblePair, RankMeasure, StampMatch, stamps, weigh};
use crate::backup::Located;
use crate::finding::has_error;
use crate::inventory::{Inventory, KuberesourcesIndex, SnapshotIndex};
use crate::snapshot::Snapshot;
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

/// Pairs of snapshot and kuberesources whose keys are worth trying: every pair that names and
/// contents leave possible. Ask this before the proofs are made, and [`pair`] afterwards.
pub(crate) fn candidates(inventory: &Inventory) -> Vec<(SnapshotIndex, KuberesourcesIndex)> {
    let edges = edges(inventory).into_iter();
    edges
        .map(|edge| (edge.snapshot, edge.kuberesources))
        .collect()
}

/// Joins halves to backups: one entry for each snapshot in their order, then the kuberesources that are left.
pub fn pair(inventory: &Inventory) -> Vec<Paired> {
    let edges = edges(inventory);
    let mut assignment = Assignment::new(inventory);
    for edge in edges.iter().filter(|edge| !edge.contradicts) {
        assignment.give(inventory, edge);
    }
    // What contradicts is joined only when nobody else wants either half: then it is most likely one
    // backup of which one half was exchanged, and the person should see both.
    for edge in edges.iter().filter(|edge| edge.contradicts) {
        assignment.give_leftover(edge);
    }
    assignment.into_pairs(&edges)
}

/// All possible pairs: those without competition, then the others, best first. Ties fall by path.
fn edges(inventory: &Inventory) -> Vec<PossiblePair> {
    let names = PlaceStamps::new(inventory);
    let lookup = PartnerLookup::new(inventory, &names);
    let lists: Vec<Vec<KuberesourcesIndex>> = (0..inventory.snapshots.len())
        .map(|index| lookup.candidates(SnapshotIndex(index)))
        .collect();
    let mut wanted = vec![0_u32; inventory.kuberesources.len()];
    for &index in lists.iter().flatten() {
        if let Some(count) = index.of_mut(&mut wanted) {
            *count = count.saturating_add(1);
        }
    }
    let mut edges = Vec::with_capacity(lists.len());
    let mut contested = Vec::new();
    for (snapshot, list) in (0..).map(SnapshotIndex).zip(&lists) {
        for &kuberesources in list {
            let is_only = list.len() == 1 && kuberesources.of(&wanted) == Some(&1);
            let (measure, edges) = if is_only {
                (RankMeasure::Facts, &mut edges)
            } else {
                (RankMeasure::Places, &mut contested)
            };
            edges.extend(weigh(
                (snapshot, kuberesources),
                (inventory, &names),
                measure,
            ));
        }
    }
    let place = |edge: &PossiblePair| {
        let snapshot = edge.snapshot.of(&inventory.snapshots);
        let snapshot = snapshot.map(|snapshot| snapshot.path.as_os_str());
        let kuberesources = edge.kuberesources.of(&inventory.kuberesources);
        let kuberesources = kuberesources.map(|kuberesources| kuberesources.path.as_os_str());
        (kuberesources, snapshot)
    };
    contested.sort_unstable_by(|a, b| b.rank.cmp(&a.rank).then_with(|| place(a).cmp(&place(b))));
    edges.extend(contested);
    edges
}

/// What fits a snapshot as well as what was chosen, and what decided.
type Rivals = (Vec<KuberesourcesIndex>, &'static str);

/// Who holds what so far.
struct Assignment {
    /// For each snapshot: its kuberesources, with how well it fits.
    chosen: Vec<Option<PossiblePair>>,
    /// For each kuberesources: the snapshot that was served first.
    holder: Vec<Option<SnapshotIndex>>,
}

impl Assignment {
    fn new(inventory: &Inventory) -> Self {
        Self {
            chosen: vec![None; inventory.snapshots.len()],
            holder: vec![None; inventory.kuberesources.len()],
        }
    }

    fn give(&mut self, inventory: &Inventory, edge: &PossiblePair) {
        let (Some(chosen), Some(holder)) = (
            edge.snapshot.of_mut(&mut self.chosen),
            edge.kuberesources.of_mut(&mut self.holder),
        ) else {
            return;
        };
        let may_share = |first: &SnapshotIndex| {
            let first = first.of(&inventory.snapshots);
            first
                .zip(edge.snapshot.of(&inventory.snapshots))
                .is_some_and(|(a, b)| are_of_one_run(a, b))
        };
        if chosen.is_none() && holder.as_ref().is_none_or(may_share) {
            *chosen = Some(*edge);
            holder.get_or_insert(edge.snapshot);
        }
    }

    fn give_leftover(&mut self, edge: &PossiblePair) {
        let (Some(chosen), Some(holder)) = (
            edge.snapshot.of_mut(&mut self.chosen),
            edge.kuberesources.of_mut(&mut self.holder),
        ) else {
            return;
        };
        let is_near = edge.rank.stamps != StampMatch::OneIsMissing || edge.rank.is_beside;
        if is_near && chosen.is_none() && holder.is_none() {
            *chosen = Some(*edge);
            *holder = Some(edge.snapshot);
        }
    }

    fn into_pairs(self, edges: &[PossiblePair]) -> Vec<Paired> {
        let mut rivals = self.rivals(edges);
        let snapshots = (0..).map(SnapshotIndex).zip(&self.chosen);
        let snapshots = snapshots.map(|(snapshot, chosen)| {
            let (rivals, reason) = rivals.remove(&snapshot).unwrap_or_default();
            let kuberesources = chosen.map(|edge| edge.kuberesources);
            Paired {
                snapshot: Some(snapshot),
                kuberesources,
                rivals,
                reason,
            }
        });
        let orphans = (0..).map(KuberesourcesIndex).zip(&self.holder);
        let orphans = orphans.filter(|(_, holder)| holder.is_none());
        let orphans = orphans.map(|(index, _)| Paired {
            kuberesources: Some(index),
            ..Paired::default()
        });
        snapshots.chain(orphans).collect()
    }

    /// For each snapshot with a choice: what else fits as well, and what decided.
    fn rivals(&self, edges: &[PossiblePair]) -> HashMap<SnapshotIndex, Rivals> {
        let mut rivals: HashMap<SnapshotIndex, Rivals> = HashMap::new();
        for edge in edges.iter().filter(|edge| !edge.contradicts) {
            let Some(Some(chosen)) = edge.snapshot.of(&self.chosen) else {
                continue;
            };
            let holder = edge.kuberesources.of(&self.holder);
            let is_free = holder.is_some_and(Option::is_none);
            if is_free && !chosen.contradicts && fits_as_well(&edge.rank, &chosen.rank) {
                let (list, reason) = rivals.entry(edge.snapshot).or_default();
                list.push(edge.kuberesources);
                *reason = decisive(&chosen.rank, &edge.rank);
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
