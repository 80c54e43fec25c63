//! Reads one file of a backup and says what became of it.

use super::recorded::{Recorded, Sums, differs};
use crate::bytes::to_u64;
use crate::catalogue::Content;
use crate::digest::Sha256Digest;
use crate::discovery::{Checksum, FoundObject, ObjectKind, Sniffed, has_magic, sniff, walk};
use crate::finding::{Artifact, Code, Finding};
use crate::foreign::{self, Foreign, ForeignKind};
use crate::kuberesources::{self, ArchiveLimits, Kuberesources};
use crate::kubernetes::encryption::KeyRing;
use crate::kubernetes::encryption::Sealed;
use crate::monitor::{Monitor, Silent};
use crate::names::BackupName;
use crate::snapshot::{
    EntryRequest, ReadError, Snapshot, SnapshotReading, bounded, finding_of, lost_trailer, mend,
};
use crate::source::{
    ArchiveReader, Compression, Counting, Object, ObjectId, OpenError, Pace, PackedStream,
    PageCache, SMALL_BYTES, Store, read_full_at,
};
use std::io::{self, Read};

/// Of a file of another kind than its name says.
const HEAD_BYTES: u64 = 4096;

/// What a file turned out to be when it was looked at for the first time.
pub(super) enum Looked {
    /// To be read as this.
    As(ObjectKind),
    /// Neither by name nor by content part of a backup, or not to be read as such; what it is where that is known.
    Foreign(&'static str, Option<Foreign>),
    /// The system refused.
    Refused(String),
}

/// What reading a snapshot gave.
pub(super) enum SnapshotRead {
    Facts(Box<Snapshot>, Sealed),
    Failed {
        reason: String,
        offset: Option<u64>,
    },
    Interrupted,
    /// It is to be read in another way, or not at all.
    IsNone(Looked),
}

impl SnapshotRead {
    fn failed_at(offset: u64, error: &io::Error) -> Self {
        Self::Failed {
            reason: error.to_string(),
            offset: Some(offset),
        }
    }
}

/// Opens an object and tells what it is. One that the user named is a snapshot unless it is something better.
pub(super) fn look(object: &FoundObject, store: &dyn Store, is_named: bool) -> Looked {
    match open_as_listed(object, store) {
        Ok(open) => look_into(&*open, object, store, is_named),
        Err(reason) => Looked::Refused(reason),
    }
}

/// Is it brought as a whole by one question? Then it is not looked at before it is read: its name says that it will be.
pub(super) fn is_small(object: &FoundObject, store: &dyn Store) -> bool {
    object.name.is_some_and(|name| !name.is_partial)
        && object.identity.size_bytes() <= SMALL_BYTES
        && !store.is_near(&object.id)
}

/// The same as [`look`] of a small object that is to be read: whatever it is, all of it is there.
pub(super) fn bring(
    object: &FoundObject,
    store: &dyn Store,
    is_named: bool,
) -> (Looked, Option<Box<dyn Object>>) {
    let open = match open_as_listed(object, store) {
        Ok(open) => open,
        Err(reason) => return (Looked::Refused(reason), None),
    };
    match open.bring() {
        Ok(()) => (look_into(&*open, object, store, is_named), Some(open)),
        Err(error) => (Looked::Refused(error.to_string()), None),
    }
}

fn open_as_listed(object: &FoundObject, store: &dyn Store) -> Result<Box<dyn Object>, String> {
    let open = store.open(&object.id, Some(&object.identity));
    open.map_err(|error| describe(&error))
}

fn look_into(open: &dyn Object, object: &FoundObject, store: &dyn Store, is_named: bool) -> Looked {
    let sniffed = match sniff(open, object.name.as_ref()) {
        Ok(sniffed) => or_zip(sniffed, open, store.is_near(&object.id)),
        Err(error) => return Looked::Refused(error.to_string()),
    };
    match sniffed.kind {
        ObjectKind::Unrecognised { .. } if is_named && !is_known(sniffed.foreign.as_ref()) => {
            Looked::As(ObjectKind::Snapshot)
        }
        ObjectKind::Unrecognised { reason } => Looked::Foreign(reason, sniffed.foreign),
        kind => Looked::As(kind),
    }
}

/// The object of this name, as a listing has it. A member of an archive stands in no listing.
pub(super) fn object_at(
    id: &ObjectId,
    store: &dyn Store,
    monitor: &dyn Monitor,
) -> Option<FoundObject> {
    if id.archive().is_none() {
        return walk(id, store, monitor).objects.pop();
    }
    Some(FoundObject {
        id: id.clone(),
        name: id.file_name().and_then(BackupName::parse),
        identity: store.stat(id).ok()?,
    })
}

/// A zip behind other bytes, such as the program that unpacks it, shows only at its end; a database that is stored in it lies
/// behind other bytes as well.
fn or_zip(sniffed: Sniffed, open: &dyn Object, is_near: bool) -> Sniffed {
    let is_doubtful = match sniffed.kind {
        ObjectKind::Unrecognised { .. } => true,
        ObjectKind::Snapshot => !begins_as_database(open),
        _ => false,
    };
    let size_bytes = open.identity().size_bytes();
    let zip = || ArchiveReader::of_zip(open, size_bytes, PageCache::Keep, &Silent);
    if is_doubtful && is_near && matches!(zip(), Ok(Some(_))) {
        return ObjectKind::Archive.into();
    }
    sniffed
}

fn begins_as_database(open: &dyn Object) -> bool {
    let mut head = [0; 64];
    read_full_at(open, &mut head, 0).is_ok() && has_magic(&head)
}

/// Known to be something that is not to be called a damaged snapshot.
fn is_known(foreign: Option<&Foreign>) -> bool {
    foreign.is_some_and(|foreign| {
        foreign.kind.may_hold_a_backup() || foreign.kind == ForeignKind::ResourceFork
    })
}

/// A snapshot, open, as it was before it is read.
pub(super) struct OpenSnapshot<'c> {
    object: &'c FoundObject,
    store: &'c dyn Store,
    open: Box<dyn Object>,
    recorded: Vec<Recorded>,
    sums: Sums,
    kind: ObjectKind,
}

