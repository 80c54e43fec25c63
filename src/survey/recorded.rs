//! Checksums that were recorded beside files, and what the files have instead: each file is read once, and what was recorded
//! of it is computed on the way.

use super::abreast::{AT_A_TIME, abreast};
use crate::discovery::{
    Checksum, FoundObject, MAX_LIST_BYTES, checksums, is_checksum_list, listed_by_name,
};
use crate::finding::{Artifact, Code, Finding};
use crate::monitor::Monitor;
use crate::source::{ObjectId, Pace, Store};
use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
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
    /// Lists beside files that were not to be read, by their directory.
    unread: BTreeMap<ObjectId, Vec<FoundObject>>,
}

impl RecordedChecksums {
    /// Reads the lists among some files, as far as a file beside them is to be read. A list that cannot be read says nothing.
    /// `None` when the monitor asked to stop.
    pub(super) fn among<'o>(
        objects: impl Iterator<Item = &'o FoundObject> + Clone,
        is_to_be_read: impl Fn(&FoundObject) -> bool,
        store: &dyn Store,
        monitor: &dyn Monitor,
    ) -> Option<Self> {
        let known: BTreeSet<&ObjectId> = objects.clone().map(|object| &object.id).collect();
        let (lists, files): (Vec<&FoundObject>, Vec<&FoundObject>) =
            objects.partition(|object| is_list(object));
        let mut found = Self::default();
        if lists.is_empty() {
            return Some(found);
        }
        let read = files.into_iter().filter(|file| is_to_be_read(file));
        let directories: BTreeSet<ObjectId> = read.filter_map(|file| file.id.parent()).collect();
        let (wanted, unread): (Vec<&FoundObject>, Vec<&FoundObject>) =
            lists.into_iter().partition(|list| {
                let directory = list.id.parent();
                directory.is_some_and(|directory| directories.contains(&directory))
            });
        for list in unread {
            let directory = list.id.parent();
            let beside = directory.map(|directory| found.unread.entry(directory).or_default());
            beside
                .into_iter()
                .for_each(|beside| beside.push(list.clone()));
        }
        found.read(&wanted, |file| known.contains(file), store, monitor)?;
        Some(found)
    }

    /// Reads what was left unread beside files that are to be read after all. `None` when the monitor asked to stop.
    pub(super) fn read_beside(
        &mut self,
        files: &BTreeSet<ObjectId>,
        store: &dyn Store,
        monitor: &dyn Monitor,
    ) -> Option<()> {
        let directories: BTreeSet<ObjectId> = files.iter().filter_map(ObjectId::parent).collect();
        let lists = directories.iter().filter_map(|one| self.unread.remove(one));
        let lists: Vec<FoundObject> = lists.flatten().collect();
        let lists: Vec<&FoundObject> = lists.iter().collect();
        self.read(&lists, |file| files.contains(file), store, monitor)
    }

    fn read(
        &mut self,
        lists: &[&FoundObject],
        is_wanted: impl Fn(&ObjectId) -> bool,
        store: &dyn Store,
        monitor: &dyn Monitor,
    ) -> Option<()> {
        // As many texts are in memory as are read at a time.
        for some in lists.chunks(AT_A_TIME) {
            let is_far = some.iter().any(|list| !store.is_near(&list.id));
            let threads = if is_far { AT_A_TIME } else { 1 };
            let texts = abreast(some, threads, monitor, |list| read_whole(list, store))?;
            for (list, text) in some.iter().zip(texts) {
                if let Ok(text) = text {
                    self.learn(&list.id, &text, &is_wanted);
                }
            }
        }
        Some(())
    }

    /// Takes what a list says of files beside it, as far as those are wanted.
    pub(super) fn learn(
        &mut self,
        list: &ObjectId,
        text: &[u8],
        mut is_wanted: impl FnMut(&ObjectId) -> bool,
    ) {
        let Some(list_name) = list.file_name() else {
            return;
        };
        let own = listed_by_name(list_name);
        for recorded in checksums(text) {
            let Some(name) = recorded.name.as_deref().or(own) else {
                continue;
            };
            let Some(file) = beside(list, OsStr::from_bytes(name)) else {
                continue;
            };
            if is_wanted(&file) {
                self.of.entry(file).or_default().push(Recorded {
                    checksum: recorded.checksum,
                    list: list.clone(),
                });
            }
        }
    }

    /// Everything, by the file that it is about.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&ObjectId, &[Recorded])> {
        self.of
            .iter()
            .map(|(id, recorded)| (id, recorded.as_slice()))
    }

    /// What was recorded of a file.
    pub(super) fn of(&self, id: &ObjectId) -> &[Recorded] {
        self.of.get(id).map_or(&[], Vec::as_slice)
    }
}

/// What has this name in the directory of a list.
fn beside(list: &ObjectId, name: &OsStr) -> Option<ObjectId> {
    match list.archive() {
        Some((archive, path)) => {
            let path = Path::new(path).with_file_name(name);
            Some(archive.member(path.as_os_str()))
        }
        None => Some(list.parent()?.join(name)),
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
    pub(super) fn of<'r>(&self, bytes: Box<dyn Read + Send + 'r>) -> Box<dyn Read + Send + 'r> {
        if !self.is_wanted() {
            return bytes;
        }
        let sums = self.clone();
        Box::new(Summing { bytes, sums })
    }

    /// Anything is to be computed.
    pub(super) fn is_wanted(&self) -> bool {
        let hashers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hashers.sha256.is_some() || hashers.md5.is_some()
    }

    /// What came of it. `known` is the SHA-256 of the file, where its reading computed it.
    pub(super) fn finish(&self, known: Option<[u8; 32]>) -> Digests {
        let hashers = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Digests {
            sha256: known.or_else(|| Some(hashers.sha256?.finalize().into())),
            md5: hashers.md5.map(|md5| md5.finalize().into()),
        }
    }

    /// What was recorded and is not so. `known` is the SHA-256 of the file, where its reading computed it.
    pub(super) fn differing(
        &self,
        recorded: &[Recorded],
        known: Option<[u8; 32]>,
    ) -> Vec<(Recorded, String)> {
        self.finish(known).differing(recorded)
    }
}

/// Digests of one file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Digests {
    pub(super) sha256: Option<[u8; 32]>,
    pub(super) md5: Option<[u8; 16]>,
}

impl Digests {
    /// What was recorded and is not so.
    pub(super) fn differing(self, recorded: &[Recorded]) -> Vec<(Recorded, String)> {
        let differing = recorded.iter().filter_map(|one| {
            let computed = match (one.checksum, self.sha256, self.md5) {
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

    /// A digest of a kind that was recorded, and that nobody computed.
    pub(super) fn lack(self, recorded: &[Recorded]) -> bool {
        recorded.iter().any(|one| match one.checksum {
            Checksum::Sha256(_) => self.sha256.is_none(),
            Checksum::Md5(_) => self.md5.is_none(),
        })
    }

    /// With what was computed later.
    pub(super) fn and(self, later: Self) -> Self {
        Self {
            sha256: later.sha256.or(self.sha256),
            md5: later.md5.or(self.md5),
        }
    }
}

struct Summing<'r> {
    bytes: Box<dyn Read + Send + 'r>,
    sums: Sums,
}

impl Read for Summing<'_> {
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
