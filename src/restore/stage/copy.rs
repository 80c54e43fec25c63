//! Copying one half, hashing on the way and again from the disk.

use super::error::StageError;
use crate::digest::Sha256Digest;
use crate::kuberesources::Kuberesources;
use crate::monitor::Monitor;
use crate::snapshot::{Mended, Snapshot, mended};
use crate::source::{
    AtPath as _, Object, ObjectId, ObjectIdentity, Pace, PackedStream, PageCache, Store,
};
use rustix::fs::Advice;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek as _, Write as _};
use std::path::Path;

/// Read and written at a time, and the longest way to an interrupt.
const BUFFER_BYTES: usize = 1024 * 1024;
/// Length of the SHA-256 that etcd puts behind a snapshot.
const TRAILER_BYTES: u64 = 32;

/// What verification saw: a copy must come out as exactly this.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct VerifiedContent {
    /// SHA-256 of all bytes but the trailer.
    pub data_sha256: Sha256Digest,
    /// The last 32 bytes, where there is a trailer.
    pub trailer: Option<Sha256Digest>,
    /// Length in bytes, unpacked, trailer included.
    pub size_bytes: u64,
    /// How what lies there becomes that.
    pub mended: Option<Mended>,
}

impl From<&Snapshot> for VerifiedContent {
    fn from(snapshot: &Snapshot) -> Self {
        if let Some(mended) = snapshot.mended {
            return Self {
                data_sha256: mended.digest,
                trailer: Some(mended.digest),
                size_bytes: mended.size_bytes,
                mended: Some(mended),
            };
        }
        Self {
            mended: None,
            data_sha256: snapshot.computed,
            trailer: snapshot.trailer,
            size_bytes: snapshot.size_bytes,
        }
    }
}

impl From<&Kuberesources> for VerifiedContent {
    fn from(kuberesources: &Kuberesources) -> Self {
        Self {
            data_sha256: kuberesources.sha256,
            trailer: None,
            size_bytes: kuberesources.size_bytes,
            mended: None,
        }
    }
}

/// How far a packed file is unpacked on the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unpacking {
    /// Snapshots: the script wants a bare `.db`.
    Snapshot,
    /// The archive stays the archive; what it was packed in once more is taken off.
    ToArchive,
}

/// An opened source and how it looked when it was opened.
#[derive(Debug)]
pub(super) struct OpenSource<'p> {
    id: &'p ObjectId,
    object: Box<dyn Object>,
    unpacking: Unpacking,
}

impl<'p> OpenSource<'p> {
    pub(super) fn open(
        id: &'p ObjectId,
        unpacking: Unpacking,
        store: &dyn Store,
    ) -> Result<Self, StageError> {
        let object = store.open(id, None).map_err(StageError::Source)?;
        Ok(Self {
            id,
            object,
            unpacking,
        })
    }

    /// A word for the name of the unfinished copy.
    pub(super) fn half(&self) -> &'static str {
        match self.unpacking {
            Unpacking::Snapshot => "snapshot",
            Unpacking::ToArchive => "kuberesources",
        }
    }

    /// Time of the last change, to be kept by the copy.
    pub(super) fn identity(&self) -> &ObjectIdentity {
        self.object.identity()
    }

    /// Copies to `to` and answers with the SHA-256 of all that was written, once it is that of what was verified.
    pub(super) fn copy(
        &self,
        to: &mut File,
        to_path: &Path,
        expected: &VerifiedContent,
        monitor: &dyn Monitor,
    ) -> Result<Sha256Digest, StageError> {
        let reader = self
            .object
            .reader(Pace::Ahead(PageCache::Keep))
            .at_path("read", self.id)?;
        let packed = PackedStream::new(reader);
        let unpacked = match self.unpacking {
            Unpacking::Snapshot => packed.unpack(),
            Unpacking::ToArchive => packed.unpack_to_archive(),
        };
        let reader = unpacked.at_path("unpack", self.id)?.into_reader();
        let reader = match &expected.mended {
            Some(how) => mended(reader, how).at_path("read", self.id)?,
            None => reader,
        };
        let mut hash = CopyHash::new(expected);
        let mut chunks = CopyChunks::new(reader, expected.size_bytes, monitor);
        while let Some(chunk) = chunks.next(self.id)? {
            hash.update(chunk);
            to.write_all(chunk).at_path("write", to_path)?;
        }
        self.check_unchanged()?;
        hash.finish(self.id, expected)
    }

    /// Somebody who writes while we read is told apart from an object that is simply another one.
    fn check_unchanged(&self) -> Result<(), StageError> {
        let now = self.object.identity_now();
        if now.at_path("read attributes of", self.id)? == *self.object.identity() {
            return Ok(());
        }
        Err(StageError::SourceChanged {
            id: self.id.clone(),
        })
    }
}

