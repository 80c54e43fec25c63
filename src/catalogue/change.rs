//! From what was learnt to operations on the store.

use super::contents::SkippedRecord;
use super::error::CatalogueError;
use super::key::{CertificateSetId, SnapshotKey, Subject, proof_bytes, verification_bytes};
use super::reader::CatalogueReader;
use super::record::{
    Content, FileRecord, LocationRecord, PreviousContent, ProofRecord, StoredFacts,
};
use super::seal::{is_intact, seal};
use super::store::{Operation, Table};
use crate::backup::{Provenance, Verification};
use crate::digest::Sha256Digest;
use crate::finding::has_error;
use crate::kuberesources::Kuberesources;
use crate::kubernetes::certificate::Certificates;
use crate::parallel;
use crate::snapshot::Snapshot;
use crate::source::{Custody, FileSystemId, ObjectId, ObjectIdentity};
use chrono::{DateTime, Utc};
use foldhash::quality::RandomState;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// Something to remember.
#[derive(Clone, Debug)]
pub enum CatalogueChange {
    /// A file was read. Its facts belong into the same call.
    File {
        /// Where it lies.
        path: ObjectId,
        /// What it looked like before it was read.
        identity: ObjectIdentity,
        /// What was in it.
        content: Content,
        /// When it was read.
        read_at: DateTime<Utc>,
        /// How its store keeps it; `None` where that was not told.
        custody: Option<Box<Custody>>,
    },
    /// Facts of a snapshot.
    Snapshot(Box<Snapshot>),
    /// Facts of a kuberesources.
    Kuberesources(Box<Kuberesources>),
    /// What the keys of a kuberesources do for a snapshot.
    Proof {
        /// The one.
        snapshot: SnapshotKey,
        /// The other.
        kuberesources: Sha256Digest,
        /// What came of it.
        proof: Box<ProofRecord>,
    },
    /// All bytes of a backup were read; added to those before.
    Verification {
        /// Which backup.
        subject: Subject,
        /// When and with what verdict.
        verification: Verification,
    },
    /// How a snapshot was taken.
    Provenance {
        /// Which snapshot.
        snapshot: SnapshotKey,
        /// By whom, where and when.
        provenance: Box<Provenance>,
    },
    /// A record that is not as it was written goes, if that is so still.
    Damaged(SkippedRecord),
    /// What has gone is given up: the damage was told, and its files are read again.
    GiveUp,
    /// A place to look for backups; the first time counts.
    Location {
        /// Which place.
        path: ObjectId,
        /// When it was first named.
        first_seen_at: DateTime<Utc>,
        /// The file system on which backups were found there; `None` leaves it as it is.
        file_system: Option<FileSystemId>,
    },
    /// It was told that a file is gone, or it is back.
    Gone {
        /// Where it lay.
        path: ObjectId,
        /// When it was told; `None` when it is back.
        at: Option<DateTime<Utc>>,
    },
}

/// Collects the operations of one batch on top of what the store holds already.
pub(super) struct CatalogueBatch<'r> {
    pub(super) before: &'r CatalogueReader<'r>,
    pub(super) operations: Vec<Operation>,
    /// Files of this batch, and others that were looked up together; `None` where there is none.
    files: HashMap<ObjectId, Option<FileRecord>, RandomState>,
    /// Certificate sets of this batch, which `before` does not know.
    sets: HashSet<CertificateSetId>,
    /// What is there counts from now on, whatever was there before.
    pub(super) is_counted_anew: bool,
}

impl<'r> CatalogueBatch<'r> {
    /// An empty batch.
    pub(super) fn new(before: &'r CatalogueReader<'r>) -> Self {
        Self {
            before,
            operations: Vec::new(),
            files: HashMap::default(),
            sets: HashSet::new(),
            is_counted_anew: false,
        }
    }

    /// The operations in order of tables and keys; those on one key are in the order in which they were added.
    pub(super) fn into_operations(self) -> Vec<Operation> {
        let mut tables: BTreeMap<Table, Vec<Operation>> = BTreeMap::new();
        for operation in self.operations {
            tables.entry(operation.table()).or_default().push(operation);
        }
        let sorted = parallel::share(tables.into_values(), |(), mut of_table| {
            of_table.sort_by(|one, other| one.place().cmp(&other.place()));
            of_table
        });
        sorted.into_iter().flatten().collect()
    }

