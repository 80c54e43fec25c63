//! Tries the keys that lie beside a snapshot in its archive on the values of that snapshot.

use super::SurveyError;
use super::archive_walk::ArchiveWalk;
use super::examination::Examination;
use crate::catalogue::{CatalogueChange, ProofRecord, SnapshotKey};
use crate::inventory::{KEYS_PACKED_WITH_IT, Proven};
use crate::kubernetes::certificate::Certificates;
use crate::kubernetes::encryption::prove_with_one_ring;

impl Examination<'_> {
    /// Tries them on the values of the snapshots that they lie beside.
    pub(super) fn prove_with_packed_keys(
        &mut self,
        walk: &ArchiveWalk<'_>,
    ) -> Result<(), SurveyError> {
        for (id, facts, sealed) in &walk.waiting {
            let Some(ring) = walk.keys.of(id).filter(|_| !facts.encryption.is_empty()) else {
                continue;
            };
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
                kuberesources: KEYS_PACKED_WITH_IT,
                proof,
            }])?;
            self.known.proofs.insert((key, KEYS_PACKED_WITH_IT), proven);
        }
        Ok(())
    }
}
