//! The catalogue as commands use it: opened late, closed early.

use super::about::About;
use super::ahead::StoreAhead;
use super::change::{CatalogueBatch, CatalogueChange};
use super::contents::CatalogueContents;
use super::damage::CatalogueDamage;
use super::derived::SealedRecord;
use super::error::CatalogueError;
use super::forget::Forget;
use super::location::CatalogueLocation;
use super::lock::{LockTurn, LockWait};
use super::memory::MemoryStore;
use super::reader::CatalogueReader;
use super::record::LocationRecord;
use super::redb::RedbStore;
use super::run::{Run, RunRecord};
use super::store::{Access, CatalogueStore, Operation, StoreError, Table, Visit};
use super::sums::TableSums;
use crate::source::ObjectId;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

/// A turn takes milliseconds; who waits longer than this waits for something stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// What etcd-cat remembers. Holds a place, not an open file: every call opens the store for its own moment.
#[derive(Debug)]
pub struct Catalogue {
    location: CatalogueLocation,
    patience: Duration,
    memory: Mutex<MemoryStore>,
    damage: CatalogueDamage,
}

impl Catalogue {
    /// The catalogue at this place, which need not be there yet.
    pub fn new(location: CatalogueLocation) -> Self {
        Self {
            location,
            patience: PATIENCE,
            memory: Mutex::default(),
            damage: CatalogueDamage::default(),
        }
    }

    /// A catalogue that ends with the process, and holds at first what this store holds.
    pub fn in_memory(store: MemoryStore) -> Self {
        Self {
            memory: Mutex::new(store),
            ..Self::new(CatalogueLocation::Memory)
        }
    }

    /// Waits this long for another process instead of ten seconds.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Collects in `damage` what is not as it was written.
    #[must_use]
    pub fn telling(self, damage: CatalogueDamage) -> Self {
        Self { damage, ..self }
    }

    /// What was found not to be as it was written.
    pub fn damage(&self) -> &CatalogueDamage {
        &self.damage
    }

    /// How long it waits for another process.
    pub(super) fn waits_for(&self) -> Duration {
        self.patience
    }

    /// Where it lies.
    pub fn location(&self) -> &CatalogueLocation {
        &self.location
    }

    /// Everything it remembers; nothing when it is not there. Changes and creates nothing.
    ///
    /// # Errors
    ///
    /// It is damaged, held by another process, of a later layout, or cannot be read.
    pub fn load(&self) -> Result<CatalogueContents, CatalogueError> {
        self.reader()?.load()
    }

