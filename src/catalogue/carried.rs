//! Carrying what one catalogue knows into another: many workers prove, one catalogue remembers.

use super::change::{CatalogueBatch, CatalogueChange};
use super::contents::CatalogueContents;
use super::error::CatalogueError;
use super::memory::MemoryStore;
use super::open::Catalogue;
use super::record::{Content, FileRecord};
use super::seal::{is_intact, unseal};
use super::store::{CatalogueStore as _, Operation, Table};
use crate::parallel;
use crate::source::{ObjectId, ObjectIdentity};
use foldhash::quality::RandomState;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// A record on its way from one catalogue to another, as it lies in the store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CarriedRecord {
    /// Name of its table.
    pub(crate) table: Cow<'static, str>,
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
                    table: table.name().into(),
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
        self.write(|batch| batch.take_over(learnt, identities, changes))
    }

    /// The same, and what `meanwhile` makes of all that is known then, while it is written; nothing where nothing was to be
    /// written, or nobody is there to make it.
    ///
    /// # Errors
    ///
    /// As [`record`](Self::record).
    pub(crate) fn take_over_and<T: Send>(
        &self,
        learnt: Vec<CarriedRecord>,
        identities: &HashMap<ObjectId, ObjectIdentity>,
        changes: Vec<CatalogueChange>,
        meanwhile: impl FnOnce(CatalogueContents) -> T + Send,
    ) -> Result<(u64, Option<T>), CatalogueError> {
        let (files, prepared) =
            self.prepare(|batch| batch.take_over(learnt, identities, changes))?;
        let Some(prepared) = prepared else {
            return Ok((files, None));
        };
        let contents = prepared.contents()?;
        let (made, written) = parallel::beside(|| meanwhile(contents), || prepared.write());
        written?;
        Ok((files, made))
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
        changes: Vec<CatalogueChange>,
    ) -> Result<u64, CatalogueError> {
        changes.into_iter().try_for_each(|one| self.add(one))?;
        let mut files = Vec::new();
        for record in learnt {
            match Table::named(&record.table).filter(|table| CARRIED.contains(table)) {
                None => {}
                Some(Table::Files) => files.push(record),
                Some(table) => {
                    let CarriedRecord { key, value, .. } = record;
                    self.operations.push(Operation::Put { table, key, value });
                }
            }
        }
        let known: HashSet<(Table, &[u8]), RandomState> =
            self.operations.iter().map(Operation::place).collect();
        let is_known = |content: &Content| match content {
            Content::Snapshot(key) => known.contains(&(Table::Snapshots, &key.to_bytes())),
            Content::Kuberesources(digest) => known.contains(&(Table::Kuberesources, &digest.0)),
            _ => true,
        };
        // Without facts it is as good as never read.
        let files = parallel::map(&files, |record| {
            file_of(record).filter(|(_, file)| is_known(&file.content))
        });
        let files: Vec<(ObjectId, FileRecord)> = files.into_iter().flatten().collect();
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

#[cfg(test)]
mod tests {
    use super::super::key::SnapshotKey;
    use super::super::key::Subject;
    use super::super::location::CatalogueLocation;
    use super::*;
    use crate::backup::{Verdict, Verification};
    use crate::fixture::{at, snapshot};
    use crate::source::FileIdentity;
    use std::path::Path;

    fn catalogue(path: &Path) -> Catalogue {
        Catalogue::new(CatalogueLocation::Redb(path.to_owned()))
    }

    /// A snapshot at a place, read and verified then.
    fn read(path: &str, seed: u64, when: &str) -> Vec<CatalogueChange> {
        let facts = snapshot("prod", seed);
        let key = SnapshotKey::of(&facts);
        let verification = Verification {
            at: at(when),
            verdict: Verdict::Valid,
            accepted: Vec::new(),
        };
        vec![
            CatalogueChange::File {
                path: ObjectId::from(Path::new(path)),
                identity: FileIdentity::default().into(),
                content: Content::Snapshot(key),
                read_at: at(when),
                custody: None,
            },
            CatalogueChange::Snapshot(Box::new(facts)),
            CatalogueChange::Verification {
                subject: Subject::Snapshot(key),
                verification,
            },
        ]
    }

    #[test]
    fn what_is_handed_over_meanwhile_is_what_is_there_afterwards() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let worker = catalogue(&directory.path().join("worker.redb"));
        let here = catalogue(&directory.path().join("here.redb"));
        let (old, new) = ("2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z");
        let record = |catalogue: &Catalogue, changes| {
            catalogue.record(changes).expect("written");
        };
        record(&here, read("/b/replaced.db", 1, old));
        record(&here, read("/b/kept.db", 2, old));
        record(&worker, read("/b/replaced.db", 3, new));
        record(&worker, read("/b/new.db", 2, new));
        let learnt = || worker.carried().expect("read");
        let take_over = |changes| {
            here.take_over_and(learnt(), &HashMap::new(), changes, |contents| contents)
                .expect("taken over")
        };
        let location = CatalogueChange::Location {
            path: ObjectId::from(Path::new("/b")),
            first_seen_at: at(new),
            file_system: None,
        };
        let (files, contents) = take_over(vec![location]);
        assert_eq!(files, 2);
        let contents = contents.expect("something was written");
        assert_eq!(contents, here.load().expect("read"));
        assert_eq!((contents.files.len(), contents.snapshots.len()), (3, 3));
        assert_eq!(contents.locations.len(), 1);
        assert_eq!(take_over(Vec::new()), (0, None), "nothing new");
        assert!(here.damage().told().is_empty());
    }
}