/// Reads `file` from its start, past the page cache as far as the system lets us, and compares.
pub(super) fn check_read_back(
    file: &mut File,
    path: &Path,
    size_bytes: u64,
    written: Sha256Digest,
    monitor: &dyn Monitor,
) -> Result<(), StageError> {
    file.sync_all().at_path("flush", path)?;
    // A hint only: what stays in the cache is read from there.
    let _is_hint = rustix::fs::fadvise(&*file, 0, None, Advice::DontNeed);
    file.rewind().at_path("read back", path)?;
    let mut hash = Sha256::new();
    let mut chunks = CopyChunks::new(Box::new(&*file), size_bytes, monitor);
    while let Some(chunk) = chunks.next(&path.into())? {
        hash.update(chunk);
    }
    let found = Sha256Digest(hash.finalize().into());
    if found == written {
        return Ok(());
    }
    let path = path.to_owned();
    Err(StageError::ReadBack {
        path,
        found,
        expected: written,
    })
}

/// SHA-256 of the data and of the whole in one go.
struct CopyHash {
    hash: Sha256,
    /// Data bytes still to come.
    data_bytes: u64,
    data: Option<Sha256Digest>,
    trailer: Vec<u8>,
    bytes: u64,
}

impl CopyHash {
    fn new(expected: &VerifiedContent) -> Self {
        let trailer_bytes = expected.trailer.map_or(0, |_| TRAILER_BYTES);
        Self {
            hash: Sha256::new(),
            data_bytes: expected.size_bytes.saturating_sub(trailer_bytes),
            data: None,
            trailer: Vec::new(),
            bytes: 0,
        }
    }

    fn update(&mut self, chunk: &[u8]) {
        self.bytes = self.bytes.saturating_add(length(chunk));
        let split = usize::try_from(self.data_bytes)
            .unwrap_or(usize::MAX)
            .min(chunk.len());
        let (data, trailer) = chunk.split_at_checked(split).unwrap_or((chunk, &[]));
        self.hash.update(data);
        self.data_bytes = self.data_bytes.saturating_sub(length(data));
        if self.data_bytes == 0 && self.data.is_none() {
            self.data = Some(Sha256Digest(self.hash.clone().finalize().into()));
        }
        // At most 33 bytes: the chunks end one byte past the expected length.
        self.trailer.extend_from_slice(trailer);
        self.hash.update(trailer);
    }

    fn finish(self, id: &ObjectId, expected: &VerifiedContent) -> Result<Sha256Digest, StageError> {
        let id = || id.clone();
        if self.bytes != expected.size_bytes {
            let (found, expected) = (self.bytes, expected.size_bytes);
            return Err(StageError::Length {
                id: id(),
                found,
                expected,
            });
        }
        let whole = Sha256Digest(self.hash.finalize().into());
        let differs = |found: Sha256Digest, expected: Sha256Digest| {
            (found != expected).then(|| StageError::Digest {
                id: id(),
                found,
                expected,
            })
        };
        let data = differs(self.data.unwrap_or(whole), expected.data_sha256);
        let trailer = <[u8; 32]>::try_from(self.trailer).map(Sha256Digest).ok();
        let trailer = trailer
            .zip(expected.trailer)
            .and_then(|(found, expected)| differs(found, expected));
        data.or(trailer).map_or(Ok(whole), Err)
    }
}

/// A reader in pieces that stops one byte past what is expected, and when it is told to.
struct CopyChunks<'r> {
    reader: io::Take<Box<dyn Read + 'r>>,
    buffer: Vec<u8>,
    monitor: &'r dyn Monitor,
}

impl<'r> CopyChunks<'r> {
    fn new(reader: Box<dyn Read + 'r>, size_bytes: u64, monitor: &'r dyn Monitor) -> Self {
        let reader = reader.take(size_bytes.saturating_add(1));
        let buffer = vec![0; BUFFER_BYTES];
        Self {
            reader,
            buffer,
            monitor,
        }
    }

    fn next(&mut self, id: &ObjectId) -> Result<Option<&[u8]>, StageError> {
        if self.monitor.is_interrupted() {
            return Err(StageError::Interrupted);
        }
        let length = loop {
            match self.reader.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // All that is expected came out: what stands behind a packed stream is of no consequence.
                Err(_) if self.reader.limit() == 1 => break 0,
                outcome => break outcome.at_path("read", id)?,
            }
        };
        let chunk = self.buffer.get(..length).unwrap_or_default();
        self.monitor.advance(super::copy::length(chunk));
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
    }
}

fn length(chunk: &[u8]) -> u64 {
    u64::try_from(chunk.len()).unwrap_or(u64::MAX)
}
