//! What a selection asks of a backup, whether all of it is in memory or only its summary.

use super::KnownCluster;
use crate::backup::{Backup, Verdict, Version};
use crate::digest::Sha256Digest;
use crate::finding::{Code, Severity, is_mended};
use crate::judgement::{certificate_ends, errors};
use crate::source::ObjectId;
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::cmp::Reverse;

/// Which halves a backup has, and whether their files are there.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Halves {
    /// Whether the file of the snapshot is there; `None` without a snapshot.
    pub snapshot: Option<bool>,
    /// Whether the file of the kuberesources is there; `None` without one.
    pub kuberesources: Option<bool>,
}

/// Something that can be selected, ordered and shown in a list.
pub trait Candidate {
    /// The cluster, when either half names it.
    fn cluster(&self) -> Option<Cow<'_, KnownCluster>>;
    /// The version it can restore, when it is one.
    fn version(&self) -> &Version;
    /// When it was taken.
    fn taken_at(&self) -> Option<DateTime<Utc>>;
    /// Revision of etcd: of one moment, the larger is the newer.
    fn revision(&self) -> Option<i64>;
    /// What its id is the beginning of.
    fn digest(&self) -> Option<Sha256Digest>;
    /// The place that stands for it.
    fn place(&self) -> Option<ObjectId>;
    /// True when there is a place that stands for it.
    fn has_place(&self) -> bool {
        self.place().is_some()
    }
    /// What it consists of.
    fn halves(&self) -> Halves;
    /// What it all comes to.
    fn verdict(&self) -> Verdict;
    /// Length of the snapshot in bytes; of the kuberesources where that is all there is.
    fn size_bytes(&self) -> Option<u64>;
    /// Code and severity of each kind of finding once, most severe first.
    fn marks(&self) -> Cow<'_, [(Code, Severity)]>;
    /// Codes that were accepted for this run and therefore do not count.
    fn accepted(&self) -> &[Code];
    /// When the first certificate ends without which it cannot be restored.
    fn certificates_until(&self) -> Option<DateTime<Utc>>;

    /// Codes of the findings that make it invalid, ascending.
    fn reasons_against(&self) -> Vec<Code> {
        if self.is_mended() {
            return Vec::new();
        }
        // Of one severity they ascend.
        errors(self.marks().iter().copied(), self.accepted()).collect()
    }

    /// Its digest proves what was saved, and nothing else speaks against it: `stage` writes that.
    fn is_mended(&self) -> bool {
        let marks = self.marks();
        self.verdict() == Verdict::Invalid && is_mended(marks.iter().copied(), self.accepted())
    }

    /// A restore from it works: from the file as it lies, or from what `stage` writes.
    fn is_restorable(&self) -> bool {
        self.verdict().is_usable() || self.is_mended()
    }

    /// The beginning of the digest.
    fn id(&self) -> Option<String> {
        self.digest().map(|digest| digest.id())
    }

    /// True while at least one half is on disk, or the path itself is what is reported.
    fn is_present(&self) -> bool {
        match self.halves() {
            // A file that could not be read at all.
            Halves {
                snapshot: None,
                kuberesources: None,
            } => self.has_place(),
            halves => halves.snapshot == Some(true) || halves.kuberesources == Some(true),
        }
    }
}

impl Candidate for Backup {
    fn cluster(&self) -> Option<Cow<'_, KnownCluster>> {
        KnownCluster::of(self).map(Cow::Owned)
    }

    fn version(&self) -> &Version {
        &self.version
    }

    fn taken_at(&self) -> Option<DateTime<Utc>> {
        self.taken_at
    }

    fn revision(&self) -> Option<i64> {
        let snapshot = self.snapshot.as_ref();
        snapshot.and_then(|half| half.facts.status.revision)
    }

    fn digest(&self) -> Option<Sha256Digest> {
        self.digest
    }

    fn place(&self) -> Option<ObjectId> {
        self.path().cloned()
    }

    fn halves(&self) -> Halves {
        Halves {
            snapshot: self.snapshot.as_ref().map(|half| half.is_present),
            kuberesources: self.kuberesources.as_ref().map(|half| half.is_present),
        }
    }

    fn verdict(&self) -> Verdict {
        self.verdict
    }

    fn size_bytes(&self) -> Option<u64> {
        let snapshot = self.snapshot.as_ref().map(|half| half.facts.size_bytes);
        let archive = self.kuberesources.as_ref();
        snapshot.or(archive.map(|half| half.facts.size_bytes))
    }

    fn marks(&self) -> Cow<'_, [(Code, Severity)]> {
        let findings = self.findings.iter();
        Cow::Owned(marks(
            findings.map(|finding| (finding.code, finding.severity)),
        ))
    }

    fn accepted(&self) -> &[Code] {
        &self.accepted
    }

    fn certificates_until(&self) -> Option<DateTime<Utc>> {
        let mut ends = certificate_ends(self).into_iter();
        ends.find(|end| end.is_vital).map(|end| end.ends_at)
    }
}

/// Sorts marks, most severe first, and drops repeated ones.
pub(super) fn marks(found: impl Iterator<Item = (Code, Severity)>) -> Vec<(Code, Severity)> {
    let mut marks: Vec<(Code, Severity)> = found.collect();
    marks.sort_by_key(|(code, severity)| (Reverse(*severity), *code));
    marks.dedup();
    marks
}
