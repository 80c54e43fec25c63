//! A backup in short: as much of it as a list shows and a selection asks for.

use super::{Candidate, Halves, KnownCluster};
use crate::backup::{Backup, Verdict, Version};
use crate::digest::Sha256Digest;
use crate::finding::{Code, Severity};
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::path::PathBuf;
use std::sync::Arc;

/// One backup in short.
///
/// What many backups have in common is shared: thousands of them fit into a few megabytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// What its id is the beginning of.
    pub digest: Option<Sha256Digest>,
    /// What it consists of.
    pub halves: Halves,
    /// The cluster, when either half names it.
    pub cluster: Option<Arc<KnownCluster>>,
    /// The version it can restore, when it is one.
    pub version: Arc<Version>,
    /// When it was taken.
    pub taken_at: Option<DateTime<Utc>>,
    /// Length of the snapshot in bytes; of the kuberesources where that is all there is.
    pub size_bytes: Option<u64>,
    /// What was found and what it comes to.
    pub outcome: Arc<Judged>,
    /// The place that stands for it, as directory and name.
    pub place: Option<Place>,
}

/// Findings without their words.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Judged {
    /// Code and severity of each kind of finding once, most severe first.
    pub marks: Vec<(Code, Severity)>,
    /// Codes that were accepted for this run and therefore do not count.
    pub accepted: Vec<Code>,
    /// What it all comes to.
    pub verdict: Verdict,
}

/// A path in two parts, of which many files share the first.
#[derive(Clone, Debug)]
pub struct Place {
    /// The directory.
    pub directory: Arc<std::path::Path>,
    /// The name in it.
    pub name: Box<std::ffi::OsStr>,
}

impl Place {
    /// The whole path.
    pub fn path(&self) -> PathBuf {
        self.directory.join(&*self.name)
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path()
    }
}

impl Judged {
    /// Sorts the marks and drops repeated ones.
    pub fn new(mut marks: Vec<(Code, Severity)>, accepted: Vec<Code>, verdict: Verdict) -> Self {
        marks.sort_by_key(|(code, severity)| (Reverse(*severity), *code));
        marks.dedup();
        Self {
            marks,
            accepted,
            verdict,
        }
    }
}

impl From<&Backup> for Summary {
    fn from(backup: &Backup) -> Self {
        let marks = backup.findings.iter();
        let marks = marks.map(|finding| (finding.code, finding.severity));
        let snapshot = backup.snapshot.as_ref().map(|half| half.facts.size_bytes);
        let archive = backup.kuberesources.as_ref();
        let place = backup.path().map(|path| Place {
            directory: path.parent().unwrap_or(path).into(),
            name: path.file_name().unwrap_or_default().into(),
        });
        Self {
            digest: backup.digest,
            halves: backup.halves(),
            cluster: KnownCluster::of(backup).map(Arc::new),
            version: Arc::new(backup.version.clone()),
            taken_at: backup.taken_at,
            size_bytes: snapshot.or(archive.map(|half| half.facts.size_bytes)),
            outcome: Arc::new(Judged::new(
                marks.collect(),
                backup.accepted.clone(),
                backup.verdict,
            )),
            place,
        }
    }
}

impl Candidate for Summary {
    fn cluster(&self) -> Option<Cow<'_, KnownCluster>> {
        self.cluster.as_deref().map(Cow::Borrowed)
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
        self.place.as_ref().map(Place::path)
    }

    fn halves(&self) -> Halves {
        self.halves
    }

    fn verdict(&self) -> Verdict {
        self.outcome.verdict
    }

    fn reasons_against(&self) -> Vec<Code> {
        let Judged {
            marks, accepted, ..
        } = self.outcome.as_ref();
        let counts =
            |mark: &&(Code, Severity)| mark.1 == Severity::Error && !accepted.contains(&mark.0);
        let mut codes: Vec<Code> = marks.iter().filter(counts).map(|mark| mark.0).collect();
        codes.sort();
        codes.dedup();
        codes
    }
}