impl<'c> OpenSnapshot<'c> {
    /// Opens it and gives its bytes, unpacked.
    pub(super) fn open<'m>(
        object: &'c FoundObject,
        kind: ObjectKind,
        store: &'c dyn Store,
        recorded: &[Recorded],
        page_cache: PageCache,
        monitor: &'m dyn Monitor,
    ) -> Result<(Self, Box<dyn Read + Send + 'm>), SnapshotRead> {
        let open = open_as_listed(object, store).map_err(|reason| SnapshotRead::Failed {
            reason,
            offset: None,
        })?;
        Self::of(open, object, kind, store, recorded, page_cache, monitor)
    }

    /// The same of one that is open.
    pub(super) fn of<'m>(
        open: Box<dyn Object>,
        object: &'c FoundObject,
        kind: ObjectKind,
        store: &'c dyn Store,
        recorded: &[Recorded],
        page_cache: PageCache,
        monitor: &'m dyn Monitor,
    ) -> Result<(Self, Box<dyn Read + Send + 'm>), SnapshotRead> {
        let is_packed = kind.compression().is_some();
        let sums = Sums::for_each(recorded, !is_packed);
        let bytes = open
            .reader(Pace::Ahead(page_cache))
            .map(|reader| sums.of(reader))
            .map(|reader| Counting::new(reader, monitor))
            .and_then(|bytes| unpacked(PackedStream::new(bytes), kind))
            .map_err(|source| SnapshotRead::failed_at(0, &source))?;
        let open = Self {
            object,
            store,
            open,
            recorded: recorded.to_vec(),
            sums,
            kind,
        };
        Ok((open, bytes))
    }

    /// Its bytes once more, unpacked.
    fn again(&self) -> io::Result<Box<dyn Read + Send>> {
        let bytes = self.open.reader(Pace::Ahead(PageCache::Keep))?;
        unpacked(PackedStream::new(bytes), self.kind)
    }

    /// What is open.
    pub(super) fn object(&self) -> &'c FoundObject {
        self.object
    }

    /// Says what became of it.
    pub(super) fn conclude(
        self,
        read: Result<SnapshotReading, ReadError>,
        monitor: &dyn Monitor,
    ) -> SnapshotRead {
        let none = EntryRequest::default();
        let read = read
            .and_then(|first| mend(first, &none, || self.again(), monitor))
            .and_then(|reading| self.tell_change(reading));
        match read {
            Ok(mut reading) => {
                let is_packed = self.kind.compression().is_some();
                let known = (!is_packed).then_some(reading.whole.0);
                let mut differing = self.sums.differing(&self.recorded, known);
                let own = reading.with_own_digest;
                if !is_packed && has_lost_its_trailer(&reading.snapshot, own, &self.recorded) {
                    let own = Checksum::Sha256(own.0);
                    differing.retain(|(recorded, _)| recorded.checksum != own);
                    let facts = &mut reading.snapshot;
                    let mended = lost_trailer(facts.computed, facts.size_bytes);
                    facts.findings.push(finding_of(&mended));
                    facts.mended = Some(mended);
                }
                let told = differs(&self.object.id, Artifact::Snapshot, differing);
                reading.snapshot.findings.extend(told);
                SnapshotRead::Facts(Box::new(reading.snapshot), reading.sealed)
            }
            Err(ReadError::Interrupted) => SnapshotRead::Interrupted,
            Err(ReadError::Io { offset, source }) => SnapshotRead::failed_at(offset, &source),
        }
    }

    /// What was read for the entries that were asked for. Where the digest proves what the file was, those are its.
    pub(super) fn conclude_entries(
        self,
        read: Result<SnapshotReading, ReadError>,
        request: &EntryRequest,
        monitor: &dyn Monitor,
    ) -> Result<SnapshotReading, ReadError> {
        self.tell_change(mend(read?, request, || self.again(), monitor)?)
    }

    /// An object that changed while it was read is told by a finding.
    fn tell_change(&self, mut reading: SnapshotReading) -> Result<SnapshotReading, ReadError> {
        let facts = &mut reading.snapshot;
        let changed = changed(&self.object.id, &*self.open, self.store);
        facts
            .findings
            .extend(changed.map_err(|source| ReadError::Io {
                offset: facts.size_bytes,
                source,
            })?);
        Ok(reading)
    }
}

