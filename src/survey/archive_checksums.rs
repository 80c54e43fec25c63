//! Checksums that lie in an archive beside the files that they are about, and those of the archive itself.
//!
//! A list may come before its files or behind them. What it asks for and nobody computed as the file passed by is computed in
//! one more pass.

use super::SurveyError;
use super::archive_walk::{Again, ArchiveWalk};
use super::batch::changes;
use super::examination::Examination;
use super::file::has_lost_its_trailer;
use super::member_checksums::Computed;
use super::recorded::{Recorded, differs};
use crate::digest::Sha256Digest;
use crate::discovery::{Checksum, FoundObject, Skipped, SkippedKind};
use crate::finding::{Artifact, Finding};
use crate::names::BackupName;
use crate::snapshot::{Mended, finding_of, lost_trailer};
use crate::source::{Object, ObjectId};
use std::collections::BTreeSet;

impl Examination<'_> {
    /// Has computed what lists asked for behind their files, and says what differs.
    pub(super) fn compare_checksums(
        &mut self,
        open: Option<&dyn Object>,
        walk: &mut ArchiveWalk<'_>,
    ) -> Result<(), SurveyError> {
        if walk.again.is_some() {
            return Ok(());
        }
        let missing = walk.checksums.uncomputed(&walk.met);
        match open {
            _ if missing.is_empty() => {}
            Some(open) => self.compute(open, &missing, walk)?,
            None => self.tell_uncomputed(&missing, walk),
        }
        let all: Vec<(ObjectId, Vec<Recorded>)> = walk
            .checksums
            .recorded()
            .iter()
            .map(|(id, recorded)| (id.clone(), recorded.to_vec()))
            .collect();
        for (id, recorded) in all {
            let computed = walk.checksums.computed(&id);
            self.tell_differing(&id, &recorded, computed, walk)?;
        }
        let id = walk.object.id.clone();
        let recorded = self.recorded.of(&id).to_vec();
        let computed = Computed {
            digests: walk.own.unwrap_or_default(),
            with_own_digest: None,
        };
        self.tell_differing(&id, &recorded, computed, walk)
    }

    fn compute(
        &mut self,
        open: &dyn Object,
        missing: &BTreeSet<ObjectId>,
        walk: &mut ArchiveWalk<'_>,
    ) -> Result<(), SurveyError> {
        self.monitor.expect(1, walk.object.identity.size_bytes());
        let mut again = ArchiveWalk::new(walk.object, Some(open), Some(Again::Checksums(missing)));
        again.checksums = std::mem::take(&mut walk.checksums);
        self.walk_outermost(open, &mut again)?;
        walk.checksums = again.checksums;
        Ok(())
    }

    fn tell_uncomputed(&mut self, missing: &BTreeSet<ObjectId>, walk: &ArchiveWalk<'_>) {
        let recorded = missing
            .iter()
            .flat_map(|id| walk.checksums.recorded().of(id));
        let lists: BTreeSet<&ObjectId> = recorded.map(|one| &one.list).collect();
        self.survey.skipped.extend(lists.into_iter().map(|list| Skipped {
            id: list.clone(),
            reason: "it comes behind files that it is about, and a stream is read once: not compared with all of them"
                .to_owned(),
            kind: SkippedKind::NotABackup,
            remedy: Some("save the stream to a file and verify that".to_owned()),
            is_error: false,
        }));
    }

    fn tell_differing(
        &mut self,
        id: &ObjectId,
        recorded: &[Recorded],
        computed: Computed,
        walk: &ArchiveWalk<'_>,
    ) -> Result<(), SurveyError> {
        let mut differing = computed.digests.differing(recorded);
        if differing.is_empty() {
            return Ok(());
        }
        let lost = computed
            .with_own_digest
            .and_then(|own| self.lost_trailer(id, own, recorded));
        if let Some((own, mended)) = lost {
            differing.retain(|(recorded, _)| recorded.checksum != own);
            self.amend(id, |_| vec![finding_of(&mended)], Some(mended))?;
        }
        // A checksum of an archive is one of everything in it.
        let halves: Vec<ObjectId> = if self.known.is_half(id) {
            vec![id.clone()]
        } else {
            let met = walk.met.keys();
            met.filter(|half| id.contains(half)).cloned().collect()
        };
        if differing.is_empty() {
            return Ok(());
        }
        for half in halves {
            let told = |artifact| differs(id, artifact, differing.clone()).collect();
            self.amend(&half, told, None)?;
        }
        Ok(())
    }

    fn lost_trailer(
        &self,
        id: &ObjectId,
        own: Sha256Digest,
        recorded: &[Recorded],
    ) -> Option<(Checksum, Mended)> {
        let facts = self.known.snapshot_at(id)?;
        has_lost_its_trailer(facts, own, recorded).then(|| {
            let mended = lost_trailer(facts.computed, facts.size_bytes);
            (Checksum::Sha256(own.0), mended)
        })
    }

    /// Adds what turned out after a half was entered.
    fn amend(
        &mut self,
        id: &ObjectId,
        told: impl Fn(Artifact) -> Vec<Finding>,
        mended: Option<Mended>,
    ) -> Result<(), SurveyError> {
        let Some(identity) = self.known.files.get(id).map(|known| known.identity.clone()) else {
            return Ok(());
        };
        let object = FoundObject {
            name: id.file_name().and_then(BackupName::parse),
            id: id.clone(),
            identity,
        };
        if let Some(facts) = self.known.snapshot_at(id) {
            let mut facts = facts.clone();
            facts.findings.extend(told(Artifact::Snapshot));
            facts.mended = mended.or(facts.mended);
            self.recorder
                .add(changes(&object, &facts, self.now, self.stores))?;
            self.known.enter_snapshot(id, object.identity, facts);
        } else if let Some(facts) = self.known.kuberesources_at(id) {
            let mut facts = facts.clone();
            facts.findings.extend(told(Artifact::Kuberesources));
            self.remember_kuberesources(&object, facts)?;
        }
        Ok(())
    }
}
