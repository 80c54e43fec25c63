//! A backup in short: as much of it as a list shows and a selection asks for.

use super::{Candidate, Halves, KnownCluster, candidate};
use crate::backup::{Backup, Verdict, Version};
use crate::digest::Sha256Digest;
use crate::finding::{Code, Severity, is_mended};
use crate::source::ObjectId;
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::ffi::OsStr;
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
    /// Revision of etcd.
    pub revision: Option<i64>,
    /// Length of the snapshot in bytes; of the kuberesources where that is all there is.
    pub size_bytes: Option<u64>,
    /// When the first certificate ends without which it cannot be restored.
    pub certificates_until: Option<DateTime<Utc>>,
    /// What it came to when it was verified last.
    pub verified_as: Option<Verdict>,
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

/// Where a file lies.
#[derive(Clone, Debug)]
pub enum Place {
    /// A path in two parts, of which many files share the first.
    At {
        /// The directory.
        directory: ObjectId,
        /// The name in it.
        name: Box<OsStr>,
    },
    /// Somewhere: nothing that was asked depends on it, and its name was not read.
    Unread,
}

impl Place {
    /// The whole path, if it was read.
    pub fn path(&self) -> Option<ObjectId> {
        match self {
            Self::At { directory, name } => Some(directory.join(name)),
            Self::Unread => None,
        }
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path()
    }
}

impl Judged {
    /// Sorts the marks and drops repeated ones.
    pub fn new(marks: Vec<(Code, Severity)>, accepted: Vec<Code>, verdict: Verdict) -> Self {
        Self {
            marks: candidate::marks(marks.into_iter()),
            accepted,
            verdict,
        }
    }

    /// As [`Candidate::is_mended`].
    pub(crate) fn is_mended(&self) -> bool {
        self.verdict == Verdict::Invalid && is_mended(self.marks.iter().copied(), &self.accepted)
    }
}

impl Summary {
    /// The same of `backup`, with no more of its place than is known here.
    pub(crate) fn again(&self, backup: &Backup) -> Self {
        let mut again = Self::from(backup);
        if let (Some(place @ Place::At { .. }), Some(Place::Unread)) =
            (&mut again.place, &self.place)
        {
            *place = Place::Unread;
        }
        again
    }
}

impl From<&Backup> for Summary {
    fn from(backup: &Backup) -> Self {
        let place = backup.path().map(|path| Place::At {
            directory: path.parent().unwrap_or_else(|| path.clone()),
            name: path.file_name().unwrap_or_default().into(),
        });
        Self {
            digest: backup.digest,
            halves: backup.halves(),
            cluster: KnownCluster::of(backup).map(Arc::new),
            version: Arc::new(backup.version.clone()),
            taken_at: backup.taken_at,
            revision: backup.revision(),
            size_bytes: backup.size_bytes(),
            certificates_until: backup.certificates_until(),
            verified_as: backup.verifications.last().map(|last| last.verdict),
            outcome: Arc::new(Judged {
                marks: backup.marks().into_owned(),
                accepted: backup.accepted.clone(),
                verdict: backup.verdict,
            }),
            place,
        }
    }
}

impl Candidate for Summary {
    fn cluster(&self) -> Option<Cow<'_, KnownCluster>> {
        self.cluster.as_deref().map(Cow::Borrowed)
    }

    fn version(&self) -> &Version {
        &self.version
    }

    fn taken_at(&self) -> Option<DateTime<Utc>> {
        self.taken_at
    }

    fn revision(&self) -> Option<i64> {
        self.revision
    }

    fn digest(&self) -> Option<Sha256Digest> {
        self.digest
    }

    fn place(&self) -> Option<ObjectId> {
        self.place.as_ref().and_then(Place::path)
    }

    fn has_place(&self) -> bool {
        self.place.is_some()
    }

    fn halves(&self) -> Halves {
        self.halves
    }

    fn verdict(&self) -> Verdict {
        self.outcome.verdict
    }

    fn size_bytes(&self) -> Option<u64> {
        self.size_bytes
    }

    fn marks(&self) -> Cow<'_, [(Code, Severity)]> {
        Cow::Borrowed(&self.outcome.marks)
    }

    fn accepted(&self) -> &[Code] {
        &self.outcome.accepted
    }

    fn certificates_until(&self) -> Option<DateTime<Utc>> {
        self.certificates_until
    }
}