/// The bytes of a snapshot, however it is packed. What no bytes say the name does, so that damage is told as such.
pub(super) fn unpacked(
    stream: PackedStream<'_>,
    kind: ObjectKind,
) -> io::Result<Box<dyn Read + Send + '_>> {
    let stream = match kind.compression() {
        Some(compression) => stream.take_off(compression)?.unpack()?,
        None => return Ok(stream.into_reader()),
    };
    Ok(bounded(stream.into_reader()))
}

/// The file has no trailer, and a checksum that was recorded is that of the file with one.
pub(super) fn has_lost_its_trailer(
    facts: &Snapshot,
    with_own_digest: Sha256Digest,
    recorded: &[Recorded],
) -> bool {
    let own = Checksum::Sha256(with_own_digest.0);
    facts.trailer.is_none()
        && facts.status.total_size == Some(facts.size_bytes)
        && recorded.iter().any(|one| one.checksum == own)
}

/// What an archive says, and its keys.
pub(super) type ArchiveRead = (Kuberesources, Option<KeyRing>);

/// Why an archive was not read to its end: nothing of it is learnt.
pub(super) struct ArchiveError {
    pub(super) reason: String,
    /// Where in the file.
    pub(super) offset: Option<u64>,
}

impl ArchiveError {
    fn at(offset: Option<u64>, reason: String) -> Self {
        Self { reason, offset }
    }
}

/// Ends in an error as soon as the run is to stop.
pub(super) struct Interruptible<'m, R> {
    pub(super) reader: R,
    pub(super) monitor: &'m dyn Monitor,
}

impl<R: Read> Read for Interruptible<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.monitor.is_interrupted() {
            return Err(io::Error::other("interrupted"));
        }
        self.reader.read(buffer)
    }
}

