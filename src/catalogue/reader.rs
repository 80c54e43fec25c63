//! Reading records out of a store.

use super::about::About;
use super::contents::{CatalogueContents, SkippedRecord};
use super::damage::CatalogueDamage;
use super::error::{CatalogueError, RecordError};
use super::key::{CertificateSetId, DecodeKey, SnapshotKey, Subject, proof_bytes};
use super::lock::LockTurn;
use super::record::{CertifiedFacts, FileRecord, LocationRecord, ProofRecord, StoredFacts};
use super::run::RunRecord;
use super::seal::unseal;
use super::store::{CatalogueStore, StoreError, Table};
use super::sums::{TableSum, is_counted, of_record};
use super::version::Record;
use crate::backup::{Provenance, Verification};
use crate::digest::Sha256Digest;
use crate::kuberesources::Kuberesources;
use crate::kubernetes::certificate::Certificates;
use crate::parallel;
use crate::snapshot::Snapshot;
use crate::source::ObjectId;
use std::collections::HashMap;
use std::hash::Hash;
use std::path::PathBuf;

/// The catalogue at one moment. Others cannot write while it lives: keep it for moments.
pub struct CatalogueReader<'c> {
    pub(super) path: PathBuf,
    /// `None` where no catalogue is: an empty one.
    pub(super) store: Option<Box<dyn CatalogueStore + 'c>>,
    pub(super) about: About,
    pub(super) damage: CatalogueDamage,
    /// Dropped after the store.
    pub(super) turn: Option<LockTurn>,
}

impl std::fmt::Debug for CatalogueReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CatalogueReader")
            .field("path", &self.path)
            .field("turn", &self.turn)
            .finish()
    }
}

/// Records that are looked up by one thread at a time.
const AT_A_TIME: usize = 64;

/// Is shown a key and what its record says.
type VisitRecord<'v, R> = &'v mut dyn FnMut(&[u8], Result<R, RecordError>);

