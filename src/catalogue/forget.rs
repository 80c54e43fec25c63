//! What is dropped when something is forgotten: its records and those that nobody else needs.

use super::change::CatalogueBatch;
use super::error::CatalogueError;
use super::key::{DecodeKey, SnapshotKey, Subject};
use super::store::{Operation, Table};
use crate::digest::Sha256Digest;
use crate::source::ObjectId;
use std::collections::HashSet;

/// What to drop from the catalogue. Files on disk stay.
#[derive(Clone, Debug, Default)]
pub struct Forget {
    /// Snapshots: facts, history and every path that held them.
    pub snapshots: Vec<SnapshotKey>,
    /// Kuberesources: likewise.
    pub kuberesources: Vec<Sha256Digest>,
    /// Single paths, whatever they held.
    pub paths: Vec<ObjectId>,
    /// Remembered locations.
    pub locations: Vec<ObjectId>,
}

impl CatalogueBatch<'_> {
    /// Drops records; returns how many.
    pub(super) fn forget(&mut self, forget: &Forget) -> Result<u64, CatalogueError> {
        let snapshots = forget.snapshots.iter().copied().map(Subject::Snapshot);
        let kuberesources = forget
            .kuberesources
            .iter()
            .copied()
            .map(Subject::Kuberesources);
        let subjects: HashSet<Subject> = snapshots.chain(kuberesources).collect();
        let paths: HashSet<_> = forget.paths.iter().collect();
        for (path, file) in self.before.files()? {
            let subject = file.content.subject();
            if paths.contains(&path) || subject.is_some_and(|subject| subjects.contains(&subject)) {
                self.delete(Table::Files, path.to_bytes());
            }
        }
        for subject in &subjects {
            self.forget_subject(*subject)?;
        }
        self.forget_proofs(&subjects)?;
        for location in &forget.locations {
            self.delete_all(Table::Locations, &location.to_bytes(), Extent::Exact)?;
        }
        let count = u64::try_from(self.operations.len()).unwrap_or(u64::MAX);
        self.drop_unused_certificates()?;
        Ok(count)
    }

    fn forget_subject(&mut self, subject: Subject) -> Result<(), CatalogueError> {
        self.delete_all(Table::Verifications, &subject.to_bytes(), Extent::Prefix)?;
        match subject {
            Subject::Snapshot(key) => {
                for table in [Table::Snapshots, Table::Provenance] {
                    self.delete_all(table, &key.to_bytes(), Extent::Exact)?;
                }
                Ok(())
            }
            Subject::Kuberesources(digest) => {
                self.delete_all(Table::Kuberesources, &digest.0, Extent::Exact)
            }
        }
    }

    /// Drops every proof that has one of the subjects for a half.
    fn forget_proofs(&mut self, subjects: &HashSet<Subject>) -> Result<(), CatalogueError> {
        let mut keys = Vec::new();
        self.before.scan(Table::Proofs, &[], &mut |key, _| {
            let halves = <(SnapshotKey, Sha256Digest)>::decode(key);
            let is_forgotten = halves.is_some_and(|(snapshot, kuberesources)| {
                subjects.contains(&Subject::Snapshot(snapshot))
                    || subjects.contains(&Subject::Kuberesources(kuberesources))
            });
            if is_forgotten {
                keys.push(key.to_vec());
            }
        })?;
        keys.into_iter()
            .for_each(|key| self.delete(Table::Proofs, key));
        Ok(())
    }

    /// Drops certificate sets that only deleted records name.
    fn drop_unused_certificates(&mut self) -> Result<(), CatalogueError> {
        let deleted: HashSet<(Table, Vec<u8>)> = self
            .operations
            .iter()
            .filter_map(Operation::deleted)
            .collect();
        let mut used = HashSet::new();
        for (table, key, set) in self.before.sets_in_use()? {
            if !deleted.contains(&(table, key)) {
                used.insert(set.0.to_vec());
            }
        }
        let mut unused = Vec::new();
        self.before
            .scan(Table::CertificateSets, &[], &mut |key, _| {
                if !used.contains(key) {
                    unused.push(key.to_vec());
                }
            })?;
        unused
            .into_iter()
            .for_each(|key| self.delete(Table::CertificateSets, key));
        Ok(())
    }

    /// Deletes what is there under this key, or under every key that begins with it.
    fn delete_all(
        &mut self,
        table: Table,
        key: &[u8],
        extent: Extent,
    ) -> Result<(), CatalogueError> {
        let mut keys = Vec::new();
        self.before.scan(table, key, &mut |found, _| {
            if extent == Extent::Prefix || found == key {
                keys.push(found.to_vec());
            }
        })?;
        keys.into_iter().for_each(|key| self.delete(table, key));
        Ok(())
    }
}

/// How much a key stands for.
#[derive(Clone, Copy, PartialEq)]
enum Extent {
    Exact,
    Prefix,
}
