//! Gives each snapshot its kuberesources: best fit first, each archive to one moment of one cluster.

use super::rank::{Edge, Measure, Names, Rank, Stamps, stamps, weigh};
use super::shelf::Shelf;
use crate::backup::Located;
use crate::finding::has_error;
use crate::inventory::Inventory;
use crate::snapshot::Snapshot;
use std::collections::HashMap;

/// One backup as indices into the [`Inventory`]: at least one half is there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Paired {
    /// Index of the snapshot.
    pub snapshot: Option<usize>,
    /// Index of the kuberesources.
    pub kuberesources: Option<usize>,
    /// Other kuberesources that fit as well by name and content and belong to nobody else, ascending.
    pub rivals: Vec<usize>,
    /// What decided against the rivals; empty when there are none.
    pub reason: &'static str,
}

/// Pairs of snapshot and kuberesources whose keys are worth trying, as indices: every pair that names and
/// contents leave possible. Ask this before the proofs are made, and [`pair`] afterwards.
pub(crate) fn candidates(inventory: &Inventory) -> Vec<(usize, usize)> {
    let edges = edges(inventory).into_iter();
    edges
        .map(|edge| (edge.snapshot, edge.kuberesources))
        .collect()
}

/// Joins halves to backups: one entry for each snapshot in their order, then the kuberesources that are left.
pub(crate) fn pair(inventory: &Inventory) -> Vec<Paired> {
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
fn edges(inventory: &Inventory) -> Vec<Edge> {
    let names = Names::new(inventory);
    let shelf = Shelf::new(inventory, &names);
    let lists: Vec<Vec<usize>> = (0..inventory.snapshots.len())
        .map(|index| shelf.candidates(index))
        .collect();
    let mut wanted = vec![0_u32; inventory.kuberesources.len()];
    for &index in lists.iter().flatten() {
        if let Some(count) = wanted.get_mut(index) {
            *count = count.saturating_add(1);
        }
    }
    let mut edges = Vec::with_capacity(lists.len());
    let mut contested = Vec::new();
    for (snapshot, list) in lists.iter().enumerate() {
        for &kuberesources in list {
            let is_only = list.len() == 1 && wanted.get(kuberesources) == Some(&1);
            let (measure, edges) = if is_only {
                (Measure::Facts, &mut edges)
            } else {
                (Measure::Places, &mut contested)
            };
            edges.extend(weigh((inventory, &names), snapshot, kuberesources, measure));
        }
    }
    let place = |edge: &Edge| {
        let snapshot = inventory
            .snapshots
            .get(edge.snapshot)
            .map(|half| half.path.as_os_str());
        let kuberesources = inventory
            .kuberesources
            .get(edge.kuberesources)
            .map(|half| half.path.as_os_str());
        (kuberesources, snapshot)
    };
    contested.sort_unstable_by(|a, b| b.rank.cmp(&a.rank).then_with(|| place(a).cmp(&place(b))));
    edges.extend(contested);
    edges
}

/// Who holds what so far.
struct Assignment {
    /// For each snapshot: its kuberesources, with how well it fits.
    chosen: Vec<Option<Edge>>,
    /// For each kuberesources: the snapshot that was served first.
    holder: Vec<Option<usize>>,
}

impl Assignment {
    fn new(inventory: &Inventory) -> Self {
        Self {
            chosen: vec![None; inventory.snapshots.len()],
            holder: vec![None; inventory.kuberesources.len()],
        }
    }

    fn give(&mut self, inventory: &Inventory, edge: &Edge) {
        let (Some(chosen), Some(holder)) = (
            self.chosen.get_mut(edge.snapshot),
            self.holder.get_mut(edge.kuberesources),
        ) else {
            return;
        };
        let may_share = |&first: &usize| {
            let first = inventory.snapshots.get(first);
            first
                .zip(inventory.snapshots.get(edge.snapshot))
                .is_some_and(|(a, b)| are_of_one_run(a, b))
        };
        if chosen.is_none() && holder.as_ref().is_none_or(may_share) {
            *chosen = Some(*edge);
            holder.get_or_insert(edge.snapshot);
        }
    }

    fn give_leftover(&mut self, edge: &Edge) {
        let (Some(chosen), Some(holder)) = (
            self.chosen.get_mut(edge.snapshot),
            self.holder.get_mut(edge.kuberesources),
        ) else {
            return;
        };
        let is_near = edge.rank.stamps != Stamps::OneIsMissing || edge.rank.is_beside;
        if is_near && chosen.is_none() && holder.is_none() {
            *chosen = Some(*edge);
            *holder = Some(edge.snapshot);
        }
    }

    fn into_pairs(self, edges: &[Edge]) -> Vec<Paired> {
        let mut rivals = self.rivals(edges);
        let snapshots = self.chosen.iter().enumerate().map(|(snapshot, chosen)| {
            let (rivals, reason) = rivals.remove(&snapshot).unwrap_or_default();
            let kuberesources = chosen.map(|edge| edge.kuberesources);
            Paired {
                snapshot: Some(snapshot),
                kuberesources,
                rivals,
                reason,
            }
        });
        let orphans = self
            .holder
            .iter()
            .enumerate()
            .filter(|(_, holder)| holder.is_none());
        let orphans = orphans.map(|(index, _)| Paired {
            kuberesources: Some(index),
            ..Paired::default()
        });
        snapshots.chain(orphans).collect()
    }

    /// For each snapshot with a choice: what else fits as well, and what decided.
    fn rivals(&self, edges: &[Edge]) -> HashMap<usize, (Vec<usize>, &'static str)> {
        let mut rivals: HashMap<usize, (Vec<usize>, &'static str)> = HashMap::new();
        for edge in edges.iter().filter(|edge| !edge.contradicts) {
            let Some(Some(chosen)) = self.chosen.get(edge.snapshot) else {
                continue;
            };
            let is_free = self
                .holder
                .get(edge.kuberesources)
                .is_some_and(Option::is_none);
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
fn fits_as_well(rival: &Rank, chosen: &Rank) -> bool {
    rival.stamps == chosen.stamps
        && rival.is_present == chosen.is_present
        && rival.is_sound == chosen.is_sound
        && rival.cluster_facts == chosen.cluster_facts
        && rival.other_facts == chosen.other_facts
}

fn decisive(chosen: &Rank, rival: &Rank) -> &'static str {
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
    let (one, other) = (&a.facts, &b.facts);
    let names = one
        .cluster
        .infrastructure_name
        .as_ref()
        .zip(other.cluster.infrastructure_name.as_ref());
    if names.is_some_and(|(a, b)| a != b) {
        return false;
    }
    let is_same_moment = one.status.revision.is_some()
        && one.status.revision == other.status.revision
        && one.newest_lease_at == other.newest_lease_at;
    let is_stamped_alike = stamps(a).any(|stamp| stamps(b).any(|other| other.at == stamp.at));
    let is_doubtful = [a, b]
        .iter()
        .any(|half| !half.is_present || has_error(&half.facts.findings));
    is_same_moment || (is_stamped_alike && is_doubtful)
}
