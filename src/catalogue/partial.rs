//! What is known of a few files or directories, without reading the rest.

use super::contents::CatalogueContents;
use super::error::CatalogueError;
use super::key::{CertificateSetId, DecodeKey as _, SnapshotKey, Subject};
use super::reader::CatalogueReader;
use super::record::{Content, FileRecord, ProofRecord, StoredFacts};
use crate::digest::Sha256Digest;
use crate::kuberesources::Kuberesources;
use crate::snapshot::Snapshot;
use crate::source::ObjectId;
use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// What lies in the files, each once.
fn held(contents: &CatalogueContents) -> (Vec<SnapshotKey>, Vec<Sha256Digest>) {
    let (mut snapshots, mut kuberesources) = (HashSet::new(), HashSet::new());
    for file in contents.files.values() {
        match &file.content {
            Content::Snapshot(key) => snapshots.extend([*key]),
            Content::Kuberesources(digest) => kuberesources.extend([*digest]),
            _ => {}
        }
    }
    (
        snapshots.into_iter().collect(),
        kuberesources.into_iter().collect(),
    )
}

impl CatalogueReader<'_> {
    /// Everything known of the files in these directories (not of those below), with the facts of what they hold; the
    /// history of those whose digest is `wanted`. `None` when a record is not as it should be.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged.
    pub(crate) fn load_directories(
        &self,
        directories: &[ObjectId],
        wanted: Sha256Digest,
    ) -> Result<Option<CatalogueContents>, CatalogueError> {
        let mut files = HashMap::new();
        for directory in directories {
            let Some(path) = directory.as_path() else {
                return Ok(None);
            };
            if !self.load_files_in(path, &mut files)? {
                return Ok(None);
            }
        }
        self.load_facts_of(files, wanted)
    }

    /// The same of these files.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged.
    pub(crate) fn load_files<'f>(
        &self,
        files: impl IntoIterator<Item = &'f ObjectId>,
        wanted: Sha256Digest,
    ) -> Result<Option<CatalogueContents>, CatalogueError> {
        let files: Vec<&ObjectId> = files.into_iter().collect();
        let keys: Vec<Vec<u8>> = files.iter().map(|id| id.to_bytes()).collect();
        let Some(records) = self.many::<FileRecord>(&keys)? else {
            return Ok(None);
        };
        let files = files.into_iter().cloned().zip(records);
        self.load_facts_of(files.collect(), wanted)
    }

    fn load_facts_of(
        &self,
        files: HashMap<ObjectId, FileRecord>,
        wanted: Sha256Digest,
    ) -> Result<Option<CatalogueContents>, CatalogueError> {
        let mut contents = CatalogueContents {
            files,
            generation: self.generation(),
            ..CatalogueContents::default()
        };
        let (snapshots, kuberesources) = held(&contents);
        let is_whole = self.load_snapshots_of(&snapshots, wanted, &mut contents)?
            && self.load_kuberesources_of(&kuberesources, wanted, &mut contents)?;
        Ok(is_whole.then_some(contents))
    }

    /// False when one of them cannot be read.
    fn load_files_in(
        &self,
        directory: &Path,
        files: &mut HashMap<ObjectId, FileRecord>,
    ) -> Result<bool, CatalogueError> {
        let mut prefix = directory.as_os_str().as_bytes().to_vec();
        if prefix.last() != Some(&b'/') {
            prefix.push(b'/');
        }
        let mut is_whole = true;
        self.visit(&prefix, &mut |key, decoded: Result<FileRecord, _>| {
            let id = ObjectId::from_bytes(key);
            if id.as_path().and_then(Path::parent) != Some(directory) {
                return;
            }
            match decoded {
                Ok(record) => {
                    files.insert(id, record);
                }
                Err(_told) => is_whole = false,
            }
        })?;
        Ok(is_whole)
    }

    fn load_snapshots_of(
        &self,
        keys: &[SnapshotKey],
        wanted: Sha256Digest,
        contents: &mut CatalogueContents,
    ) -> Result<bool, CatalogueError> {
        let bytes: Vec<Vec<u8>> = keys.iter().map(|key| key.to_bytes()).collect();
        let Some(stored) = self.many::<StoredFacts<Snapshot>>(&bytes)? else {
            return Ok(false);
        };
        let mut is_whole = true;
        for (key, stored) in keys.iter().zip(stored) {
            let is_encrypted = !stored.facts.encryption.is_empty();
            is_whole &= self.load_set(stored.certificates, contents)?;
            contents.snapshots.insert(*key, stored);
            if is_encrypted {
                is_whole &= self.load_proofs(key.computed, contents)?;
            }
            if key.computed == wanted {
                self.load_history(Subject::Snapshot(*key), contents)?;
                let provenance = self.provenance(*key)?;
                contents
                    .provenance
                    .extend(provenance.map(|one| (*key, one)));
            }
        }
        Ok(is_whole)
    }

    fn load_kuberesources_of(
        &self,
        digests: &[Sha256Digest],
        wanted: Sha256Digest,
        contents: &mut CatalogueContents,
    ) -> Result<bool, CatalogueError> {
        let keys: Vec<Vec<u8>> = digests.iter().map(|digest| digest.0.to_vec()).collect();
        let Some(stored) = self.many::<StoredFacts<Kuberesources>>(&keys)? else {
            return Ok(false);
        };
        let mut is_whole = true;
        for (digest, stored) in digests.iter().zip(stored) {
            is_whole &= self.load_set(stored.certificates, contents)?;
            contents.kuberesources.insert(*digest, stored);
            if *digest == wanted {
                self.load_history(Subject::Kuberesources(*digest), contents)?;
            }
        }
        Ok(is_whole)
    }

    /// What keys did for the data of a snapshot, whatever its trailer.
    fn load_proofs(
        &self,
        data: Sha256Digest,
        contents: &mut CatalogueContents,
    ) -> Result<bool, CatalogueError> {
        let mut found = Vec::new();
        let mut is_whole = true;
        self.visit(&data.0, &mut |key,
                                  decoded: Result<
            StoredFacts<ProofRecord>,
            _,
        >| {
            let pair = <(SnapshotKey, Sha256Digest)>::from_bytes(key);
            match pair.and_then(|pair| Ok((pair, decoded?))) {
                Ok(proof) => found.push(proof),
                Err(_told) => is_whole = false,
            }
        })?;
        for (pair, proof) in found {
            is_whole &= self.load_set(proof.certificates, contents)?;
            contents.proofs.insert(pair, proof);
        }
        Ok(is_whole)
    }

    fn load_set(
        &self,
        set: Option<CertificateSetId>,
        contents: &mut CatalogueContents,
    ) -> Result<bool, CatalogueError> {
        let Some(id) = set.filter(|id| !contents.certificate_sets.contains_key(id)) else {
            return Ok(true);
        };
        let found = self.one(&id.0)?;
        let is_there = found.is_some();
        contents
            .certificate_sets
            .extend(found.map(|certificates| (id, certificates)));
        Ok(is_there)
    }

    fn load_history(
        &self,
        subject: Subject,
        contents: &mut CatalogueContents,
    ) -> Result<(), CatalogueError> {
        let verifications = self.verifications_of(subject)?;
        if !verifications.is_empty() {
            contents.verifications.insert(subject, verifications);
        }
        Ok(())
    }
}
