//! What a selection asks of a backup, whether all of it is in memory or only its summary.

use super::KnownCluster;
use crate::backup::{Backup, Verdict};
use crate::digest::Sha256Digest;
use crate::finding::Code;
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::path::PathBuf;

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
    /// The exact OpenShift version it can restore.
    fn version(&self) -> Option<&str>;
    /// When it was taken.
    fn taken_at(&self) -> Option<DateTime<Utc>>;
    /// What its id is the beginning of.
    fn digest(&self) -> Option<Sha256Digest>;
    /// The place that stands for it.
    fn place(&self) -> Option<PathBuf>;
    /// What it consists of.
    fn halves(&self) -> Halves;
    /// What it all comes to.
    fn verdict(&self) -> Verdict;
    /// Codes of the findings that make it invalid, ascending.
    fn reasons_against(&self) -> Vec<Code>;

    /// True while at least one half is on disk, or the path itself is what is reported.
    fn is_present(&self) -> bool {
        match self.halves() {
            // A file that could not be read at all.
            Halves {
                snapshot: None,
                kuberesources: None,
            } => self.place().is_some(),
            halves => halves.snapshot == Some(true) || halves.kuberesources == Some(true),
        }
    }
}

impl Candidate for Backup {
    fn cluster(&self) -> Option<Cow<'_, KnownCluster>> {
        KnownCluster::of(self).map(Cow::Owned)
    }

    fn version(&self) -> Option<&str> {
        self.version.openshift.as_deref()
    }

    fn taken_at(&self) -> Option<DateTime<Utc>> {
        self.taken_at
    }

    fn digest(&self) -> Option<Sha256Digest> {
        self.digest
    }

    fn place(&self) -> Option<PathBuf> {
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

    fn reasons_against(&self) -> Vec<Code> {
        Self::reasons_against(self)
    }
}
