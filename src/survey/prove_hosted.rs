//! Tries the keys that lie beside the snapshot of a hosted control plane on its values.

use super::SurveyError;
use super::archive_walk::ArchiveWalk;
use super::examination::Examination;
use super::hosted_keys::is_hosted_and_encrypted;
use super::knowledge::Knowledge;
use super::prove::UnprovenSnapshots;
use crate::catalogue::{CatalogueChange, Content, ProofRecord, SnapshotKey};
use crate::inventory::{KEYS_BESIDE_IT, Proven};
use crate::kubernetes::certificate::Certificates;
use crate::kubernetes::encryption::{KeyRing, Sealed, prove_with_one_ring};
use crate::snapshot::Snapshot;
use crate::source::ObjectId;

impl Knowledge {
    /// Snapshots that no key beside them was tried on.
    fn untried_hosted(&self) -> impl Iterator<Item = &ObjectId> {
        let present = self.files.iter().filter(|(_, file)| file.is_present);
        let untried = present.filter(|(id, file)| match &file.content {
            Content::Snapshot(key) => {
                let facts = self.snapshot_at(id);
                let is_tried = self.proofs.contains_key(&(*key, KEYS_BESIDE_IT));
                !is_tried && facts.is_some_and(is_hosted_and_encrypted)
            }
            _ => false,
        });
        untried.map(|(id, _)| id)
    }

    /// Are there any?
    pub(super) fn has_untried_hosted(&self) -> bool {
        self.untried_hosted().next().is_some()
    }
}

impl Examination<'_> {
    /// Tries the keys of an archive on the values of the snapshots that they lie beside.
    pub(super) fn prove_with_packed_keys(
        &mut self,
        walk: &ArchiveWalk<'_>,
    ) -> Result<(), SurveyError> {
        for (id, facts, sealed) in &walk.waiting {
            if let Some(ring) = walk.keys.of(id).filter(|_| !facts.encryption.is_empty()) {
                self.prove_with_ring(facts, sealed, ring)?;
            }
        }
        Ok(())
    }

    /// The same of snapshots that are not packed.
    pub(super) fn prove_with_keys_beside(
        &mut self,
        waiting: &UnprovenSnapshots,
    ) -> Result<(), SurveyError> {
        let mut keys = std::mem::take(&mut self.hosted_keys);
        for (id, facts, sealed) in waiting {
            if is_hosted_and_encrypted(facts)
                && let Some(ring) = keys.look_beside(id, self.stores)
            {
                self.prove_with_ring(facts, sealed, ring)?;
            }
        }
        self.hosted_keys = keys;
        Ok(())
    }

    fn prove_with_ring(
        &mut self,
        facts: &Snapshot,
        sealed: &Sealed,
        ring: &KeyRing,
    ) -> Result<(), SurveyError> {
        let proven = prove_with_one_ring(&facts.encryption, sealed, ring);
        let proven = Proven {
            key_proof: proven.proof,
            certificates: Certificates::from(proven.certificates),
        };
        let key = SnapshotKey::of(facts);
        let proof = Box::new(ProofRecord {
            key_proof: proven.key_proof.clone(),
            certificates: proven.certificates.clone(),
        });
        self.recorder.add(vec![CatalogueChange::Proof {
            snapshot: key,
            kuberesources: KEYS_BESIDE_IT,
            proof,
        }])?;
        self.known.proofs.insert((key, KEYS_BESIDE_IT), proven);
        Ok(())
    }

    /// Snapshots that no key was tried on, although keys lie beside them by now: they must be read again.
    pub(super) fn unproven_hosted(&mut self) -> Vec<ObjectId> {
        let untried = self.known.untried_hosted();
        let asked = untried.filter(|id| self.asked.contains(*id));
        let mut ids: Vec<ObjectId> = asked.cloned().collect();
        ids.retain(|id| self.hosted_keys.look_beside(id, self.stores).is_some());
        ids
    }
}
