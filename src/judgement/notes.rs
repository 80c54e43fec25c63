//! What has to be looked up in the whole inventory before a backup can be judged by itself.

use crate::backup::{Located, PairingBasis};
use crate::finding::{Finding, has_error};
use crate::inventory::{Inventory, KuberesourcesIndex, PassedOver, Proven, Replaced};
use crate::pairing::{
    Contradiction, Paired, Substitutes, basis, contradictions, stamp_of, substitutes,
};
use crate::parallel;
use crate::source::ObjectId;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// Findings on one pair that need its surroundings.
#[derive(Debug, Default)]
pub(super) struct PairNotes {
    /// What decided that the halves are one backup.
    pub(super) pairing: PairingBasis,
    /// Facts in which the halves differ.
    pub(super) contradictions: Vec<Contradiction>,
    /// Other kuberesources that could belong.
    pub(super) rivals: Vec<ObjectId>,
    /// What decided against them.
    pub(super) reason: &'static str,
    /// Another kuberesources that could stand in for a missing or wrong one.
    pub(super) substitute: Option<ObjectId>,
    /// For a kuberesources alone: a snapshot of the same stamp that belongs to another one.
    pub(super) counterpart: Option<ObjectId>,
    /// Of a half alone: a file of the same stamp that may hold the other one and could not be read.
    pub(super) passed_over: Option<PassedOver>,
    /// The archive that the only half lies in, where it could not be read to its end.
    pub(super) broken_archive: Option<PassedOver>,
    /// A run beside it that is marked as complete, where its own is not.
    pub(super) complete_beside: Option<ObjectId>,
    /// What the keys did.
    pub(super) proven: Option<Proven>,
    /// Places whose content is another than before.
    pub(super) replaced: Vec<Replacement>,
}

/// A place that held something else before.
#[derive(Debug)]
pub(super) struct Replacement {
    /// Another place with the bytes that lie here now, where nothing was replaced.
    pub(super) untouched: Option<ObjectId>,
    /// The place.
    pub(super) path: ObjectId,
    /// What lay there.
    pub(super) before: Replaced,
    /// The name carries no stamp and now holds something sound and newer: every run writes to it.
    pub(super) is_rotation: bool,
}

/// PairNotes for each pair, in their order.
pub(super) fn notes(inventory: &Inventory, pairs: &[Paired]) -> Vec<PairNotes> {
    let surroundings = Surroundings::new(inventory, pairs);
    parallel::map(pairs, |paired| surroundings.note(paired))
}

struct Surroundings<'a> {
    inventory: &'a Inventory,
    substitutes: Substitutes<'a>,
    snapshots_by_stamp: HashMap<DateTime<Utc>, &'a ObjectId>,
    /// Runs that are marked as complete, by the directory that they lie in.
    complete_runs: HashMap<ObjectId, &'a ObjectId>,
}

impl<'a> Surroundings<'a> {
    fn new(inventory: &'a Inventory, pairs: &[Paired]) -> Self {
        let has_orphan = pairs.iter().any(|paired| paired.snapshot.is_none());
        let snapshots = inventory.snapshots.iter().filter(|_| has_orphan);
        let stamped = snapshots.filter_map(|half| Some((stamp_of(&half.path)?.at, &half.path)));
        let complete = inventory.complete_runs.iter();
        let complete = complete.filter_map(|run| Some((run.parent()?, run)));
        Self {
            inventory,
            substitutes: substitutes(inventory),
            snapshots_by_stamp: stamped.collect(),
            complete_runs: complete.collect(),
        }
    }

