//! Reading records out of a store.

use super::contents::{Contents, SkippedRecord, Stored};
use super::error::CatalogueError;
use super::key::{CertificateSetId, DecodeKey, SnapshotKey, Subject, path_bytes, proof_bytes};
use super::lock::Turn;
use super::overview::Overview;
use super::record::{FileRecord, Proof};
use super::seal::unseal;
use super::store::{CatalogueStore, StoreError, Table};
use crate::backup::{Provenance, Verification};
use crate::digest::Sha256Digest;
use crate::kuberesources::Kuberesources;
use crate::kubernetes::certificate::Certificates;
use crate::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};

/// The catalogue at one moment. Others cannot write while it lives: keep it for moments.
pub struct Reader<'c> {
    pub(super) path: PathBuf,
    /// `None` where no catalogue is: an empty one.
    pub(super) store: Option<Box<dyn CatalogueStore + 'c>>,
    /// Dropped after the store.
    pub(super) turn: Option<Turn>,
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("path", &self.path)
            .field("turn", &self.turn)
            .finish()
    }
}

/// An instant as a whole record.
#[derive(Deserialize, Serialize)]
pub(super) struct Instant(#[serde(with = "crate::instant")] pub(super) DateTime<Utc>);

/// Under this key in [`Table::About`].
pub(super) const GENERATION_KEY: &[u8] = b"generation";

/// Facts as they are written: their certificates named, not held.
type WithSet<T> = (T, Option<CertificateSetId>);

impl Reader<'_> {
    /// Everything at once.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged. Single records that are, are passed over and named.
    pub fn load(&self) -> Result<Contents, CatalogueError> {
        let mut skipped = Vec::new();
        let mut contents = Contents {
            files: self.table(Table::Files, &mut skipped)?,
            snapshots: stored(self.table(Table::Snapshots, &mut skipped)?),
            kuberesources: stored(self.table(Table::Kuberesources, &mut skipped)?),
            certificate_sets: self.certificate_sets(&mut skipped)?,
            proofs: stored(self.table(Table::Proofs, &mut skipped)?),
            verifications: self.verifications(&mut skipped)?,
            provenance: self.table(Table::Provenance, &mut skipped)?,
            locations: self.locations(&mut skipped)?.into_iter().collect(),
            generation: self.generation()?,
            skipped,
        };
        contents.settle();
        Ok(contents)
    }

    /// Every file that was read, ascending by the bytes of its path.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn files(&self) -> Result<Vec<(PathBuf, FileRecord)>, CatalogueError> {
        self.each(Table::Files, &mut Vec::new())
    }

    /// What is remembered of one file.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn file(&self, path: &Path) -> Result<Option<FileRecord>, CatalogueError> {
        self.one(Table::Files, &path_bytes(path))
    }

    /// The whole facts of one snapshot.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn snapshot(&self, key: SnapshotKey) -> Result<Option<Snapshot>, CatalogueError> {
        let Some((facts, set)) =
            self.one::<WithSet<Snapshot>>(Table::Snapshots, &key.to_bytes())?
        else {
            return Ok(None);
        };
        let certificates = self.certificates(set)?;
        Ok(certificates.map(|certificates| Snapshot {
            certificates,
            ..facts
        }))
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
        let found = self.one::<WithSet<Kuberesources>>(Table::Kuberesources, &digest.0)?;
        let Some((facts, set)) = found else {
            return Ok(None);
        };
        let certificates = self.certificates(set)?;
        Ok(certificates.map(|certificates| Kuberesources {
            certificates,
            ..facts
        }))
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
    ) -> Result<Option<Proof>, CatalogueError> {
        let key = proof_bytes(snapshot, kuberesources);
        let Some((proof, set)) = self.one::<WithSet<Proof>>(Table::Proofs, &key)? else {
            return Ok(None);
        };
        let certificates = self.certificates(set)?;
        Ok(certificates.map(|certificates| Proof {
            certificates,
            ..proof
        }))
    }

    /// The verifications of one backup, oldest first.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn verifications_of(&self, subject: Subject) -> Result<Vec<Verification>, CatalogueError> {
        let mut found = Vec::new();
        self.scan(
            Table::Verifications,
            &subject.to_bytes(),
            &mut |key, value| {
                found.extend(unseal::<Verification>(key, value));
            },
        )?;
        Ok(found)
    }

    /// How one snapshot was taken.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn provenance(&self, key: SnapshotKey) -> Result<Option<Provenance>, CatalogueError> {
        self.one(Table::Provenance, &key.to_bytes())
    }

    /// Every path that holds this content, ascending.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn paths_of(&self, subject: Subject) -> Result<Vec<PathBuf>, CatalogueError> {
        let prefix = subject.to_bytes();
        let mut paths = Vec::new();
        self.scan(Table::Places, &prefix, &mut |key, _| {
            let path = key.strip_prefix(prefix.as_slice());
            paths.extend(path.and_then(|path| PathBuf::from_bytes(path).ok()));
        })?;
        Ok(paths)
    }

    /// What was judged last; `None` when nothing was, or when the catalogue was written to since.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged. An overview that is damaged by itself is none.
    pub fn overview(&self) -> Result<Option<Overview>, CatalogueError> {
        Overview::read(self)
    }

    /// How often the catalogue was written to.
    pub(super) fn generation(&self) -> Result<u64, CatalogueError> {
        let bytes = self.bytes(Table::About, GENERATION_KEY)?;
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        Ok(bytes.map_or(0, u64::from_be_bytes))
    }

    /// Remembered locations and since when, ascending.
    pub(super) fn locations(
        &self,
        skipped: &mut Vec<SkippedRecord>,
    ) -> Result<Vec<(PathBuf, DateTime<Utc>)>, CatalogueError> {
        let locations: Vec<(PathBuf, Instant)> = self.each(Table::Locations, skipped)?;
        Ok(locations
            .into_iter()
            .map(|(path, Instant(at))| (path, at))
            .collect())
    }

    /// Certificate sets and the records that name them.
    pub(super) fn sets_in_use(
        &self,
    ) -> Result<Vec<(Table, Vec<u8>, CertificateSetId)>, CatalogueError> {
        let mut found = Vec::new();
        self.each_set::<Snapshot>(Table::Snapshots, &mut found)?;
        self.each_set::<Kuberesources>(Table::Kuberesources, &mut found)?;
        self.each_set::<Proof>(Table::Proofs, &mut found)?;
        Ok(found)
    }

    fn each_set<T: DeserializeOwned>(
        &self,
        table: Table,
        found: &mut Vec<(Table, Vec<u8>, CertificateSetId)>,
    ) -> Result<(), CatalogueError> {
        self.scan(table, &[], &mut |key, value| {
            if let Ok((_, Some(set))) = unseal::<WithSet<T>>(key, value) {
                found.push((table, key.to_vec(), set));
            }
        })
    }

    /// `None` when the set cannot be read: then the facts are not whole either.
    fn certificates(
        &self,
        set: Option<CertificateSetId>,
    ) -> Result<Option<Certificates>, CatalogueError> {
        match set {
            Some(id) => self.one(Table::CertificateSets, &id.0),
            None => Ok(Some(Certificates::default())),
        }
    }

    fn certificate_sets(
        &self,
        skipped: &mut Vec<SkippedRecord>,
    ) -> Result<HashMap<CertificateSetId, Certificates>, CatalogueError> {
        self.table(Table::CertificateSets, skipped)
    }

    fn verifications(
        &self,
        skipped: &mut Vec<SkippedRecord>,
    ) -> Result<HashMap<Subject, Vec<Verification>>, CatalogueError> {
        let mut verifications: HashMap<Subject, Vec<Verification>> = HashMap::new();
        for (subject, verification) in self.each(Table::Verifications, skipped)? {
            verifications.entry(subject).or_default().push(verification);
        }
        Ok(verifications)
    }

    fn table<K, V>(
        &self,
        table: Table,
        skipped: &mut Vec<SkippedRecord>,
    ) -> Result<HashMap<K, V>, CatalogueError>
    where
        K: DecodeKey + Eq + Hash,
        V: DeserializeOwned,
    {
        Ok(self.each(table, skipped)?.into_iter().collect())
    }

    /// Every record of a table in order of keys; the unusable are named in `skipped`.
    fn each<K: DecodeKey, V: DeserializeOwned>(
        &self,
        table: Table,
        skipped: &mut Vec<SkippedRecord>,
    ) -> Result<Vec<(K, V)>, CatalogueError> {
        let mut found = Vec::new();
        self.scan(table, &[], &mut |key, value| {
            let decoded = K::from_bytes(key).and_then(|k| Ok((k, unseal(key, value)?)));
            match decoded {
                Ok(record) => found.push(record),
                Err(error) => skipped.push(SkippedRecord::new(table, key, error.to_string())),
            }
        })?;
        Ok(found)
    }

    /// A record that does not decode is as good as none.
    pub(super) fn one<V: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<V>, CatalogueError> {
        Ok(self
            .bytes(table, key)?
            .and_then(|value| unseal(key, &value).ok()))
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

fn stored<K: Eq + Hash, T>(records: HashMap<K, WithSet<T>>) -> HashMap<K, Stored<T>> {
    let stored = |(key, (facts, certificates))| {
        (
            key,
            Stored {
                facts,
                certificates,
            },
        )
    };
    records.into_iter().map(stored).collect()
}