impl CatalogueReader<'_> {
    /// Everything at once.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged, or a later etcd-cat wrote to it. Single records that are damaged are
    /// passed over and named.
    pub fn load(&self) -> Result<CatalogueContents, CatalogueError> {
        // Snapshots are half of it.
        let halves = [Self::load_snapshots, Self::load_the_rest];
        let loaded = parallel::share(halves.into_iter(), |(), load| load(self));
        let mut loaded = loaded.into_iter();
        let mut next = || {
            loaded
                .next()
                .unwrap_or_else(|| Ok(CatalogueContents::default()))
        };
        let mut contents = CatalogueContents::of(next()?, next()?);
        contents.settle();
        Ok(contents)
    }

    /// Files and locations, and nothing of what was learnt of their contents.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub(crate) fn files_alone(&self) -> Result<CatalogueContents, CatalogueError> {
        let mut skipped = Vec::new();
        Ok(CatalogueContents {
            files: self.table(&mut skipped)?,
            locations: self.locations(&mut skipped)?.into_iter().collect(),
            generation: self.about.generation,
            skipped,
            ..CatalogueContents::default()
        })
    }

    fn load_snapshots(&self) -> Result<CatalogueContents, CatalogueError> {
        let mut contents = CatalogueContents::default();
        contents.snapshots = self.table(&mut contents.skipped)?;
        Ok(contents)
    }

    fn load_the_rest(&self) -> Result<CatalogueContents, CatalogueError> {
        let mut skipped = Vec::new();
        Ok(CatalogueContents {
            files: self.table(&mut skipped)?,
            kuberesources: self.table(&mut skipped)?,
            certificate_sets: self.table(&mut skipped)?,
            proofs: self.table(&mut skipped)?,
            verifications: self.verifications(&mut skipped)?,
            provenance: self.table(&mut skipped)?,
            locations: self.locations(&mut skipped)?.into_iter().collect(),
            runs: self.runs(&mut skipped)?.into_iter().collect(),
            generation: self.about.generation,
            skipped,
            ..CatalogueContents::default()
        })
    }

    /// Every file that was read, ascending by the bytes of its path.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn files(&self) -> Result<Vec<(ObjectId, FileRecord)>, CatalogueError> {
        self.each(&mut Vec::new())
    }

    /// What is remembered of one file.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn file(&self, path: &ObjectId) -> Result<Option<FileRecord>, CatalogueError> {
        self.one(&path.to_bytes())
    }

    /// The whole facts of one snapshot.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn snapshot(&self, key: SnapshotKey) -> Result<Option<Snapshot>, CatalogueError> {
        self.whole(&key.to_bytes())
    }

    /// The whole facts of one kuberesources.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn kuberesources(
        &self,
        digest: Sha256Digest,
    ) -> Result<Option<Kuberesources>, CatalogueError> {
        self.whole(&digest.0)
    }

    /// What the keys of a kuberesources were shown to do for a snapshot.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn proof(
        &self,
        snapshot: SnapshotKey,
        kuberesources: Sha256Digest,
    ) -> Result<Option<ProofRecord>, CatalogueError> {
        let key = proof_bytes(snapshot, kuberesources);
        self.whole(&key)
    }

    /// The verifications of one backup, oldest first.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn verifications_of(&self, subject: Subject) -> Result<Vec<Verification>, CatalogueError> {
        let mut found = Vec::new();
        self.visit(&subject.to_bytes(), &mut |_, decoded| {
            found.extend(decoded);
        })?;
        Ok(found)
    }

    /// How one snapshot was taken.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn provenance(&self, key: SnapshotKey) -> Result<Option<Provenance>, CatalogueError> {
        self.one(&key.to_bytes())
    }

    /// How often the catalogue was written to.
    pub(crate) fn generation(&self) -> u64 {
        self.about.generation
    }

    /// Remembered locations, ascending.
    pub(super) fn locations(
        &self,
        skipped: &mut Vec<SkippedRecord>,
    ) -> Result<Vec<(ObjectId, LocationRecord)>, CatalogueError> {
        self.each(skipped)
    }

    /// What came of the last run of each kind, by its name.
    pub(super) fn runs(
        &self,
        skipped: &mut Vec<SkippedRecord>,
    ) -> Result<Vec<(String, RunRecord)>, CatalogueError> {
        self.each(skipped)
    }

    /// Certificate sets and the records that name them.
    pub(super) fn sets_in_use(
        &self,
    ) -> Result<Vec<(Table, Vec<u8>, CertificateSetId)>, CatalogueError> {
        let mut found = Vec::new();
        self.each_set::<Snapshot>(&mut found)?;
        self.each_set::<Kuberesources>(&mut found)?;
        self.each_set::<ProofRecord>(&mut found)?;
        Ok(found)
    }

    fn each_set<T>(
        &self,
        found: &mut Vec<(Table, Vec<u8>, CertificateSetId)>,
    ) -> Result<(), CatalogueError>
    where
        StoredFacts<T>: Record,
    {
        self.visit(&[], &mut |key, decoded: Result<StoredFacts<T>, _>| {
            if let Ok(StoredFacts {
                certificates: Some(set),
                ..
            }) = decoded
            {
                found.push((StoredFacts::<T>::TABLE, key.to_vec(), set));
            }
        })
    }

    fn whole<T: CertifiedFacts>(&self, key: &[u8]) -> Result<Option<T>, CatalogueError>
    where
        StoredFacts<T>: Record,
    {
        let Some(stored) = self.one::<StoredFacts<T>>(key)? else {
            return Ok(None);
        };
        let certificates = self.certificates(stored.certificates)?;
        Ok(certificates.map(|certificates| stored.facts.with(certificates)))
    }

    /// `None` when the set cannot be read: then the facts are not whole either.
    fn certificates(
        &self,
        set: Option<CertificateSetId>,
    ) -> Result<Option<Certificates>, CatalogueError> {
        match set {
            Some(id) => self.one(&id.0),
            None => Ok(Some(Certificates::default())),
        }
    }

    fn verifications(
        &self,
        skipped: &mut Vec<SkippedRecord>,
    ) -> Result<HashMap<Subject, Vec<Verification>>, CatalogueError> {
        let mut verifications: HashMap<Subject, Vec<Verification>> = HashMap::new();
        for (subject, verification) in self.each(skipped)? {
            verifications.entry(subject).or_default().push(verification);
        }
        Ok(verifications)
    }

    fn table<K, R>(&self, skipped: &mut Vec<SkippedRecord>) -> Result<HashMap<K, R>, CatalogueError>
    where
        K: DecodeKey + Eq + Hash,
        R: Record,
    {
        Ok(self.each(skipped)?.into_iter().collect())
    }

    /// Every record of a kind in order of keys; the damaged are named in `skipped`.
    fn each<K: DecodeKey, R: Record>(
        &self,
        skipped: &mut Vec<SkippedRecord>,
    ) -> Result<Vec<(K, R)>, CatalogueError> {
        let (mut found, mut sum, mut foreign) = (Vec::new(), TableSum::default(), None);
        let read = |key: &[u8], record: &[u8]| {
            let decoded = unseal(key, record).and_then(|value| Ok((K::from_bytes(key)?, value)));
            (of_record(key, record), decoded)
        };
        self.scan_shared(R::TABLE, &[], &|_| true, &read, &mut |key,
                                                                (
            of_record,
            decoded,
        )| {
            sum.replace(None, Some(of_record));
            match decoded {
                Ok(record) => found.push(record),
                Err(error) if error.is_foreign() => foreign = Some(error),
                Err(error) => {
                    self.tell_damaged(R::TABLE, key, &error);
                    skipped.push(SkippedRecord::new(R::TABLE, key, error.to_string()));
                }
            }
        })?;
        self.hold_against(R::TABLE, sum);
        foreign.map_or(Ok(found), |reason| Err(self.foreign::<R>(reason)))
    }

    /// Shows every record of a kind whose key begins with `prefix`, in order of keys.
    pub(super) fn visit<R: Record>(
        &self,
        prefix: &[u8],
        visit: VisitRecord<'_, R>,
    ) -> Result<(), CatalogueError> {
        let mut foreign = None;
        let mut sum = TableSum::default();
        self.scan(R::TABLE, prefix, &mut |key, record| {
            sum.add(key, record);
            let decoded = unseal(key, record);
            match &decoded {
                Err(error) if error.is_foreign() => foreign = Some(error.clone()),
                Err(error) => self.tell_damaged(R::TABLE, key, error),
                Ok(_) => {}
            }
            visit(key, decoded);
        })?;
        if prefix.is_empty() {
            self.hold_against(R::TABLE, sum);
        }
        foreign.map_or(Ok(()), |reason| Err(self.foreign::<R>(reason)))
    }

    /// A record that is damaged is as good as none.
    pub(super) fn one<R: Record>(&self, key: &[u8]) -> Result<Option<R>, CatalogueError> {
        let Some(record) = self.bytes(R::TABLE, key)? else {
            return Ok(None);
        };
        self.unsealed(key, &record)
    }

    fn unsealed<R: Record>(&self, key: &[u8], record: &[u8]) -> Result<Option<R>, CatalogueError> {
        match unseal(key, record) {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.is_foreign() => Err(self.foreign::<R>(error)),
            Err(error) => {
                self.tell_damaged(R::TABLE, key, &error);
                Ok(None)
            }
        }
    }

    /// The records under `keys`, in their order; `None` where one is not there or damaged.
    pub(super) fn many<R: Record>(
        &self,
        keys: &[Vec<u8>],
    ) -> Result<Option<Vec<R>>, CatalogueError> {
        let read = parallel::share(keys.chunks(AT_A_TIME), |(), keys| self.each_of(keys));
        let mut records = Vec::with_capacity(keys.len());
        for part in read {
            records.extend(part?);
        }
        Ok(records.into_iter().collect())
    }

    /// The records under `keys` that can be read, in their order.
    pub(super) fn each_of<R: Record>(
        &self,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<R>>, CatalogueError> {
        let found = self.bytes_of_each(R::TABLE, keys)?;
        let records = keys.iter().zip(found).map(|(key, found)| match found {
            Some(record) => self.unsealed(key, &record),
            None => Ok(None),
        });
        records.collect()
    }

    fn tell_damaged(&self, table: Table, key: &[u8], error: &RecordError) {
        let record = SkippedRecord::new(table, key, error.to_string());
        self.damage.tell_record(&record);
    }

    /// Tells of a table that is not what it was when it was written last.
    pub(super) fn hold_against(&self, table: Table, found: TableSum) {
        let sums = self.about.sums.as_ref().filter(|_| is_counted(table));
        let expected = sums.map(|sums| sums.table(table));
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            self.damage.tell(format!(
                "{}: {} records are there, expected {} and no other",
                table.name(),
                found.records,
                expected.records
            ));
        }
    }

    fn foreign<R: Record>(&self, reason: RecordError) -> CatalogueError {
        CatalogueError::Foreign {
            path: self.path.clone(),
            table: R::TABLE.name(),
            reason,
        }
    }

    /// The record as it lies in the store.
    pub(super) fn bytes(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, CatalogueError> {
        let found = self.store.as_ref().map(|store| store.get(table, key));
        found
            .transpose()
            .map(Option::flatten)
            .map_err(|error| self.error(error))
    }

    /// The same of many, in the order of their keys.
    pub(super) fn bytes_of_each(
        &self,
        table: Table,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Vec<u8>>>, CatalogueError> {
        match &self.store {
            Some(store) => store
                .get_each(table, keys)
                .map_err(|error| self.error(error)),
            None => Ok(vec![None; keys.len()]),
        }
    }

    pub(super) fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), CatalogueError> {
        let scanned = self
            .store
            .as_ref()
            .map(|store| store.scan(table, prefix, visit));
        scanned.transpose().map_err(|error| self.error(error))?;
        Ok(())
    }

    pub(super) fn error(&self, error: StoreError) -> CatalogueError {
        CatalogueError::of(&self.path, error)
    }
}
