//! Carrying what one catalogue knows into another: many workers prove, one catalogue remembers.

use super::change::{CatalogueBatch, CatalogueChange};
use super::error::CatalogueError;
use super::memory::MemoryStore;
use super::open::Catalogue;
use super::record::{Content, FileRecord};
use super::seal::{is_intact, unseal};
use super::store::{CatalogueStore as _, Operation, Table};
use crate::source::{ObjectId, ObjectIdentity};
use std::collections::{HashMap, HashSet};

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

    /// Remembers what other catalogues know, and `changes` besides. Of each file the newest reading counts; `identities` are
    /// how files look from here, where that is known. Returns how many files it learnt of.
    ///
    /// # Errors
    ///
    /// As [`record`](Self::record).
    pub(crate) fn take_over(
        &self,
        learnt: Vec<CarriedRecord>,
        identities: &HashMap<ObjectId, ObjectIdentity>,
        changes: Vec<CatalogueChange>,
    ) -> Result<u64, CatalogueError> {
        self.write(|batch| {
            changes.into_iter().try_for_each(|c| batch.add(c))?;
            batch.take_over(learnt, identities)
        })
    }
}

impl CarriedRecord {
    /// What is wrong with it, as far as that can be told without understanding it.
    pub(crate) fn problem(&self) -> Option<CarryProblem> {
        let Some(table) = Table::named(&self.table) else {
            return Some(CarryProblem::Later);
        };
        let version = self.value.first();
        if version.is_some_and(|version| *version > table.version()) {
            return Some(CarryProblem::Later);
        }
        (!is_intact(table, &self.key, &self.value)).then_some(CarryProblem::Damaged)
    }
}

/// Why a record cannot be carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CarryProblem {
    /// A later etcd-cat wrote it.
    Later,
    /// It is not as it was written.
    Damaged,
}

impl CatalogueBatch<'_> {
    /// Records are of contents, and the same wherever those lie: they are taken as they are. A file lies here.
    fn take_over(
        &mut self,
        learnt: Vec<CarriedRecord>,
        identities: &HashMap<ObjectId, ObjectIdentity>,
    ) -> Result<u64, CatalogueError> {
        let mut files = Vec::new();
        let mut known = HashSet::new();
        for record in learnt {
            match Table::named(&record.table).filter(|table| CARRIED.contains(table)) {
                None => {}
                Some(Table::Files) => files.extend(file_of(&record)),
                Some(table) => {
                    if matches!(table, Table::Snapshots | Table::Kuberesources) {
                        known.insert((table, record.key.clone()));
                    }
                    let CarriedRecord { key, value, .. } = record;
                    self.operations.push(Operation::Put { table, key, value });
                }
            }
        }
        // Without facts it is as good as never read.
        files
            .retain(|(_, file)| facts_of(&file.content).is_none_or(|place| known.contains(&place)));
        self.look_up(files.iter().map(|(path, _)| path))?;
        let mut count = 0;
        for (path, file) in files {
            if self.read_at(&path) >= Some(file.read_at) {
                continue;
            }
            let identity = identities.get(path.outermost()).cloned();
            let identity = identity.unwrap_or(file.identity);
            self.add_file(path, identity, file.content, file.read_at, file.custody)?;
            count += 1;
        }
        Ok(count)
    }
}

/// What a record says of a file; nothing when it cannot be read.
fn file_of(record: &CarriedRecord) -> Option<(ObjectId, FileRecord)> {
    let file = unseal(&record.key, &record.value).ok()?;
    Some((ObjectId::from_bytes(&record.key), file))
}

/// Where the facts of this content lie; `None` when it has none.
fn facts_of(content: &Content) -> Option<(Table, Vec<u8>)> {
    match content {
        Content::Snapshot(key) => Some((Table::Snapshots, key.to_bytes())),
        Content::Kuberesources(digest) => Some((Table::Kuberesources, digest.0.to_vec())),
        _ => None,
    }
}
