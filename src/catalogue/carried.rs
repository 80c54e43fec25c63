//! Carrying what one catalogue knows into another: many workers prove, one catalogue remembers.

use super::change::CatalogueChange;
use super::contents::CatalogueContents;
use super::error::CatalogueError;
use super::memory::MemoryStore;
use super::open::Catalogue;
use super::store::{CatalogueStore as _, Operation, Table};
use crate::source::{ObjectId, ObjectIdentity};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A record on its way from one catalogue to another, as it lies in the store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CarriedRecord {
    /// Name of its table.
    pub(crate) table: String,
    /// Its key.
    pub(crate) key: Vec<u8>,
    /// Its value, sealed.
    pub(crate) value: Vec<u8>,
}

/// Tables whose records mean the same in every catalogue.
const CARRIED: [Table; 6] = [
    Table::Files,
    Table::Snapshots,
    Table::Kuberesources,
    Table::CertificateSets,
    Table::Proofs,
    Table::Verifications,
];

impl Catalogue {
    /// Every record that another catalogue can take over.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub(crate) fn carried(&self) -> Result<Vec<CarriedRecord>, CatalogueError> {
        let reader = self.reader()?;
        let mut records = Vec::new();
        for table in CARRIED {
            reader.scan(table, &[], &mut |key, value| {
                records.push(CarriedRecord {
                    table: table.name().to_owned(),
                    key: key.to_vec(),
                    value: value.to_vec(),
                });
            })?;
        }
        Ok(records)
    }

    /// A catalogue that ends with the process and holds these records. Those of other tables are left out; each is
    /// checked where it is read.
    pub(crate) fn of_carried(records: Vec<CarriedRecord>) -> Self {
        let puts = records.into_iter().filter_map(|record| {
            let table = Table::named(&record.table).filter(|table| CARRIED.contains(table))?;
            Some(Operation::Put {
                table,
                key: record.key,
                value: record.value,
            })
        });
        let mut store = MemoryStore::default();
        // Memory takes everything.
        let _ = store.apply(puts.collect());
        Self::in_memory(store)
    }

    /// Remembers what other catalogues know. Of each file the newest reading counts; `identities` are how files look from
    /// here, where that is known. Returns how many files it learnt of.
    ///
    /// # Errors
    ///
    /// As [`record`](Self::record).
    pub(crate) fn take_over(
        &self,
        learnt: Vec<CatalogueContents>,
        identities: &HashMap<ObjectId, ObjectIdentity>,
    ) -> Result<u64, CatalogueError> {
        let mut changes: Vec<CatalogueChange> = learnt.iter().flat_map(facts).collect();
        let before = changes.len();
        changes.extend(self.newer_files(learnt, identities)?);
        let files = u64::try_from(changes.len() - before).unwrap_or(u64::MAX);
        self.record(changes)?;
        Ok(files)
    }

    fn newer_files(
        &self,
        learnt: Vec<CatalogueContents>,
        identities: &HashMap<ObjectId, ObjectIdentity>,
    ) -> Result<Vec<CatalogueChange>, CatalogueError> {
        let reader = self.reader()?;
        let mut read_at: HashMap<ObjectId, DateTime<Utc>> = HashMap::new();
        let mut changes = Vec::new();
        for (path, record) in learnt.into_iter().flat_map(|contents| contents.files) {
            let before = match read_at.get(&path) {
                Some(before) => Some(*before),
                None => reader.file(&path)?.map(|before| before.read_at),
            };
            if before.is_some_and(|before| before >= record.read_at) {
                continue;
            }
            read_at.insert(path.clone(), record.read_at);
            let identity = identities
                .get(path.outermost())
                .cloned()
                .unwrap_or(record.identity);
            changes.push(CatalogueChange::File {
                path,
                identity,
                content: record.content,
                read_at: record.read_at,
                custody: record.custody,
            });
        }
        Ok(changes)
    }
}

/// Facts, proofs and verifications: they are of contents, and the same wherever those lie.
fn facts(contents: &CatalogueContents) -> Vec<CatalogueChange> {
    let snapshots = contents.snapshots.keys().filter_map(|key| {
        let facts = contents.snapshot(key)?;
        Some(CatalogueChange::Snapshot(Box::new(facts)))
    });
    let archives = contents.kuberesources.keys().filter_map(|digest| {
        let facts = contents.kuberesources(digest)?;
        Some(CatalogueChange::Kuberesources(Box::new(facts)))
    });
    let proofs = contents.proofs.keys().filter_map(|(snapshot, digest)| {
        Some(CatalogueChange::Proof {
            snapshot: *snapshot,
            kuberesources: *digest,
            proof: Box::new(contents.proof(*snapshot, *digest)?),
        })
    });
    let verifications = contents.verifications.iter().flat_map(|(subject, all)| {
        all.iter()
            .map(|verification| CatalogueChange::Verification {
                subject: *subject,
                verification: verification.clone(),
            })
    });
    snapshots
        .chain(archives)
        .chain(proofs)
        .chain(verifications)
        .collect()
}