    /// Adds what one change needs.
    pub(super) fn add(&mut self, change: CatalogueChange) -> Result<(), CatalogueError> {
        match change {
            CatalogueChange::File {
                path,
                identity,
                content,
                read_at,
                custody,
            } => self.add_file(path, identity, content, read_at, custody),
            CatalogueChange::Snapshot(facts) => self.add_snapshot(*facts),
            CatalogueChange::Kuberesources(mut facts) => {
                let set = self.add_certificates(&std::mem::take(&mut facts.certificates))?;
                let key = facts.sha256.0.to_vec();
                self.put_facts(Table::Kuberesources, key, *facts, set)
            }
            CatalogueChange::Proof {
                snapshot,
                kuberesources,
                mut proof,
            } => {
                let set = self.add_certificates(&std::mem::take(&mut proof.certificates))?;
                let key = proof_bytes(snapshot, kuberesources);
                self.put_facts(Table::Proofs, key, *proof, set)
            }
            CatalogueChange::Verification {
                subject,
                verification,
            } => {
                let key = verification_bytes(subject, verification.at);
                self.put(Table::Verifications, key, &verification)
            }
            CatalogueChange::GiveUp => {
                self.is_counted_anew = true;
                Ok(())
            }
            CatalogueChange::Damaged(record) => self.drop_damaged(record),
            CatalogueChange::Provenance {
                snapshot,
                provenance,
            } => self.put(Table::Provenance, snapshot.to_bytes(), &provenance),
            CatalogueChange::Location {
                path,
                first_seen_at,
                file_system,
            } => self.add_location(&path, first_seen_at, file_system),
            CatalogueChange::Gone { path, at } => self.add_gone(path, at),
        }
    }

    fn drop_damaged(&mut self, record: SkippedRecord) -> Result<(), CatalogueError> {
        let Some(table) = Table::named(record.table) else {
            return Ok(());
        };
        let key = record.raw_key;
        let stored = self.before.bytes(table, &key)?;
        if stored.is_none_or(|stored| is_intact(table, &key, &stored)) {
            return Ok(());
        }
        // The key says where to look: that goes on.
        let id = ObjectId::from_bytes(&key);
        if table == Table::Locations && id.as_path().is_some_and(Path::exists) {
            let anew = LocationRecord {
                first_seen_at: crate::instant::now(),
                file_system: None,
            };
            return self.put(table, key, &anew);
        }
        self.operations.push(Operation::Delete { table, key });
        Ok(())
    }

    fn add_snapshot(&mut self, mut facts: Snapshot) -> Result<(), CatalogueError> {
        let key = SnapshotKey::of(&facts).to_bytes();
        let set = self.add_certificates(&std::mem::take(&mut facts.certificates))?;
        self.put_facts(Table::Snapshots, key, facts, set)
    }

