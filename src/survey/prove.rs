//! Tries the keys of kuberesources on the values of snapshots, for every pair that is possible.

use super::every_value::EveryValue;
use super::file::read_kuberesources;
use super::knowledge::Knowledge;
use super::options::{Decrypt, SurveyOptions};
use crate::backup::Located;
use crate::catalogue::{CatalogueChange, Content, ProofRecord, SnapshotKey};
use crate::digest::Sha256Digest;
use crate::inventory::{Inventory, Proven};
use crate::kuberesources::Kuberesources;
use crate::kubernetes::certificate::Certificates;
use crate::kubernetes::encryption::KeyRing;
use crate::kubernetes::encryption::Sealed;
use crate::kubernetes::encryption::prove;
use crate::monitor::{Monitor, Silent};
use crate::pairing::candidates;
use crate::snapshot::Snapshot;
use crate::source::{ObjectId, Store};
use std::collections::HashMap;
use std::sync::Arc;

/// Key rings of this run. In memory only.
#[derive(Default)]
pub(super) struct KeyRings {
    rings: HashMap<Sha256Digest, Option<Arc<KeyRing>>>,
}

impl KeyRings {
    /// Keeps the ring of an archive that was read; `None` when it holds no keys.
    pub(super) fn keep(&mut self, kuberesources: Sha256Digest, ring: Option<KeyRing>) {
        self.rings.insert(kuberesources, ring.map(Arc::new));
    }

    /// The ring of an archive, read again from disk when this run has not read it yet.
    fn of(&mut self, archive: &Located<Kuberesources>, store: &dyn Store) -> Option<&Arc<KeyRing>> {
        let digest = archive.facts.sha256;
        if !self.rings.contains_key(&digest) && archive.is_present {
            let read = archive
                .places()
                .find_map(|place| read_kuberesources(place, store, &[], &Silent).ok());
            let (facts, ring) = read?;
            if facts.sha256 != digest {
                return None;
            }
            self.rings.insert(digest, ring.map(Arc::new));
        }
        self.rings.get(&digest)?.as_ref()
    }
}

/// Snapshots read now, waiting for keys.
pub(super) type UnprovenSnapshots = Vec<(ObjectId, Snapshot, Sealed)>;

/// Proves what waits against every archive that may be its partner; returns what is to be remembered.
pub(super) fn prove_waiting(
    waiting: UnprovenSnapshots,
    archives: &mut Vec<Located<Kuberesources>>,
    known: &mut Knowledge,
    rings: &mut KeyRings,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Vec<CatalogueChange> {
    let store: &dyn Store = &options.stores;
    let mut every = EveryValue {
        store,
        page_cache: options.page_cache,
        monitor,
        shown: HashMap::new(),
    };
    let (waiting, sealed): (Vec<_>, Vec<_>) = waiting
        .into_iter()
        .filter(|(_, facts, _)| !facts.encryption.is_empty())
        .map(|(path, facts, sealed)| (Located::alone(facts, path), sealed))
        .unzip();
    let inventory = Inventory {
        snapshots: waiting,
        kuberesources: std::mem::take(archives),
        ..Inventory::default()
    };
    let mut changes = Vec::new();
    for (snapshot, archive) in candidates(&inventory) {
        let (Some(found), Some(sealed)) = (snapshot.of(&inventory.snapshots), snapshot.of(&sealed))
        else {
            continue;
        };
        let Some(archive) = archive.of(&inventory.kuberesources) else {
            continue;
        };
        let ring = rings.of(archive, store);
        let proven = prove(&found.facts.encryption, sealed, ring.map(Arc::as_ref));
        let (mut key_proof, certificates) = (proven.proof, Certificates::from(proven.certificates));
        if let Some(ring) = ring.filter(|_| options.decrypt == Decrypt::All) {
            every.enter(&mut key_proof, found, sealed, ring);
        }
        let key = (SnapshotKey::of(&found.facts), archive.facts.sha256);
        if let Some(earlier) = known.proofs.get(&key) {
            key_proof.keep_from(&earlier.key_proof);
        }
        let proof = Box::new(ProofRecord {
            key_proof: key_proof.clone(),
            certificates: certificates.clone(),
        });
        changes.push(CatalogueChange::Proof {
            snapshot: key.0,
            kuberesources: key.1,
            proof,
        });
        known.proofs.insert(
            key,
            Proven {
                key_proof,
                certificates,
            },
        );
    }
    *archives = inventory.kuberesources;
    changes
}

/// Snapshots with encrypted values for which some possible partner's keys have not been tried: they must be read again.
pub(super) fn unproven(known: &Knowledge) -> Vec<ObjectId> {
    let snapshots = known.located_encrypted();
    let mut paths = Vec::new();
    if snapshots.is_empty() {
        return paths;
    }
    let inventory = Inventory {
        snapshots,
        kuberesources: known.located_kuberesources(),
        ..Inventory::default()
    };
    for (snapshot, archive) in candidates(&inventory) {
        let (Some(found), Some(archive)) = (
            snapshot.of(&inventory.snapshots),
            archive.of(&inventory.kuberesources),
        ) else {
            continue;
        };
        let key = (SnapshotKey::of(&found.facts), archive.facts.sha256);
        if archive.is_present && !known.proofs.contains_key(&key) {
            paths.push(found.path.clone());
        }
    }
    paths.sort();
    paths.dedup();
    paths.retain(|path| {
        known
            .files
            .get(path)
            .is_some_and(|entry| matches!(entry.content, Content::Snapshot(_)))
    });
    paths
}
