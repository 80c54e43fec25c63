//! Everything the catalogue remembers, in memory.

use super::key::{CertificateSetId, SnapshotKey, Subject};
use super::record::{
    CertifiedFacts, Content, FileRecord, LocationRecord, ProofRecord, StoredFacts,
};
use super::run::RunRecord;
use super::store::Table;
use crate::backup::{Provenance, Shared, Verification};
use crate::digest::Sha256Digest;
use crate::kuberesources::Kuberesources;
use crate::kubernetes::certificate::Certificates;
use crate::parallel;
use crate::snapshot::Snapshot;
use crate::source::ObjectId;
use std::collections::{BTreeMap, HashMap};

/// What [`CatalogueReader::load`](super::CatalogueReader::load) found.
///
/// Certificates lie apart: the backups of one cluster hold the same few hundred, and ten thousand copies of them
/// would be most of the catalogue. [`CatalogueContents::snapshot`] and its like put facts together again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CatalogueContents {
    /// Every file that was read, by path.
    pub files: HashMap<ObjectId, FileRecord>,
    /// Files whose facts are gone or cannot be read any more: they are to be read again.
    pub(crate) without_facts: HashMap<ObjectId, FileRecord>,
    /// Facts of snapshots, without certificates.
    pub snapshots: HashMap<SnapshotKey, StoredFacts<Snapshot>>,
    /// Facts of kuberesources, without certificates.
    pub kuberesources: HashMap<Sha256Digest, StoredFacts<Kuberesources>>,
    /// The certificates.
    pub certificate_sets: HashMap<CertificateSetId, Certificates>,
    /// What keys were shown to do, without certificates.
    pub proofs: HashMap<(SnapshotKey, Sha256Digest), StoredFacts<ProofRecord>>,
    /// Verifications, oldest first.
    pub verifications: HashMap<Subject, Vec<Verification>>,
    /// How snapshots were taken.
    pub provenance: HashMap<SnapshotKey, Provenance>,
    /// Where to look for backups.
    pub locations: BTreeMap<ObjectId, LocationRecord>,
    /// What came of the last run of each kind, by its name.
    pub runs: BTreeMap<String, RunRecord>,
    /// How often the catalogue had been written to.
    pub generation: u64,
    /// Records that could not be used.
    pub skipped: Vec<SkippedRecord>,
}

/// A record that is as good as not there: its file is read again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SkippedRecord {
    /// Name of the table.
    pub table: &'static str,
    /// The path, or the key in hex.
    pub key: String,
    /// Why it is of no use.
    pub reason: String,
    /// Where it lies in its table.
    pub(crate) raw_key: Vec<u8>,
}

impl SkippedRecord {
    pub(super) fn new(table: Table, key: &[u8], reason: impl Into<String>) -> Self {
        let raw_key = key.to_vec();
        let key = match table {
            Table::Files | Table::Locations | Table::About | Table::Runs => {
                String::from_utf8_lossy(key).into_owned()
            }
            _ => data_encoding::HEXLOWER.encode(key),
        };
        Self {
            table: table.name(),
            key,
            reason: reason.into(),
            raw_key,
        }
    }
}

impl CatalogueContents {
    /// What is remembered of a file, whether its facts are there or not.
    pub(crate) fn file(&self, path: &ObjectId) -> Option<&FileRecord> {
        self.files
            .get(path)
            .or_else(|| self.without_facts.get(path))
    }

    /// The certificates of some facts.
    pub fn certificates(&self, id: Option<CertificateSetId>) -> Certificates {
        let set = id.and_then(|id| self.certificate_sets.get(&id));
        set.cloned().unwrap_or_default()
    }

    fn whole<T: CertifiedFacts>(&self, stored: StoredFacts<T>) -> T {
        stored.facts.with(self.certificates(stored.certificates))
    }