    /// Looks many files up together.
    pub(super) fn look_up<'p>(
        &mut self,
        paths: impl Iterator<Item = &'p ObjectId>,
    ) -> Result<(), CatalogueError> {
        let paths: Vec<&ObjectId> = paths.collect();
        let keys: Vec<Vec<u8>> = paths.iter().map(|path| path.to_bytes()).collect();
        let found = self.before.each_of::<FileRecord>(&keys)?;
        self.files.reserve(found.len());
        self.files.extend(paths.into_iter().cloned().zip(found));
        Ok(())
    }

    /// When a file was read that was looked up; `None` where there is none.
    pub(super) fn read_at(&self, path: &ObjectId) -> Option<DateTime<Utc>> {
        let file = self.files.get(path)?.as_ref()?;
        Some(file.read_at)
    }

    /// What is there in its place until now.
    fn file_before(&mut self, path: &ObjectId) -> Result<Option<FileRecord>, CatalogueError> {
        match self.files.remove(path) {
            Some(before) => Ok(before),
            None => self.before.file(path),
        }
    }

    pub(super) fn add_file(
        &mut self,
        path: ObjectId,
        identity: ObjectIdentity,
        content: Content,
        read_at: DateTime<Utc>,
        custody: Option<Box<Custody>>,
    ) -> Result<(), CatalogueError> {
        let before = self.file_before(&path)?;
        let first_seen_at = before
            .as_ref()
            .map_or(read_at, |before| before.first_seen_at);
        // A store that was not asked about it now has not taken back what it said.
        let custody = custody.or_else(|| {
            let same = before.as_ref().filter(|before| before.identity == identity);
            same.and_then(|before| before.custody.clone())
        });
        let previous = match before {
            Some(before) => self.previous(before, &content)?,
            None => None,
        };
        let record = FileRecord {
            identity,
            content,
            first_seen_at,
            read_at,
            previous,
            gone_at: None,
            custody,
        };
        self.put(Table::Files, path.to_bytes(), &record)?;
        self.files.insert(path, Some(record));
        Ok(())
    }

    /// What `content` has taken the place of. Only sound content counts: a download that went on
    /// is no change, and what lies there now is held against the last sound content, until that is back.
    fn previous(
        &self,
        before: FileRecord,
        content: &Content,
    ) -> Result<Option<Box<PreviousContent>>, CatalogueError> {
        if before.content == *content {
            return Ok(before.previous);
        }
        let kept = before
            .previous
            .filter(|previous| previous.content != *content);
        Ok(match self.sound_since(&before.content, before.read_at)? {
            Some(verified_at) => Some(Box::new(PreviousContent {
                content: before.content,
                size_bytes: before.identity.size_bytes(),
                verified_at,
            })),
            None => kept,
        })
    }

    /// When content without an error of its own was verified last; reading it counts.
    fn sound_since(
        &self,
        content: &Content,
        read_at: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, CatalogueError> {
        let (subject, findings) = match content {
            Content::Snapshot(key) => {
                let facts = self.before.snapshot(*key)?;
                (Subject::Snapshot(*key), facts.map(|facts| facts.findings))
            }
            Content::Kuberesources(digest) => {
                let facts = self.before.kuberesources(*digest)?;
                (
                    Subject::Kuberesources(*digest),
                    facts.map(|facts| facts.findings),
                )
            }
            Content::NotABackup
            | Content::Unreadable { .. }
            | Content::Foreign(_)
            | Content::Archive => {
                return Ok(None);
            }
        };
        if let Some(findings) = &findings
            && has_error(findings)
        {
            return Ok(None);
        }
        let newest = self.before.verifications_of(subject)?.pop();
        // Facts that cannot be read any more: what was said of them counts.
        if findings.is_none() && !newest.as_ref().is_some_and(|one| one.verdict.is_usable()) {
            return Ok(None);
        }
        Ok(Some(
            newest.map_or(read_at, |newest| newest.at.max(read_at)),
        ))
    }

    fn add_location(
        &mut self,
        path: &ObjectId,
        at: DateTime<Utc>,
        file_system: Option<FileSystemId>,
    ) -> Result<(), CatalogueError> {
        let key = path.to_bytes();
        let before = self.before.one::<LocationRecord>(&key)?;
        let record = LocationRecord {
            first_seen_at: before.map_or(at, |before| before.first_seen_at),
            file_system: file_system.or(before.and_then(|before| before.file_system)),
        };
        if before == Some(record) {
            return Ok(());
        }
        self.put(Table::Locations, key, &record)
    }

    fn add_gone(
        &mut self,
        path: ObjectId,
        at: Option<DateTime<Utc>>,
    ) -> Result<(), CatalogueError> {
        let before = self.file_before(&path)?;
        let Some(before) = before else {
            return Ok(());
        };
        let record = FileRecord {
            gone_at: at,
            ..before
        };
        self.put(Table::Files, path.to_bytes(), &record)?;
        self.files.insert(path, Some(record));
        Ok(())
    }

    /// Names the set and writes it down unless it is there.
    fn add_certificates(
        &mut self,
        certificates: &Certificates,
    ) -> Result<Option<CertificateSetId>, CatalogueError> {
        if certificates.is_empty() {
            return Ok(None);
        }
        let table = Table::CertificateSets;
        let bytes = seal(table, &[], certificates).map_err(|source| failure(table, source))?;
        let digest = Sha256::digest(&bytes);
        let id = CertificateSetId(*digest.first_chunk().unwrap_or(&[0; 16]));
        let is_known = self.sets.contains(&id) || self.before.one::<Certificates>(&id.0)?.is_some();
        if !is_known {
            self.put(table, id.0.to_vec(), certificates)?;
            self.sets.insert(id);
        }
        Ok(Some(id))
    }

    fn put_facts<T: Serialize>(
        &mut self,
        table: Table,
        key: Vec<u8>,
        facts: T,
        certificates: Option<CertificateSetId>,
    ) -> Result<(), CatalogueError> {
        let stored = StoredFacts {
            facts,
            certificates,
        };
        self.put(table, key, &stored)
    }

    fn put(
        &mut self,
        table: Table,
        key: Vec<u8>,
        value: &impl Serialize,
    ) -> Result<(), CatalogueError> {
        let value = seal(table, &key, value).map_err(|source| failure(table, source))?;
        self.operations.push(Operation::Put { table, key, value });
        Ok(())
    }

    pub(super) fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.operations.push(Operation::Delete { table, key });
    }
}

fn failure(table: Table, source: super::error::RecordError) -> CatalogueError {
    let table = table.name();
    CatalogueError::Record { table, source }
}
