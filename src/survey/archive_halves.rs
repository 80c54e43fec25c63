//! The halves of backups in an archive: each is read as it streams by.

use super::SurveyError;
use super::archive_walk::{Again, ArchiveWalk, SuspectMember};
use super::batch::{changes, hash_on};
use super::examination::Examination;
use super::examine::SNAPSHOTS_IN_MEMORY;
use super::file::{changed, unpacked};
use super::recorded::Digests;
use super::stream::NO_SECOND_PASS;
use crate::discovery::{FoundObject, ObjectKind};
use crate::finding::{Artifact, Finding};
use crate::kuberesources::{self, ArchiveLimits};
use crate::snapshot::{
    self, EntryRequest, HashOn, ReadError, SnapshotReading, is_to_be_read_again, mend, mend_at_once,
};
use crate::source::{Object, PackedStream};
use std::io;

/// Snapshots of fewer bytes are read and hashed on one core: a thread would take longer to come.
const SMALL_BYTES: u64 = 4 << 20;
/// Of more than these the readings would take too much memory.
const MAX_SUSPECTS: usize = SNAPSHOTS_IN_MEMORY;
const TOO_MANY_SUSPECTS: &str = "unpack the archive and verify the file: what may have happened to it was not tried, as so many \
     others in the archive are damaged, too";
const CHANGED_SINCE: &str = "verify it again: the archive changed while it was read";