    fn note(&self, paired: &Paired) -> PairNotes {
        let inventory = self.inventory;
        let snapshot = paired.snapshot;
        let snapshot = snapshot.and_then(|index| index.of(&inventory.snapshots));
        let kuberesources = paired.kuberesources;
        let kuberesources = kuberesources.and_then(|index| index.of(&inventory.kuberesources));
        let both = snapshot.zip(kuberesources);
        let proven = both.and_then(|(snapshot, kuberesources)| {
            inventory.proofs.find(&snapshot.facts, &kuberesources.facts)
        });
        let contradictions = both.map_or_else(Vec::new, |(snapshot, kuberesources)| {
            contradictions(&snapshot.facts, &kuberesources.facts, proven)
        });
        let pairing = both.map_or(PairingBasis::None, |(snapshot, kuberesources)| {
            let contradicts = !contradictions.is_empty();
            basis(&snapshot.facts, &kuberesources.facts, proven, contradicts)
        });
        let proven = proven.or_else(|| {
            let alone = snapshot.filter(|_| kuberesources.is_none())?;
            inventory.proofs.with_keys_beside(&alone.facts)
        });
        let place = |index: &KuberesourcesIndex| {
            let rival = index.of(&inventory.kuberesources)?;
            Some(rival.path.clone())
        };
        let substitute = if kuberesources.is_none() || !contradictions.is_empty() {
            self.substitute(paired)
        } else {
            None
        };
        let of_snapshot = snapshot.map(|snapshot| {
            self.replaced(
                snapshot,
                &snapshot.facts.findings,
                snapshot.facts.taken_at(),
            )
        });
        let of_kuberesources = kuberesources
            .map(|kuberesources| self.replaced(kuberesources, &kuberesources.facts.findings, None));
        let replaced = of_snapshot
            .into_iter()
            .chain(of_kuberesources)
            .flatten()
            .collect();
        PairNotes {
            pairing,
            contradictions,
            rivals: paired.rivals.iter().filter_map(place).collect(),
            reason: paired.reason,
            substitute,
            counterpart: kuberesources
                .filter(|_| snapshot.is_none())
                .and_then(|kuberesources| self.counterpart(kuberesources)),
            passed_over: match (snapshot, kuberesources) {
                (Some(half), None) => self.passed_over(half),
                (None, Some(half)) => self.passed_over(half),
                _ => None,
            },
            broken_archive: match (snapshot, kuberesources) {
                (Some(half), None) => self.broken_archive(&half.path),
                (None, Some(half)) => self.broken_archive(&half.path),
                _ => None,
            },
            complete_beside: snapshot
                .map(|half| &half.path)
                .or(kuberesources.map(|half| &half.path))
                .and_then(|half| self.complete_beside(half)),
            proven: proven.cloned(),
            replaced,
        }
    }

    fn substitute(&self, paired: &Paired) -> Option<ObjectId> {
        let snapshot = paired.snapshot?.of(&self.inventory.snapshots)?;
        let at = snapshot
            .facts
            .taken_at()
            .or_else(|| stamp_of(&snapshot.path).map(|stamp| stamp.at))
            .or(snapshot.modified_at)?;
        let index = self.substitutes.find(self.inventory, snapshot, at)?;
        let substitute = index.of(&self.inventory.kuberesources)?;
        Some(substitute.path.clone())
    }

    fn counterpart<T>(&self, kuberesources: &Located<T>) -> Option<ObjectId> {
        let mut stamps = kuberesources.places().filter_map(stamp_of);
        let snapshot = stamps.find_map(|stamp| self.snapshots_by_stamp.get(&stamp.at))?;
        Some((*snapshot).clone())
    }

    /// A file of the same stamp that may hold the other half; rather one beside it.
    fn passed_over<T>(&self, half: &Located<T>) -> Option<PassedOver> {
        let stamp = stamp_of(&half.path)?.at;
        let of_stamp = self
            .inventory
            .passed_over
            .iter()
            .filter(|one| stamp_of(&one.path).is_some_and(|other| other.at == stamp));
        let nearest = of_stamp.min_by_key(|one| one.path.directory() != half.path.directory());
        nearest.cloned()
    }

    fn complete_beside(&self, half: &ObjectId) -> Option<ObjectId> {
        if self.complete_runs.is_empty() {
            return None;
        }
        let run = half.outermost().parent()?;
        let beside = self.complete_runs.get(&run.parent()?)?;
        let is_complete = self.inventory.complete_runs.contains(&run);
        (!is_complete).then(|| (*beside).clone())
    }

    fn broken_archive(&self, half: &ObjectId) -> Option<PassedOver> {
        half.archive()?;
        let mut unreadable = self.inventory.unreadable.iter();
        let broken = unreadable.find(|one| one.path != *half && one.path.contains(half))?;
        Some(PassedOver {
            path: broken.path.clone(),
            what: broken.reason.clone(),
        })
    }

    fn replaced<T>(
        &self,
        located: &Located<T>,
        findings: &[Finding],
        content: Option<DateTime<Utc>>,
    ) -> Vec<Replacement> {
        if self.inventory.replaced.is_empty() {
            return Vec::new();
        }
        let is_sound = !has_error(findings);
        let is_replaced = |path: &&ObjectId| self.inventory.replaced.contains_key(*path);
        let untouched = located.places().find(|path| !is_replaced(path));
        let replacement = |path: &ObjectId| {
            let before = self.inventory.replaced.get(path)?.clone();
            // Content against content; where either does not know, the file against the last look at it.
            let (now, then) = match (content, before.taken_at) {
                (Some(now), Some(then)) => (Some(now), Some(then)),
                (content, _) => (content.or(located.modified_at), before.verified_at),
            };
            let is_newer = now.zip(then).is_some_and(|(now, then)| now > then);
            Some(Replacement {
                untouched: untouched.cloned(),
                is_rotation: is_sound && is_newer && stamp_of(path).is_none(),
                path: path.clone(),
                before,
            })
        };
        located.places().filter_map(replacement).collect()
    }
}
