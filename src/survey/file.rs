//! Reads one file of a backup and says what became of it.

use crate::catalogue::Content;
use crate::discovery::{Candidate, FileIdentity, Kind, fingerprint, open_regular};
use crate::finding::{Code, Finding};
use crate::kuberesources::{self, ArchiveLimits, Kuberesources};
use crate::kubernetes::encryption::KeyRing;
use crate::kubernetes::encryption::Sealed;
use crate::monitor::Monitor;
use crate::snapshot::{ReadError, Snapshot, SnapshotReading};
use crate::source::{Counting, FileReader, PageCache, decompress};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What a file turned out to be when it was looked at for the first time.
pub(super) enum Looked {
    /// To be read as this.
    As(Kind),
    /// Neither by name nor by content part of a backup.
    Foreign(&'static str),
    /// The system refused.
    Refused(String),
}

/// What reading a snapshot gave.
pub(super) enum SnapshotRead {
    Facts(Box<Snapshot>, Sealed),
    Failed { reason: String, offset: Option<u64> },
    Interrupted,
}

impl SnapshotRead {
    fn failed_at(offset: u64, error: &io::Error) -> Self {
        Self::Failed {
            reason: error.to_string(),
            offset: Some(offset),
        }
    }
}

/// Opens a candidate and tells what it is. A file that the user named is a snapshot unless it is something better.
pub(super) fn look(candidate: &Candidate, is_named: bool) -> Looked {
    let looked = open_regular(&candidate.path)
        .map_err(|error| describe(&error))
        .and_then(|(file, _)| {
            fingerprint(&file, candidate.name.as_ref()).map_err(|error| error.to_string())
        });
    match looked {
        Ok(Kind::Unrecognised { .. }) if is_named => Looked::As(Kind::Snapshot),
        Ok(Kind::Unrecognised { reason }) => Looked::Foreign(reason),
        Ok(kind) => Looked::As(kind),
        Err(reason) => Looked::Refused(reason),
    }
}

/// A snapshot's file, open, as it was before it is read.
pub(super) struct OpenSnapshot<'c> {
    candidate: &'c Candidate,
    file: File,
    before: FileIdentity,
}

impl<'c> OpenSnapshot<'c> {
    /// Opens the file and gives its bytes, unpacked.
    pub(super) fn open<'m>(
        candidate: &'c Candidate,
        kind: Kind,
        page_cache: PageCache,
        monitor: &'m dyn Monitor,
    ) -> Result<(Self, Box<dyn Read + Send + 'm>), SnapshotRead> {
        let (file, before) =
            open_regular(&candidate.path).map_err(|error| SnapshotRead::Failed {
                reason: describe(&error),
                offset: None,
            })?;
        let bytes = FileReader::new(&file, page_cache)
            .map(|reader| Counting::new(reader, monitor))
            .and_then(|bytes| unpacked(bytes, kind))
            .map_err(|source| SnapshotRead::failed_at(0, &source))?;
        let open = Self {
            candidate,
            file,
            before,
        };
        Ok((open, bytes))
    }

    /// The file that is open.
    pub(super) fn candidate(&self) -> &'c Candidate {
        self.candidate
    }

    /// Says what became of it. A file that changed meanwhile is told by a finding.
    pub(super) fn conclude(self, read: Result<SnapshotReading, ReadError>) -> SnapshotRead {
        match read {
            Ok(mut reading) => {
                let changed = changed(&self.candidate.path, &self.file, self.before);
                reading.snapshot.findings.extend(changed);
                SnapshotRead::Facts(Box::new(reading.snapshot), reading.sealed)
            }
            Err(ReadError::Interrupted) => SnapshotRead::Interrupted,
            Err(ReadError::Io { offset, source }) => SnapshotRead::failed_at(offset, &source),
        }
    }
}

/// The bytes of the snapshot, which may be packed.
fn unpacked<'r>(bytes: impl Read + Send + 'r, kind: Kind) -> io::Result<Box<dyn Read + Send + 'r>> {
    match kind {
        Kind::CompressedSnapshot(compression) => decompress(bytes, compression),
        _ => Ok(Box::new(bytes)),
    }
}

/// Reads a kuberesources archive to its end.
pub(super) fn read_kuberesources(
    path: &Path,
    monitor: &dyn Monitor,
) -> Result<(Kuberesources, Option<KeyRing>), String> {
    let (file, before) = open_regular(path).map_err(|error| describe(&error))?;
    let counted = Counting::new(&file, monitor);
    let (mut facts, ring) =
        kuberesources::read(counted, before.size_bytes, &ArchiveLimits::default());
    facts.findings.extend(
        changed(path, &file, before)
            .map(|finding| finding.artifact(crate::finding::Artifact::Kuberesources)),
    );
    Ok((facts, ring))
}

/// Is the file that lies there now another one, or was it written while we read?
fn changed(path: &Path, file: &File, before: FileIdentity) -> Option<Finding> {
    let open = file
        .metadata()
        .ok()
        .map(|metadata| FileIdentity::of(&metadata));
    let on_disk = std::fs::metadata(path)
        .ok()
        .map(|metadata| FileIdentity::of(&metadata));
    let is_same = open == Some(before) && on_disk == Some(before);
    let message = format!("{} changed while it was read", path.display());
    (!is_same).then(|| {
        Finding::new(Code::ChangedWhileReading, message).with("path", path.display().to_string())
    })
}

/// An unreadable file as the catalogue keeps it.
pub(super) fn unreadable(reason: &str, offset: Option<u64>) -> Content {
    Content::Unreadable {
        reason: reason.to_owned(),
        offset,
    }
}

fn describe(error: &crate::discovery::OpenError) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    source.unwrap_or_else(|| error.to_string())
}
