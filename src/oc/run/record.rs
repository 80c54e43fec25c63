//! What a run leaves behind: the backup with its provenance, or why there is none.

use super::error::OcError;
use super::leftover::Leftover;
use super::script::SnapshotStatus;
use super::transfer::FetchedFile;
use crate::oc::cluster::RefusalReason;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

/// What the caller found when it verified the two files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum VerificationResult {
    /// It may be believed.
    Passed,
    /// It may not: the files are put aside as `.failed-verification`.
    Failed,
    /// It was not finished, for this reason: the files are put aside as `.not-verified`.
    Unfinished(String),
}

/// How the run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RunOutcome {
    /// Not verified yet: what the caller's closure sees.
    Fetched,
    /// A verified backup lies under its final names. Exit code 0.
    Verified,
    /// It failed verification and was put aside. Exit code 1.
    Rejected,
}

/// A backup that was taken and brought here, with its provenance.
#[derive(Clone, Debug)]
pub struct BackupRun {
    /// How it ended.
    pub outcome: RunOutcome,
    /// The host that it was taken on.
    pub node: String,
    /// The debug pod that the script ran in; `None` when nobody saw it run.
    pub pod: Option<String>,
    /// The image of that pod; `None` where each command has a pod of its own.
    pub image: Option<String>,
    /// The `.db`, where it lies now.
    pub snapshot: FetchedFile,
    /// The `.tar.gz`, where it lies now.
    pub kuberesources: FetchedFile,
    /// Every line that the script printed, stdout first, then stderr.
    pub script_output: Vec<String>,
    /// The script's status line; `None` before 4.6.
    pub status: Option<SnapshotStatus>,
    /// The node whose etcd the script says it asked; `None` when it did not say, or no node has that address.
    pub asked_node: Option<String>,
    /// Revision of each static pod that the script says it packed.
    pub static_pods: BTreeMap<String, i64>,
    /// etcdctl that saved it; `None` when the script did not say.
    pub etcdctl_version: Option<String>,
    /// `oc` that was used.
    pub oc_version: Option<String>,
    /// ClusterVersion before the script ran.
    pub version_before: String,
    /// ClusterVersion after it; `None` when it could not be read again.
    pub version_after: Option<String>,
    /// ClusterVersion `spec.clusterID`.
    pub cluster_id: String,
    /// Infrastructure `status.infrastructureName`.
    pub infrastructure_name: Option<String>,
    /// Reasons against it that were overridden.
    pub forced: Vec<RefusalReason>,
    /// When the script was started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub script_ended_at: DateTime<Utc>,
    /// `--keep-on-node`: the directory that stays on the host.
    pub kept_on_node: Option<String>,
    /// Of a backup that the cluster's own policy took: the directory on the host, where it stays.
    pub policy: Option<String>,
    /// Every `oc` command line of this run, the look beforehand included.
    pub commands: Vec<Vec<String>>,
    /// What earlier runs left and is still there: directories on this host, pods and namespaces that could not be removed.
    pub earlier: Vec<Leftover>,
    /// What could not be removed.
    pub leftovers: Vec<Leftover>,
}

/// No backup, and what is left of the attempt.
#[derive(Debug)]
pub struct BackupFailure {
    /// Why. Its own causes are below it.
    pub error: OcError,
    /// What could not be removed from the cluster.
    pub leftovers: Vec<Leftover>,
    /// Every `oc` command line so far.
    pub commands: Vec<Vec<String>>,
}

impl BackupFailure {
    /// True when there was nothing to do, and nothing is left of it.
    pub(crate) fn is_already_here(&self) -> bool {
        matches!(self.error, OcError::AlreadyHere { .. }) && self.leftovers.is_empty()
    }
}

impl fmt::Display for BackupFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for BackupFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
