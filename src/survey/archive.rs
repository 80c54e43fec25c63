//! Reads an archive as the directory that somebody packed: each half in it as it streams by, nothing extracted.

use super::SurveyError;
use super::archive_walk::{Again, ArchiveWalk, MAX_MEMBERS, Walked};
use super::examination::Examination;
use super::file::{Interruptible, describe};
use super::member_checksums::finish_sums;
use super::prove::UnprovenSnapshots;
use super::recorded::Sums;
use crate::catalogue::Content;
use crate::discovery::{FoundObject, ObjectKind, Skipped, SkippedKind, Sniffed, sniff_stream};
use crate::foreign::Foreign;
use crate::kuberesources;
use crate::names::{BackupName, PutAside};
use crate::source::{
    ArchiveKind, ArchiveReader, ArchiveStep, Counting, Object, ObjectId, Pace, PackedStream,
    PackingBudget, Store as _,
};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// Bytes of an archive that tell what kind it is.
const HEAD_BYTES: usize = 512;

impl Examination<'_> {
    /// Reads the halves that are packed into an archive, in one pass; `again`: once more, and only the values of these.
    pub(super) fn read_archive(
        &mut self,
        object: &FoundObject,
        again: Option<&BTreeSet<ObjectId>>,
    ) -> Result<UnprovenSnapshots, SurveyError> {
        if self.monitor.is_interrupted() {
            return self.interrupted();
        }
        let size_bytes = object.identity.size_bytes();
        self.monitor.begin(object.id.as_os_str(), size_bytes);
        let opened = self.stores.open(&object.id, Some(&object.identity));
        if again.is_none() {
            self.known.forget_checksums(&object.id, &self.read_now);
        }
        let mut is_kuberesources = false;
        let (waiting, broken) = match opened {
            Ok(open) => {
                let mut walk = ArchiveWalk::new(object, Some(&*open), again.map(Again::Values));
                self.walk_outermost(&*open, &mut walk)?;
                self.try_suspects(&*open, &mut walk)?;
                self.compare_checksums(Some(&*open), &mut walk)?;
                self.prove_with_packed_keys(&walk)?;
                self.forget_unmet(&walk);
                is_kuberesources = walk.is_kuberesources;
                (walk.waiting, walk.broken)
            }
            Err(error) => (Vec::new(), Some(describe(&error))),
        };
        self.monitor.finish(object.id.as_os_str());
        match broken {
            // Both halves in one, as OpenShift 4.3.0 and 4.3.1 wrote them: the other half is the archive itself.
            _ if is_kuberesources && again.is_none() => self.read_kuberesources(object)?,
            Some(reason) => {
                self.enter_unreadable(object, &reason, None);
                self.skip(object, reason);
            }
            None if again.is_none() => {
                self.remember_file(object, Content::Archive);
                self.known
                    .enter(&object.id, object.identity.clone(), Content::Archive);
                self.count(object);
            }
            None => {}
        }
        Ok(waiting)
    }

    pub(super) fn interrupted<T>(&self) -> Result<T, SurveyError> {
        self.recorder.flush()?;
        Err(SurveyError::Interrupted)
    }

    /// Reads an archive that comes through a pipe; answers why not all of it was seen.
    pub(super) fn read_archive_stream(
        &mut self,
        object: &FoundObject,
        stream: PackedStream<'_>,
    ) -> Result<Option<String>, SurveyError> {
        let mut walk = ArchiveWalk::new(object, None, None);
        let broken = self.walk_archive(&object.id, stream, &mut walk)?;
        self.compare_checksums(None, &mut walk)?;
        self.prove_with_packed_keys(&walk)?;
        self.prove(walk.waiting)?;
        Ok(broken)
    }

    pub(super) fn walk_outermost(
        &mut self,
        open: &dyn Object,
        walk: &mut ArchiveWalk<'_>,
    ) -> Result<(), SurveyError> {
        let sums = match walk.again {
            None => Sums::for_each(self.recorded.of(&walk.object.id), false),
            Some(_) => Sums::default(),
        };
        let broken = match self.open_by_directory(open, walk)? {
            Some(zip) => {
                let broken = self.walk_members(&walk.object.id, zip, walk)?;
                // The directory led past bytes that belong to a digest of all of them.
                if sums.is_wanted()
                    && let Ok(whole) = open.reader(Pace::Ahead(self.options.page_cache))
                {
                    walk.own = finish_sums(&sums, sums.of(whole)).or(walk.own);
                }
                broken
            }
            None => match open.reader(Pace::Ahead(self.options.page_cache)) {
                Ok(reader) => {
                    let mut reader = sums.of(reader);
                    let stream = PackedStream::new(Interruptible {
                        reader: Counting::new(&mut reader, self.monitor),
                        monitor: self.monitor,
                    });
                    let broken = self.walk_archive(&walk.object.id, stream, walk)?;
                    walk.own = finish_sums(&sums, reader).or(walk.own);
                    broken
                }
                Err(error) => Some(error.to_string()),
            },
        };
        walk.broken = walk.broken.take().or(broken);
        Ok(())
    }

    /// A zip that can be read here and there is read as its directory says.
    fn open_by_directory<'o>(
        &self,
        open: &'o dyn Object,
        walk: &ArchiveWalk<'_>,
    ) -> Result<Option<EnteredArchive<'o>>, SurveyError>
    where
        Self: 'o,
    {
        if !self.stores.is_near(&walk.object.id) {
            return Ok(None);
        }
        let size_bytes = walk.object.identity.size_bytes();
        let page_cache = self.options.page_cache;
        let zip = ArchiveReader::of_zip(open, size_bytes, page_cache, self.monitor);
        if self.monitor.is_interrupted() {
            return self.interrupted();
        }
        // What cannot be read shows as it is read from its beginning.
        Ok(zip.unwrap_or_default())
    }

    /// Goes through the members of an archive; answers why not all of them were seen.
    fn walk_archive(
        &mut self,
        id: &ObjectId,
        stream: PackedStream<'_>,
        walk: &mut ArchiveWalk<'_>,
    ) -> Result<Option<String>, SurveyError> {
        match enter(stream) {
            Ok(entered) => self.walk_members(id, entered, walk),
            Err(error) => self.broken(&error).map(Some),
        }
    }

    fn walk_members(
        &mut self,
        id: &ObjectId,
        (mut archive, below): EnteredArchive<'_>,
        walk: &mut ArchiveWalk<'_>,
    ) -> Result<Option<String>, SurveyError> {
        let mut broken = None;
        loop {
            if walk.is_done() {
                return Ok(None);
            }
            match archive.step() {
                Ok(ArchiveStep::End) => return Ok(broken),
                Ok(ArchiveStep::Defect {
                    reason,
                    is_incomplete: true,
                }) => broken = broken.or(Some(reason)),
                Ok(ArchiveStep::Defect { .. } | ArchiveStep::PassedOver { .. })
                    if walk.again.is_some() => {}
                Ok(ArchiveStep::Defect { reason, .. }) => self.pass_over(id, reason, false),
                Ok(ArchiveStep::PassedOver { path, reason }) => {
                    if path.file_name().and_then(BackupName::parse).is_some() {
                        self.pass_over(&id.member(path.as_os_str()), reason, true);
                    }
                }
                Ok(ArchiveStep::File { path, size_bytes }) => {
                    walk.is_kuberesources |=
                        *id == walk.object.id && path.starts_with(kuberesources::ROOT);
                    let member = member_of(walk, id, &path);
                    let sums = walk.sums(&member.id);
                    let mut bytes = sums.of(Box::new(&mut archive));
                    let stream = below.stream(Box::new(&mut bytes));
                    let walked = self.take_member(&member, size_bytes, stream, walk)?;
                    if let Some(digests) = finish_sums(&sums, bytes) {
                        walk.checksums.enter(&member.id, digests);
                    }
                    match walked {
                        Walked::On => {}
                        Walked::Enough => {
                            return Ok(Some(format!(
                                "more than {MAX_MEMBERS} files of backups: not read any further"
                            )));
                        }
                    }
                }
                Err(error) => return self.broken(&error).map(Some),
            }
        }
    }

    /// Why a stream broke off, unless it was told to.
    pub(super) fn broken(&self, error: &io::Error) -> Result<String, SurveyError> {
        if self.monitor.is_interrupted() {
            return self.interrupted();
        }
        Ok(error.to_string())
    }

    fn pass_over(&mut self, id: &ObjectId, reason: String, is_error: bool) {
        self.survey.skipped.push(Skipped {
            id: id.clone(),
            reason,
            kind: SkippedKind::Unreadable,
            remedy: None,
            is_error,
        });
    }

    /// Reads one member as what it is.
    fn take_member(
        &mut self,
        member: &FoundObject,
        size_bytes: Option<u64>,
        mut stream: PackedStream<'_>,
        walk: &mut ArchiveWalk<'_>,
    ) -> Result<Walked, SurveyError> {
        if let Some(mark) = member.id.file_name().and_then(PutAside::of)
            && !self.locations.contains(&member.id)
        {
            if walk.again.is_none() {
                self.survey.skipped.push(Skipped {
                    id: member.id.clone(),
                    reason: mark.reason().to_owned(),
                    kind: SkippedKind::PutAside,
                    remedy: None,
                    is_error: false,
                });
            }
            return Ok(Walked::On);
        }
        if walk.again.is_none()
            && (walk.checksums.learn(&member.id, &mut stream)
                || walk.keys.learn(&member.id, &mut stream))
        {
            return Ok(Walked::On);
        }
        let Sniffed { kind, foreign } = match sniff_stream(&mut stream, member.name.as_ref()) {
            Ok(sniffed) => sniffed,
            Err(error) => {
                let reason = self.broken(&error)?;
                self.refuse_member(member, reason, walk);
                return Ok(Walked::On);
            }
        };
        if kind == ObjectKind::Archive {
            if let Some(reason) = self.walk_archive(&member.id, stream, walk)? {
                self.refuse_member(member, reason, walk);
            }
            return Ok(Walked::On);
        }
        let position = walk.met.get(&member.id).copied();
        if position.is_some() {
            self.replace_member(member, walk);
        }
        if let ObjectKind::Unrecognised { reason } = kind {
            self.pass_over_foreign(member, reason, foreign, walk);
            return Ok(Walked::On);
        }
        if walk.met.len() > 2 * MAX_MEMBERS {
            return Ok(Walked::Enough);
        }
        let position = position.unwrap_or_default();
        walk.met
            .insert(member.id.clone(), position.saturating_add(1));
        if !walk.wants(&member.id, position) {
            return Ok(Walked::On);
        }
        if walk.read == MAX_MEMBERS {
            return Ok(Walked::Enough);
        }
        walk.read += 1;
        self.ask_for(member);
        match kind {
            ObjectKind::Kuberesources | ObjectKind::Combined => {
                self.take_kuberesources(member, size_bytes, stream, walk)?;
            }
            kind => self.take_snapshot(member, kind, size_bytes, stream, walk)?,
        }
        Ok(Walked::On)
    }

    fn refuse_member(&mut self, member: &FoundObject, reason: String, walk: &ArchiveWalk<'_>) {
        if walk.again.is_none() {
            self.ask_for(member);
            self.refused(member, reason);
        }
    }

    /// Unpacking puts it in the place of the one before: so does this.
    fn replace_member(&mut self, member: &FoundObject, walk: &mut ArchiveWalk<'_>) {
        if walk.again.is_none() {
            let reason = "a later member of this name takes the place of this one, as it does when the archive is unpacked";
            self.pass_over(&member.id, reason.to_owned(), false);
            self.remember_file(member, Content::NotABackup);
            self.known
                .enter(&member.id, member.identity.clone(), Content::NotABackup);
            walk.forget_earlier(&member.id);
        } else if matches!(walk.again, Some(Again::Values(_))) {
            walk.forget_earlier(&member.id);
        }
    }

    /// A member that lies at what was asked for is asked for.
    pub(super) fn ask_for(&mut self, member: &FoundObject) {
        if self.locations.iter().any(|one| one.contains(&member.id)) {
            self.asked.insert(member.id.clone());
        }
    }

    /// Of what is no backup only that is told, and remembered, which somebody may take for one.
    fn pass_over_foreign(
        &mut self,
        member: &FoundObject,
        reason: &str,
        foreign: Option<Foreign>,
        walk: &mut ArchiveWalk<'_>,
    ) {
        if walk.told == MAX_MEMBERS || walk.again.is_some() {
            return;
        }
        let told_before = self.survey.skipped.len();
        let content = self.tell_foreign(member, reason, foreign);
        walk.told += self.survey.skipped.len().saturating_sub(told_before);
        if matches!(content, Content::Foreign(_)) && walk.met.len() < 2 * MAX_MEMBERS {
            *walk.met.entry(member.id.clone()).or_default() += 1;
            self.remember_file(member, content.clone());
            self.known
                .enter(&member.id, member.identity.clone(), content);
        }
    }

    /// What was known of members that were not met: in an archive that was read whole they are no more; where reading
    /// broke off nobody saw them.
    fn forget_unmet(&mut self, walk: &ArchiveWalk<'_>) {
        if walk.again.is_some() {
            return;
        }
        let records = self.known.contents.files.iter();
        let unmet = records.filter(|(id, record)| {
            *id.outermost() == walk.object.id
                && id.archive().is_some()
                && record.content != Content::NotABackup
                && !walk.met.contains_key(*id)
        });
        let unmet: Vec<ObjectId> = unmet.map(|(id, _)| id.clone()).collect();
        for id in unmet {
            let member = FoundObject {
                name: id.file_name().and_then(BackupName::parse),
                identity: walk.object.identity.clone(),
                id,
            };
            match &walk.broken {
                Some(reason) => self.enter_unreadable(&member, reason, None),
                None => {
                    self.remember_file(&member, Content::NotABackup);
                    self.known
                        .enter(&member.id, member.identity, Content::NotABackup);
                }
            }
        }
    }
}

type EnteredArchive<'s> = (ArchiveReader<'s>, PackingBudget);

/// Takes off what the archive is packed in.
fn enter(stream: PackedStream<'_>) -> io::Result<EnteredArchive<'_>> {
    let mut stream = stream.unpack()?;
    let kind = ArchiveKind::of(stream.head(HEAD_BYTES)?);
    let kind = kind.ok_or_else(|| io::Error::other("it is no archive"))?;
    let below = stream.below()?;
    Ok((ArchiveReader::new(stream.into_reader(), kind), below))
}

fn member_of(walk: &ArchiveWalk<'_>, archive: &ObjectId, path: &Path) -> FoundObject {
    FoundObject {
        id: archive.member(path.as_os_str()),
        name: path.file_name().and_then(BackupName::parse),
        identity: walk.object.identity.clone(),
    }
}