    /// The same without facts, which are most of it, where every record is as it was written: files and locations. Where one is
    /// not, which files are to be read again shows only in all of it.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_files(&self) -> Result<CatalogueContents, CatalogueError> {
        let mut reader = self.reader()?;
        // It is told by whoever reads all of it.
        reader.damage = CatalogueDamage::default();
        let files = reader.files_alone()?;
        reader.look_at_all()?;
        if reader.damage.told().is_empty() {
            return Ok(files);
        }
        drop(reader);
        self.load()
    }

    /// Opens it for single look-ups. Nobody can write until the reader is dropped.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn reader(&self) -> Result<CatalogueReader<'_>, CatalogueError> {
        self.open(Access::Read)
    }

    /// Remembers all of this, or nothing when it fails. It is on disk when this returns.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), and when it cannot be created or written.
    pub fn record(&self, changes: Vec<CatalogueChange>) -> Result<(), CatalogueError> {
        if changes.is_empty() {
            return Ok(());
        }
        let work =
            |batch: &mut CatalogueBatch<'_>| changes.into_iter().try_for_each(|c| batch.add(c));
        self.write(work)
    }

    /// Drops records, never files; returns how many.
    ///
    /// # Errors
    ///
    /// As [`record`](Self::record).
    pub fn forget(&self, forget: &Forget) -> Result<u64, CatalogueError> {
        self.write(|batch| batch.forget(forget))
    }

    /// Remembers a place to look for backups.
    ///
    /// # Errors
    ///
    /// As [`record`](Self::record).
    pub fn remember_location(
        &self,
        location: impl Into<ObjectId>,
        first_seen_at: DateTime<Utc>,
    ) -> Result<(), CatalogueError> {
        self.record(vec![CatalogueChange::Location {
            path: location.into(),
            first_seen_at,
            file_system: None,
        }])
    }

    /// Remembered locations, ascending.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn locations(&self) -> Result<Vec<(ObjectId, LocationRecord)>, CatalogueError> {
        self.reader()?.locations(&mut Vec::new())
    }

    /// Where to look: the remembered locations, and of those whose record is damaged the ones that are there.
    pub(crate) fn places(&self) -> Result<Vec<ObjectId>, CatalogueError> {
        let mut skipped = Vec::new();
        let locations = self.reader()?.locations(&mut skipped)?;
        let damaged = skipped
            .iter()
            .map(|record| ObjectId::from_bytes(&record.raw_key));
        let is_there = |id: &ObjectId| id.as_path().is_some_and(Path::exists);
        let mut places: Vec<_> = locations.into_iter().map(|(id, _)| id).collect();
        places.extend(damaged.filter(is_there));
        Ok(places)
    }

    /// Puts records that were drawn from all others into `table`, in the place of those before, unless the catalogue
    /// was written to since `generation`: then they are out of date.
    ///
    /// # Errors
    ///
    /// As [`record`](Self::record).
    pub(crate) fn keep_derived(
        &self,
        table: Table,
        generation: u64,
        records: Vec<SealedRecord>,
    ) -> Result<(), CatalogueError> {
        let mut reader = self.open(Access::Write)?;
        if generation != reader.about.generation {
            return Ok(());
        }
        let mut operations = Vec::new();
        reader.scan(table, &[], &mut |key, _| {
            let key = key.to_vec();
            operations.push(Operation::Delete { table, key });
        })?;
        operations.extend(records.into_iter().map(SealedRecord::into_put));
        apply(&mut reader, operations)
    }

    /// Remembers what came of a run, in the place of the last one of that name.
    ///
    /// Nothing that is judged changes by it: the overview holds on. A run that failed makes no catalogue.
    ///
    /// # Errors
    ///
    /// As [`record`](Self::record).
    pub fn record_run(&self, name: &str, run: &Run) -> Result<(), CatalogueError> {
        let is_there = self.location.path().is_none_or(Path::exists);
        if !is_there && !run.is_success {
            return Ok(());
        }
        let mut reader = self.open(Access::Write)?;
        let before = reader.one::<RunRecord>(name.as_bytes())?;
        let record = run.record(before.as_ref());
        let record = SealedRecord::new(Table::Runs, name.as_bytes().to_vec(), &record)?;
        apply(&mut reader, vec![record.into_put()])
    }

    /// What came of the last run of each kind, by its name.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn runs(&self) -> Result<BTreeMap<String, RunRecord>, CatalogueError> {
        let runs = self.reader()?.runs(&mut Vec::new())?;
        Ok(runs.into_iter().collect())
    }

    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&mut CatalogueBatch<'_>) -> Result<T, CatalogueError>,
    ) -> Result<T, CatalogueError> {
        let (result, prepared) = self.prepare(work)?;
        prepared.map(PreparedBatch::write).transpose()?;
        Ok(result)
    }

    /// Makes a batch of `work`, and writes nothing yet; no batch where nothing is to be written.
    pub(super) fn prepare<T>(
        &self,
        work: impl FnOnce(&mut CatalogueBatch<'_>) -> Result<T, CatalogueError>,
    ) -> Result<(T, Option<PreparedBatch<'_>>), CatalogueError> {
        let reader = self.open(Access::Write)?;
        let mut batch = CatalogueBatch::new(&reader);
        let result = work(&mut batch)?;
        let is_counted_anew = batch.is_counted_anew;
        let mut operations = batch.into_operations();
        if operations.is_empty() && !is_counted_anew {
            return Ok((result, None));
        }
        let known = reader.about.sums.clone().filter(|_| !is_counted_anew);
        let is_counted = known.is_some();
        let known = known.map_or_else(|| reader.counted(), Ok)?;
        let sums = reader.settle(&known, &mut operations)?;
        if operations.is_empty() && is_counted {
            return Ok((result, None));
        }
        let prepared = PreparedBatch {
            reader,
            operations,
            sums,
        };
        Ok((result, Some(prepared)))
    }

    fn open(&self, access: Access) -> Result<CatalogueReader<'_>, CatalogueError> {
        let path = self.location.path().unwrap_or(Path::new("in memory"));
        let mut wait = LockWait::new(path, self.patience);
        let turn = match self.location {
            CatalogueLocation::Memory => None,
            _ => Some(LockTurn::take(access, &mut wait)?),
        };
        let store = loop {
            match self.open_store(path, access) {
                Err(StoreError::Busy) => wait.pause()?,
                opened => break opened.map_err(|error| CatalogueError::of(path, error))?,
            }
        };
        let path = path.to_owned();
        let about = match &store {
            Some(store) => About::read(store.as_ref()),
            None => Ok(About::default()),
        };
        let about = about.map_err(|error| CatalogueError::of(&path, error))?;
        about.check(&path)?;
        let is_redb = matches!(self.location, CatalogueLocation::Redb(_));
        if is_redb && store.is_some() && !about.has_layout() {
            self.damage
                .tell("it does not say what it is: its tables are gone");
        }
        Ok(CatalogueReader {
            path,
            store,
            about,
            damage: self.damage.clone(),
            turn,
        })
    }

    pub(super) fn open_store(
        &self,
        path: &Path,
        access: Access,
    ) -> Result<OpenStore<'_>, StoreError> {
        match &self.location {
            CatalogueLocation::Redb(_) => Ok(RedbStore::open(path, access)?.map(boxed)),
            CatalogueLocation::Sled(_) => open_sled(path, access),
            CatalogueLocation::Memory => match self.memory.try_lock() {
                Ok(memory) => Ok(Some(boxed(LockedMemory(memory)))),
                Err(TryLockError::WouldBlock) => Err(StoreError::Busy),
                Err(TryLockError::Poisoned(poisoned)) => {
                    Ok(Some(boxed(LockedMemory(poisoned.into_inner()))))
                }
            },
        }
    }
}

