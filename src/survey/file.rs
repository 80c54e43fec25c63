//! Reads one file of a backup and says what became of it.

use crate::catalogue::Content;
use crate::discovery::{Candidate, FileIdentity, Kind, fingerprint, open_regular};
use crate::finding::{Code, Finding};
use crate::kuberesources::{self, Kuberesources, Limits};
use crate::kubernetes::encryption::key_ring::KeyRing;
use crate::monitor::Monitor;
use crate::snapshot::{self, HashOn, ReadError, Sealed, Snapshot};
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

/// Reads a snapshot to its end. A file that changed meanwhile is told by a finding.
pub(super) fn read_snapshot(
    path: &Path,
    kind: Kind,
    hash_on: HashOn,
    page_cache: PageCache,
    monitor: &dyn Monitor,
) -> SnapshotRead {
    let (file, before) = match open_regular(path) {
        Ok(opened) => opened,
        Err(error) => {
            return SnapshotRead::Failed {
                reason: describe(&error),
                offset: None,
            };
        }
    };
    let opened = FileReader::new(&file, page_cache)
        .map(|reader| Counting::new(reader, monitor))
        .and_then(|bytes| unpacked(bytes, kind));
    let read = opened
        .map_err(|source| ReadError::Io { offset: 0, source })
        .and_then(|mut bytes| snapshot::read(&mut bytes, hash_on, monitor));
    match read {
        Ok(mut reading) => {
            reading
                .snapshot
                .findings
                .extend(changed(path, &file, before));
            SnapshotRead::Facts(Box::new(reading.snapshot), reading.sealed)
        }
        Err(ReadError::Interrupted) => SnapshotRead::Interrupted,
        Err(ReadError::Io { offset, source }) => SnapshotRead::Failed {
            reason: source.to_string(),
            offset: Some(offset),
        },
    }
}

/// The bytes of the snapshot, which may be packed.
fn unpacked<'r>(bytes: impl Read + 'r, kind: Kind) -> io::Result<Box<dyn Read + 'r>> {
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
    let (mut facts, ring) = kuberesources::read(counted, before.size_bytes, &Limits::default());
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
