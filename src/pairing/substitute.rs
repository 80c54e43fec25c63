//! The next best archive for a snapshot that has lost its own.

use super::compare::remarks;
use super::fact::SharedFact;
use super::rank::stamps;
use crate::backup::Located;
use crate::finding::has_error;
use crate::inventory::{Inventory, KuberesourcesIndex};
use crate::kuberesources::Kuberesources;
use crate::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// Archives looked at on either side of the wanted instant.
const REACH: usize = 8;

/// Sound kuberesources by cluster, each list ascending by stamp.
#[derive(Debug, Default)]
pub(crate) struct Substitutes<'a>(HashMap<&'a str, Vec<(DateTime<Utc>, KuberesourcesIndex)>>);

/// Sorts the sound, stamped kuberesources by cluster.
pub(crate) fn substitutes(inventory: &Inventory) -> Substitutes<'_> {
    let mut found = Substitutes::default();
    for (index, kuberesources) in (0..).map(KuberesourcesIndex).zip(&inventory.kuberesources) {
        let facts = &kuberesources.facts;
        let stamp = stamps(kuberesources)
            .next()
            .filter(|_| kuberesources.is_present && !has_error(&facts.findings));
        if let Some((stamp, cluster)) = stamp.zip(facts.infrastructure_name.as_deref()) {
            found.0.entry(cluster).or_default().push((stamp.at, index));
        }
    }
    for list in found.0.values_mut() {
        list.sort_unstable();
    }
    found
}

impl Substitutes<'_> {
    /// The kuberesources nearest in time that is of the same cluster, has equal revisions and
    /// contradicts nothing; `None` when none within reach does.
    pub(crate) fn find(
        &self,
        inventory: &Inventory,
        snapshot: &Located<Snapshot>,
        at: DateTime<Utc>,
    ) -> Option<KuberesourcesIndex> {
        let list = self
            .0
            .get(snapshot.facts.cluster.infrastructure_name.as_deref()?)?;
        let middle = list.partition_point(|entry| entry.0 < at);
        let end = middle.saturating_add(REACH).min(list.len());
        let near = list.get(middle.saturating_sub(REACH)..end)?;
        let fitting = near.iter().filter(|(_, index)| {
            let kuberesources = index.of(&inventory.kuberesources);
            kuberesources.is_some_and(|kuberesources| {
                could_stand_in(inventory, &snapshot.facts, &kuberesources.facts)
            })
        });
        let nearest = fitting.min_by_key(|(stamp, _)| (at - *stamp).abs());
        nearest.map(|(_, index)| *index)
    }
}

fn could_stand_in(
    inventory: &Inventory,
    snapshot: &Snapshot,
    kuberesources: &Kuberesources,
) -> bool {
    let proven = inventory.proofs.find(snapshot, kuberesources);
    let mut has_equal_revision = false;
    let key_proof = proven.map(|proven| &proven.key_proof);
    for remark in remarks(snapshot, kuberesources, key_proof) {
        if !remark.agrees {
            return false;
        }
        has_equal_revision |= matches!(remark.fact, SharedFact::Revision { .. });
    }
    has_equal_revision
}