/// A batch that changes something. Nobody else reads or writes the catalogue while it lives.
pub(super) struct PreparedBatch<'c> {
    reader: CatalogueReader<'c>,
    /// In order of tables and keys.
    operations: Vec<Operation>,
    sums: TableSums,
}

impl PreparedBatch<'_> {
    /// Everything that the catalogue will hold once it is written.
    pub(super) fn contents(&self) -> Result<CatalogueContents, CatalogueError> {
        let store = self.reader.store.as_ref();
        let ahead = store.map(|store| StoreAhead::new(store.as_ref(), &self.operations));
        let reader = CatalogueReader {
            path: self.reader.path.clone(),
            store: ahead.map(boxed),
            about: self.reader.about.once_written(self.sums.clone()),
            damage: self.reader.damage.clone(),
            turn: None,
        };
        reader.load()
    }

    /// Writes all of it, or nothing when it fails.
    pub(super) fn write(mut self) -> Result<(), CatalogueError> {
        let about = &self.reader.about;
        self.operations.push(about.next_generation());
        self.operations.push(self.sums.kept(about.next_number())?);
        apply(&mut self.reader, self.operations)
    }
}

fn apply(
    reader: &mut CatalogueReader<'_>,
    mut operations: Vec<Operation>,
) -> Result<(), CatalogueError> {
    operations.extend(reader.about.beside(&operations));
    let applied = reader.store.as_mut().map(|store| store.apply(operations));
    applied.transpose().map_err(|error| reader.error(error))?;
    Ok(())
}

pub(super) type OpenStore<'c> = Option<Box<dyn CatalogueStore + 'c>>;

#[cfg(feature = "store-sled")]
fn open_sled<'c>(path: &Path, access: Access) -> Result<OpenStore<'c>, StoreError> {
    let store = super::sled::SledStore::open(path, access)?;
    Ok(store.map(boxed))
}

#[cfg(not(feature = "store-sled"))]
fn open_sled<'c>(_: &Path, _: Access) -> Result<OpenStore<'c>, StoreError> {
    Err(StoreError::NotBuilt)
}

fn boxed<'c>(store: impl CatalogueStore + 'c) -> Box<dyn CatalogueStore + 'c> {
    Box::new(store)
}

/// The memory store for as long as it is borrowed.
struct LockedMemory<'c>(MutexGuard<'c, MemoryStore>);

impl CatalogueStore for LockedMemory<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(table, key)
    }

    fn scan(&self, table: Table, prefix: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        self.0.scan(table, prefix, visit)
    }

    fn apply(&mut self, batch: Vec<Operation>) -> Result<(), StoreError> {
        self.0.apply(batch)
    }
}