impl Examination<'_> {
    /// The archive is another one by now.
    fn changed(&self, walk: &ArchiveWalk<'_>) -> io::Result<Option<Finding>> {
        let open = walk.open;
        let changed = open.map(|open| changed(&walk.object.id, open, self.stores));
        changed.transpose().map(Option::flatten)
    }

    /// Nobody can tell whether the archive is still what was read: nothing is learnt of this member.
    fn not_compared(&mut self, member: &FoundObject, error: &io::Error) -> Result<(), SurveyError> {
        let reason = self.broken(error)?;
        self.enter_unreadable(member, &reason, None);
        self.skip(member, reason);
        Ok(())
    }

    pub(super) fn take_snapshot(
        &mut self,
        member: &FoundObject,
        kind: ObjectKind,
        size_bytes: Option<u64>,
        stream: PackedStream<'_>,
        walk: &mut ArchiveWalk<'_>,
    ) -> Result<(), SurveyError> {
        let suspect = match walk.again {
            Some(Again::Suspects) => walk.suspects.remove(&member.id),
            _ => None,
        };
        let read = match suspect {
            Some(suspect) => {
                let none = EntryRequest::default();
                mend(
                    suspect.first,
                    &none,
                    || unpacked(stream, kind),
                    self.monitor,
                )
            }
            None => self.read_member(kind, size_bytes, stream),
        };
        if let Ok(reading) = &read
            && kind.compression().is_none()
        {
            walk.checksums.enter_reading(&member.id, reading);
        }
        match read {
            Ok(reading) if is_to_be_read_again(&reading) => self.suspect(member, reading, walk),
            Ok(reading) => self.enter_member(member, reading, walk),
            Err(ReadError::Interrupted) => self.interrupted(),
            Err(ReadError::Io { offset, source }) => {
                let reason = self.broken(&source)?;
                self.enter_unreadable(member, &reason, Some(offset));
                self.skip(member, reason);
                Ok(())
            }
        }
    }

    fn read_member(
        &self,
        kind: ObjectKind,
        size_bytes: Option<u64>,
        stream: PackedStream<'_>,
    ) -> Result<SnapshotReading, ReadError> {
        let is_small = size_bytes.is_some_and(|bytes| bytes < SMALL_BYTES);
        let hash_on = if is_small {
            HashOn::SameThread
        } else {
            hash_on(self.options)
        };
        unpacked(stream, kind)
            .map_err(|source| ReadError::Io { offset: 0, source })
            .and_then(|mut bytes| snapshot::read(&mut bytes, hash_on, self.monitor))
    }

    /// Keeps a reading until the archive is read once more, if it can be.
    fn suspect(
        &mut self,
        member: &FoundObject,
        first: SnapshotReading,
        walk: &mut ArchiveWalk<'_>,
    ) -> Result<(), SurveyError> {
        let why_not = match walk.open {
            None => NO_SECOND_PASS,
            Some(_) if walk.suspects.len() < MAX_SUSPECTS => {
                let met = walk.met.get(&member.id).copied().unwrap_or(1);
                let suspect = SuspectMember {
                    object: member.clone(),
                    first,
                    position: met.saturating_sub(1),
                };
                walk.suspects.insert(member.id.clone(), suspect);
                return Ok(());
            }
            Some(_) => TOO_MANY_SUSPECTS,
        };
        self.enter_member(member, mend_at_once(first, why_not), walk)
    }

    /// Reads the archive once more, to prove what happened to damaged members.
    pub(super) fn try_suspects(
        &mut self,
        open: &dyn Object,
        walk: &mut ArchiveWalk<'_>,
    ) -> Result<(), SurveyError> {
        if walk.suspects.is_empty() {
            return Ok(());
        }
        let size_bytes = walk.object.identity.size_bytes();
        self.monitor.expect(1, size_bytes);
        let mut again = ArchiveWalk::new(walk.object, Some(open), Some(Again::Suspects));
        again.suspects = std::mem::take(&mut walk.suspects);
        self.walk_outermost(open, &mut again)?;
        // They are not there any more: what was read is what is known.
        for (_, suspect) in std::mem::take(&mut again.suspects) {
            let first = mend_at_once(suspect.first, CHANGED_SINCE);
            self.enter_member(&suspect.object, first, &mut again)?;
        }
        walk.waiting.append(&mut again.waiting);
        Ok(())
    }

    fn enter_member(
        &mut self,
        member: &FoundObject,
        reading: SnapshotReading,
        walk: &mut ArchiveWalk<'_>,
    ) -> Result<(), SurveyError> {
        let mut reading = mend_at_once(reading, CHANGED_SINCE);
        match self.changed(walk) {
            Ok(changed) => reading.snapshot.findings.extend(changed),
            Err(error) => return self.not_compared(member, &error),
        }
        let facts = reading.snapshot;
        self.known
            .enter_snapshot(&member.id, member.identity.clone(), facts.clone());
        // With what lists have said of it.
        let kept = self.known.snapshot_at(&member.id).unwrap_or(&facts);
        self.recorder
            .add(changes(member, kept, self.now, self.stores))?;
        self.read_now.insert(member.id.clone());
        walk.waiting
            .push((member.id.clone(), facts, reading.sealed));
        if walk.waiting.len() == SNAPSHOTS_IN_MEMORY {
            self.prove(std::mem::take(&mut walk.waiting))?;
        }
        Ok(())
    }

    pub(super) fn take_kuberesources(
        &mut self,
        member: &FoundObject,
        size_bytes: Option<u64>,
        stream: PackedStream<'_>,
        walk: &mut ArchiveWalk<'_>,
    ) -> Result<(), SurveyError> {
        let limits = ArchiveLimits::default();
        match kuberesources::read(stream, size_bytes, &limits) {
            Ok((mut facts, ring)) => {
                let changed = match self.changed(walk) {
                    Ok(changed) => changed,
                    Err(error) => return self.not_compared(member, &error),
                };
                let changed = changed.map(|finding| finding.artifact(Artifact::Kuberesources));
                facts.findings.extend(changed);
                if size_bytes == Some(facts.size_bytes) {
                    let digests = Digests {
                        sha256: Some(facts.sha256.0),
                        md5: None,
                    };
                    walk.checksums.enter(&member.id, digests);
                }
                self.enter_kuberesources(member, facts, ring)?;
                self.read_now.insert(member.id.clone());
            }
            Err(_) if self.monitor.is_interrupted() => return self.interrupted(),
            Err(error) => {
                self.enter_unreadable(member, &error.reason, Some(error.offset));
                self.skip(member, error.reason);
            }
        }
        Ok(())
    }
}