/// Reads a kuberesources archive to its end, as it is now.
pub(super) fn read_kuberesources(
    id: &ObjectId,
    store: &dyn Store,
    recorded: &[Recorded],
    monitor: &dyn Monitor,
) -> Result<ArchiveRead, ArchiveError> {
    let open = store
        .open(id, None)
        .map_err(|error| ArchiveError::at(None, describe(&error)))?;
    read_open_kuberesources(&*open, id, store, recorded, monitor)
}

/// The same as it was listed.
pub(super) fn read_listed_kuberesources(
    object: &FoundObject,
    store: &dyn Store,
    recorded: &[Recorded],
    monitor: &dyn Monitor,
) -> Result<ArchiveRead, ArchiveError> {
    let open = open_as_listed(object, store);
    let open = open.map_err(|reason| ArchiveError::at(None, reason))?;
    read_open_kuberesources(&*open, &object.id, store, recorded, monitor)
}

/// The same of one that is open.
pub(super) fn read_open_kuberesources(
    open: &dyn Object,
    id: &ObjectId,
    store: &dyn Store,
    recorded: &[Recorded],
    monitor: &dyn Monitor,
) -> Result<ArchiveRead, ArchiveError> {
    let reader = open.bring().and_then(|()| open.reader(Pace::OneByOne));
    let reader = reader.map_err(|error| ArchiveError::at(None, error.to_string()))?;
    let sums = Sums::for_each(recorded, false);
    let mut bytes = Interruptible {
        reader: Counting::new(sums.of(reader), monitor),
        monitor,
    };
    let mut head = Vec::new();
    let begun = bytes.by_ref().take(HEAD_BYTES).read_to_end(&mut head);
    begun.map_err(|error| ArchiveError::at(Some(to_u64(head.len())), error.to_string()))?;
    let size_bytes = open.identity().size_bytes();
    let whole = head.as_slice().chain(bytes);
    let (mut facts, ring) = kuberesources::read(whole, size_bytes, &ArchiveLimits::default())
        .map_err(|error| ArchiveError::at(Some(error.offset), error.reason))?;
    tell_what_it_is(&mut facts, &head);
    let differing = sums.differing(recorded, None);
    facts
        .findings
        .extend(differs(id, Artifact::Kuberesources, differing));
    let changed = changed(id, open, store)
        .map_err(|error| ArchiveError::at(None, error.to_string()))?
        .map(|finding| finding.artifact(Artifact::Kuberesources));
    facts.findings.extend(changed);
    Ok((facts, ring))
}

/// A file that is no archive from its first byte is called what it is.
fn tell_what_it_is(facts: &mut Kuberesources, head: &[u8]) {
    if Compression::of(head).is_some() {
        return;
    }
    let mut findings = facts.findings.iter_mut();
    let corrupt = findings.find(|finding| finding.code == Code::KuberesourcesCorrupt);
    if let Some((finding, foreign)) = corrupt.zip(foreign::recognise(head)) {
        finding.message = format!("it is no archive: {}", foreign.what);
        finding.remedy = foreign.remedy.into();
    }
}

/// Is the object that lies there now another one, or was it written while we read?
///
/// # Errors
///
/// Nobody can tell.
pub(super) fn changed(
    id: &ObjectId,
    open: &dyn Object,
    store: &dyn Store,
) -> io::Result<Option<Finding>> {
    if open.came_at_once() {
        return Ok(None);
    }
    let before = open.identity();
    let is_there = match store.stat(id) {
        Ok(there) => there == *before,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    if is_there && open.identity_now()? == *before {
        return Ok(None);
    }
    let message = format!("{id} changed while it was read");
    let finding = Finding::new(Code::ChangedWhileReading, message);
    Ok(Some(finding.with("path", id.to_string())))
}

/// An unreadable file as the catalogue keeps it.
pub(super) fn unreadable(reason: &str, offset: Option<u64>) -> Content {
    Content::Unreadable {
        reason: reason.to_owned(),
        offset,
    }
}

pub(super) fn describe(error: &OpenError) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    source.unwrap_or_else(|| error.to_string())
}
