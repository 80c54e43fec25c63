//! A backup: the two halves joined, judged, with their history. What every view is made from.

use crate::digest::Sha256Digest;
use crate::finding::{Code, Finding, is_mended};
use crate::kuberesources::Kuberesources;
use crate::kubernetes::certificate::Certificates;
use crate::kubernetes::encryption::KeyProof;
use crate::snapshot::Snapshot;
use crate::source::{Custody, ObjectId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Facts that many files may have in common, copied only where one of them is to differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared<T>(Arc<T>);

impl<T> From<T> for Shared<T> {
    fn from(facts: T) -> Self {
        Self(Arc::new(facts))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

/// A file's content and every place where it lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// What was learnt from the bytes; shared, for many files may be alike.
    pub facts: Shared<T>,
    /// Where it lies: the place that is shown first.
    pub path: ObjectId,
    /// Further places with the same bytes, ascending.
    pub copies: Vec<ObjectId>,
    /// Modification time of `path`.
    pub modified_at: Option<DateTime<Utc>>,
    /// When a store received it first, by this machine's clock; `None` if any place is a file, whose times say nothing of
    /// when it came.
    pub arrived_at: Option<DateTime<Utc>>,
    /// How stores keep it at those of its places of which they said so.
    pub custody: BTreeMap<ObjectId, Custody>,
    /// False when no place is left on disk.
    pub is_present: bool,
    /// The file at `path` is not these bytes but packs them.
    pub is_packed: bool,
}

impl<T> Located<T> {
    /// One place on disk, of which nothing more is known.
    pub fn alone(facts: T, path: ObjectId) -> Self {
        Self {
            facts: Shared::from(facts),
            path,
            copies: Vec::new(),
            modified_at: None,
            arrived_at: None,
            custody: BTreeMap::new(),
            is_present: true,
            is_packed: false,
        }
    }

    /// All places, the shown one first.
    pub fn places(&self) -> impl Iterator<Item = &ObjectId> {
        std::iter::once(&self.path).chain(&self.copies)
    }
}

/// One backup as it stands: at least one half is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Backup {
    /// SHA-256 over the snapshot's data; of the file for kuberesources alone; `None` if nothing could be read.
    pub digest: Option<Sha256Digest>,
    /// The `.db` half.
    pub snapshot: Option<Located<Snapshot>>,
    /// The `.tar.gz` half.
    pub kuberesources: Option<Located<Kuberesources>>,
    /// A file that could not be read at all: its path stands here and both halves are `None`.
    pub unreadable_path: Option<ObjectId>,
    /// What decided that the two halves belong together.
    pub pairing: PairingBasis,
    /// What the keys were shown to do; `None` when nothing is encrypted or there is nothing to try.
    pub key_proof: Option<KeyProof>,
    /// Certificates found behind encryption, opened with the paired keys.
    pub sealed_certificates: Certificates,
    /// The version it can restore, when it is one.
    pub version: Version,
    /// When it was taken, as far as can be told.
    pub taken_at: Option<DateTime<Utc>>,
    /// How `taken_at` is known.
    pub taken_at_source: Option<TakenAtSource>,
    /// What the file name says.
    pub named_at: Option<DateTime<Utc>>,
    /// Everything found, most severe first.
    pub findings: Vec<Finding>,
    /// Codes that were accepted for this run and therefore do not count.
    pub accepted: Vec<Code>,
    /// The verdict on it all.
    pub verdict: Verdict,
    /// When the catalogue first saw it.
    pub first_seen_at: Option<DateTime<Utc>>,
    /// When its bytes were last proven.
    pub verified_at: Option<DateTime<Utc>>,
    /// Every verification, oldest first.
    pub verifications: Vec<Verification>,
    /// How `etcd-cat backup` took it; `None` when it came another way.
    pub provenance: Option<Box<Provenance>>,
}

impl Backup {
    /// The beginning of the digest.
    pub fn id(&self) -> Option<String> {
        self.digest.map(|digest| digest.id())
    }

    /// The place that stands for this backup in a table.
    pub fn path(&self) -> Option<&ObjectId> {
        let snapshot = self.snapshot.as_ref().map(|half| &half.path);
        let kuberesources = self.kuberesources.as_ref().map(|half| &half.path);
        snapshot.or(kuberesources).or(self.unreadable_path.as_ref())
    }

    /// In what form it can be restored.
    pub fn usable(&self) -> Usable {
        let is_packed = self.snapshot.as_ref().is_some_and(|half| half.is_packed);
        let findings = self.findings.iter();
        let marks = findings.map(|finding| (finding.code, finding.severity));
        match self.verdict.is_usable() {
            true if is_packed => Usable::Staged,
            true => Usable::AsIs,
            false if self.verdict == Verdict::Invalid && is_mended(marks, &self.accepted) => {
                Usable::Staged
            }
            false => Usable::No,
        }
    }

    /// Findings that say how it could be filed better.
    pub fn advice(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.is_advice())
    }

    /// All its files.
    pub fn places(&self) -> BTreeSet<&ObjectId> {
        self.each_place().collect()
    }

    /// The same in the order in which they are kept: the one that stands for it, then the others, ascending.
    pub(crate) fn places_in_order(&self) -> Vec<&ObjectId> {
        let first = self.path();
        let others = self.places().into_iter();
        let others = others.filter(|place| Some(*place) != first);
        first.into_iter().chain(others).collect()
    }

    /// The same one by one, in no order; one may come twice.
    pub fn each_place(&self) -> impl Iterator<Item = &ObjectId> {
        let snapshot = self.snapshot.iter().flat_map(Located::places);
        let kuberesources = self.kuberesources.iter().flat_map(Located::places);
        snapshot.chain(kuberesources).chain(&self.unreadable_path)
    }
}

