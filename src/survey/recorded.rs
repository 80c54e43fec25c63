//! Checksums that were recorded beside files, and what the files have instead: each file is read once, and what was recorded
//! of it is computed on the way.

use crate::discovery::{
    Checksum, FoundObject, MAX_LIST_BYTES, checksums, is_checksum_list, listed_by_name,
};
use crate::finding::{Artifact, Code, Finding};
use crate::source::{ObjectId, Pace, Store};
use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Arc, Mutex, PoisonError};

/// What was recorded of one file, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Recorded {
    pub(super) checksum: Checksum,
    pub(super) list: ObjectId,
}

/// What was recorded of the files of a survey.
#[derive(Debug, Default)]
pub(super) struct RecordedChecksums {
    of: BTreeMap<ObjectId, Vec<Recorded>>,
}

impl RecordedChecksums {
    /// Reads the lists among some files. A list that cannot be read says nothing.
    pub(super) fn among<'o>(
        objects: impl Iterator<Item = &'o FoundObject> + Clone,
        store: &dyn Store,
    ) -> Self {
        let known: BTreeSet<&ObjectId> = objects.clone().map(|object| &object.id).collect();
        let mut found = Self::default();
        for list in objects.filter(|object| is_list(object)) {
            found.read(list, &known, store);
        }
        found
    }

    fn read(&mut self, list: &FoundObject, known: &BTreeSet<&ObjectId>, store: &dyn Store) {
        let (Some(directory), Some(list_name)) = (list.id.parent(), list.id.file_name()) else {
            return;
        };
        let Ok(text) = read_whole(list, store) else {
            return;
        };
        let own = listed_by_name(list_name);
        for recorded in checksums(&text) {
            let Some(name) = recorded.name.as_deref().or(own) else {
                continue;
            };
            let file = directory.join(OsStr::from_bytes(name));
            if known.contains(&file) {
                self.of.entry(file).or_default().push(Recorded {
                    checksum: recorded.checksum,
                    list: list.id.clone(),
                });
            }
        }
    }

    /// What was recorded of a file.
    pub(super) fn of(&self, id: &ObjectId) -> &[Recorded] {
        self.of.get(id).map_or(&[], Vec::as_slice)
    }
}

fn is_list(object: &FoundObject) -> bool {
    object.id.file_name().is_some_and(is_checksum_list)
        && object.identity.size_bytes() <= MAX_LIST_BYTES
}

fn read_whole(list: &FoundObject, store: &dyn Store) -> io::Result<Vec<u8>> {
    let open = store
        .open(&list.id, Some(&list.identity))
        .map_err(io::Error::other)?;
    let mut text = Vec::new();
    open.reader(Pace::OneByOne)?
        .take(MAX_LIST_BYTES)
        .read_to_end(&mut text)?;
    Ok(text)
}

/// The digests of one file, of the kinds that were recorded of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums(Arc<Mutex<Hashers>>);

#[derive(Debug, Default)]
struct Hashers {
    sha256: Option<Sha256>,
    md5: Option<Md5>,
}

impl Sums {
    /// Ready for what was recorded; SHA-256 not where the reading itself computes it.
    pub(super) fn for_each(recorded: &[Recorded], is_sha256_known: bool) -> Self {
        let has = |is: fn(&Checksum) -> bool| recorded.iter().any(|one| is(&one.checksum));
        let sha256 = !is_sha256_known && has(|one| matches!(one, Checksum::Sha256(_)));
        let md5 = has(|one| matches!(one, Checksum::Md5(_)));
        Self(Arc::new(Mutex::new(Hashers {
            sha256: sha256.then(Sha256::new),
            md5: md5.then(Md5::new),
        })))
    }

    /// The same bytes, hashed as they pass.
    pub(super) fn of(&self, bytes: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        let hashers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hashers.sha256.is_none() && hashers.md5.is_none() {
            return bytes;
        }
        let sums = self.clone();
        Box::new(Summing { bytes, sums })
    }

    /// What was recorded and is not so. `known` is the SHA-256 of the file, where its reading computed it.
    pub(super) fn differing(
        &self,
        recorded: &[Recorded],
        known: Option<[u8; 32]>,
    ) -> Vec<(Recorded, String)> {
        let hashers = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let sha256 = known.or_else(|| Some(hashers.sha256?.finalize().into()));
        let md5: Option<[u8; 16]> = hashers.md5.map(|md5| md5.finalize().into());
        let differing = recorded.iter().filter_map(|one| {
            let computed = match (one.checksum, sha256, md5) {
                (Checksum::Sha256(told), Some(computed), _) => {
                    (told != computed).then(|| hex(&computed))
                }
                (Checksum::Md5(told), _, Some(computed)) => {
                    (told != computed).then(|| hex(&computed))
                }
                _ => None,
            };
            Some((one.clone(), computed?))
        });
        differing.collect()
    }
}

struct Summing {
    bytes: Box<dyn Read + Send>,
    sums: Sums,
}

impl Read for Summing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.bytes.read(buffer)?;
        let read = buffer.get(..length).unwrap_or_default();
        let mut hashers = self.sums.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sha256) = &mut hashers.sha256 {
            sha256.update(read);
        }
        if let Some(md5) = &mut hashers.md5 {
            md5.update(read);
        }
        Ok(length)
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// `checksum-differs`, one for each list that says otherwise.
pub(super) fn differs(
    id: &ObjectId,
    artifact: Artifact,
    differing: Vec<(Recorded, String)>,
) -> impl Iterator<Item = Finding> {
    differing.into_iter().map(move |(recorded, computed)| {
        let (kind, told) = match recorded.checksum {
            Checksum::Sha256(told) => ("SHA-256", hex(&told)),
            Checksum::Md5(told) => ("MD5", hex(&told)),
        };
        let list = recorded.list.to_string();
        let message =
            format!("{list} says that the {kind} of {id} is {told}, and it is {computed}");
        Finding::new(Code::ChecksumDiffers, message)
            .artifact(artifact)
            .with("list", list)
            .with("expected", told)
            .with("computed", computed)
    })
}