    fn each_whole<K: Send, T: CertifiedFacts + Send + Sync>(
        &self,
        stored: HashMap<K, StoredFacts<T>>,
    ) -> Vec<(K, Shared<T>)> {
        let stored = stored.into_iter().collect();
        parallel::map_into(stored, |(key, stored)| (key, self.whole(stored).into()))
    }

    /// The whole facts of a snapshot.
    pub fn snapshot(&self, key: &SnapshotKey) -> Option<Snapshot> {
        let stored = self.snapshots.get(key)?;
        Some(self.whole(stored.clone()))
    }

    /// The whole facts of a kuberesources.
    pub fn kuberesources(&self, digest: &Sha256Digest) -> Option<Kuberesources> {
        let stored = self.kuberesources.get(digest)?;
        Some(self.whole(stored.clone()))
    }

    /// What the keys of a kuberesources were shown to do for a snapshot.
    pub fn proof(&self, snapshot: SnapshotKey, kuberesources: Sha256Digest) -> Option<ProofRecord> {
        let stored = self.proofs.get(&(snapshot, kuberesources))?;
        Some(self.whole(stored.clone()))
    }

    /// The same, taken out: held once in memory.
    pub(crate) fn take_snapshot(&mut self, key: &SnapshotKey) -> Option<Snapshot> {
        let stored = self.snapshots.remove(key)?;
        Some(self.whole(stored))
    }

    /// The same, taken out: held once in memory.
    pub(crate) fn take_kuberesources(&mut self, digest: &Sha256Digest) -> Option<Kuberesources> {
        let stored = self.kuberesources.remove(digest)?;
        Some(self.whole(stored))
    }

    /// The whole facts of every snapshot, taken out.
    pub(crate) fn take_snapshots(&mut self) -> Vec<(SnapshotKey, Shared<Snapshot>)> {
        let stored = std::mem::take(&mut self.snapshots);
        self.each_whole(stored)
    }

    /// The whole facts of every kuberesources, taken out.
    pub(crate) fn take_all_kuberesources(&mut self) -> Vec<(Sha256Digest, Shared<Kuberesources>)> {
        let stored = std::mem::take(&mut self.kuberesources);
        self.each_whole(stored)
    }

    /// The verifications of a backup, oldest first.
    pub fn verifications(&self, subject: &Subject) -> &[Verification] {
        self.verifications.get(subject).map_or(&[], Vec::as_slice)
    }

    /// Joins snapshots and all the rest, which were read at the same time.
    pub(super) fn of(snapshots: Self, rest: Self) -> Self {
        let mut skipped = rest.skipped;
        skipped.extend(snapshots.skipped);
        Self {
            snapshots: snapshots.snapshots,
            skipped,
            ..rest
        }
    }

    /// Takes out what points at records that are not there, so that its files count as never read.
    pub(super) fn settle(&mut self) {
        let sets = &self.certificate_sets;
        let is_whole = |id: Option<CertificateSetId>| id.is_none_or(|id| sets.contains_key(&id));
        self.snapshots
            .retain(|_, facts| is_whole(facts.certificates));
        self.kuberesources
            .retain(|_, facts| is_whole(facts.certificates));
        self.proofs.retain(|_, proof| is_whole(proof.certificates));
        let is_known = |_: &ObjectId, file: &mut FileRecord| match &file.content {
            Content::Snapshot(key) => self.snapshots.contains_key(key),
            Content::Kuberesources(digest) => self.kuberesources.contains_key(digest),
            Content::NotABackup
            | Content::Unreadable { .. }
            | Content::Foreign(_)
            | Content::Archive => true,
        };
        self.without_facts = self
            .files
            .extract_if(|path, file| !is_known(path, file))
            .collect();
        for path in self.without_facts.keys() {
            let key = path.to_bytes();
            let reason = "facts of its content are gone";
            self.skipped
                .push(SkippedRecord::new(Table::Files, &key, reason));
        }
        let skipped = &mut self.skipped;
        skipped.sort_by(|a, b| (a.table, &a.key).cmp(&(b.table, &b.key)));
    }
}