/// In what form a backup can be restored.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Usable {
    /// The files as they lie there.
    AsIs,
    /// What `stage` makes of them.
    Staged,
    /// Not at all.
    No,
}

/// Which OpenShift it was taken from.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Version {
    /// The exact version, such as `4.17.3`; `None` when unknown or between two.
    pub openshift: Option<String>,
    /// While an upgrade was under way: the version before.
    pub upgrading_from: Option<String>,
    /// While an upgrade was under way: the version aimed at.
    pub upgrading_to: Option<String>,
}

/// What decided that two files are one backup.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PairingBasis {
    /// Cluster, revisions or keys agree.
    Content,
    /// Only the stamp in the names agrees.
    Name,
    /// There is no pair.
    #[default]
    None,
}

/// How the moment of a snapshot is known, best first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TakenAtSource {
    /// Newest renewal of a Lease object.
    Lease,
    /// Newest other content.
    Content,
    /// Stamp in the file name.
    Name,
    /// Modification time of the file.
    Mtime,
}

/// What it all comes to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No finding above info.
    Valid,
    /// Usable; read the warnings.
    Warning,
    /// At least one error.
    Invalid,
    /// Not verified, or a file is gone.
    Unknown,
}

impl Verdict {
    /// Only `valid` and `warning` may be restored from.
    pub fn is_usable(self) -> bool {
        matches!(self, Self::Valid | Self::Warning)
    }

    /// The word in JSON and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Warning => "warning",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }
}

/// One reading of all bytes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Verification {
    /// When.
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    /// With what result.
    pub verdict: Verdict,
    /// Codes accepted in that run.
    pub accepted: Vec<Code>,
}

/// How `backup` took a snapshot.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Provenance {
    /// The control-plane node.
    pub node: String,
    /// Version of `oc`.
    pub oc_version: Option<String>,
    /// OpenShift version that the cluster reported.
    pub cluster_version: Option<String>,
    /// What `cluster-backup.sh` printed.
    pub script_output: String,
    /// Checks before the backup that were overridden.
    pub forced: Vec<String>,
    /// When the script ran.
    #[serde(with = "crate::instant")]
    pub taken_at: DateTime<Utc>,
    /// The debug pod that the script ran in.
    #[serde(default)]
    pub pod: Option<String>,
    /// The image of that pod.
    #[serde(default)]
    pub image: Option<String>,
    /// Of a backup that the cluster's own automated backups took: where it lay in the cluster.
    #[serde(default)]
    pub policy: Option<String>,
}
