//! Where the commands meet the work: each function asks for one thing and says in what form it comes back.

use crate::args::{BackupArgs, GlobalArgs, OcArgs};
use crate::error::{Failure, code};
use chrono::{DateTime, Utc};
use etcd_cat::backup::Backup;
use etcd_cat::finding::Code;
use etcd_cat::monitor::Monitor;
use etcd_cat::selection::TargetVersion;
use std::path::PathBuf;

/// What every request to the engine carries.
#[derive(Debug)]
#[expect(dead_code, reason = "read by the engine once it is wired")]
pub(crate) struct Request<'a> {
    /// Catalogue, jobs, cache.
    pub(crate) global: &'a GlobalArgs,
    /// Now, or what is taken for it.
    pub(crate) as_of: DateTime<Utc>,
    /// Findings that do not count.
    pub(crate) accept: &'a [Code],
}

/// What a walk over locations found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Survey {
    /// Every backup of the locations, in no order.
    pub(crate) backups: Vec<Backup>,
    /// Files that were left out.
    pub(crate) skipped: Vec<Skipped>,
    /// Files read.
    pub(crate) files: u64,
    /// Bytes read.
    pub(crate) bytes: u64,
}

/// A file that was left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Skipped {
    /// Where.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) reason: String,
    /// True when it ought to have been read.
    pub(crate) is_error: bool,
}

/// What came of `backup`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BackupRun {
    /// Whether one was taken.
    pub(crate) outcome: RunOutcome,
    /// Why none was taken.
    pub(crate) reason: Option<String>,
    /// The node it was, or would be, taken on.
    pub(crate) node: Option<String>,
    /// The commands.
    pub(crate) plan: Vec<String>,
    /// The new backup; the fresh one that made a new one needless.
    pub(crate) backup: Option<Backup>,
}

/// Whether a backup was taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "made by the engine once it is wired")
)]
pub(crate) enum RunOutcome {
    /// Taken and verified; the verdict says the rest.
    Taken,
    /// `--dry-run`.
    Planned,
    /// There was no need, or it was not the time.
    Skipped,
}

impl RunOutcome {
    /// The word in documents.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Planned => "planned",
            Self::Skipped => "skipped",
        }
    }
}

/// What came of `stage`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StageRun {
    /// Where the pair is now.
    pub(crate) directory: PathBuf,
    /// The files that were written.
    pub(crate) files: Vec<PathBuf>,
    /// How to go on.
    pub(crate) plan: Vec<String>,
}

/// What a running cluster says of itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct LiveCluster {
    /// ClusterVersion `spec.clusterID`.
    pub(crate) id: Option<String>,
    /// The version it runs.
    pub(crate) version: Option<TargetVersion>,
}

/// Reads what is new below `locations` (without any: below the remembered ones) and remembers it.
pub(crate) fn index(
    _request: &Request<'_>,
    _locations: &[PathBuf],
    _rebuild: Rebuild,
    _monitor: &dyn Monitor,
) -> Result<Survey, Failure> {
    Err(unavailable("index"))
}

/// Whether the catalogue is emptied first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rebuild {
    /// Start from nothing.
    Yes,
    /// Add to what is there.
    No,
}

/// Reads every byte below `locations` (without any: below the remembered ones).
pub(crate) fn verify(
    _request: &Request<'_>,
    _locations: &[PathBuf],
    _monitor: &dyn Monitor,
) -> Result<Survey, Failure> {
    Err(unavailable("verify"))
}

/// Everything in the catalogue, judged as of the request.
pub(crate) fn recall(_request: &Request<'_>) -> Result<Vec<Backup>, Failure> {
    Err(unavailable("the catalogue"))
}

/// The commands that restore `backup`.
pub(crate) fn restore_plan(_backup: &Backup) -> Vec<String> {
    Vec::new()
}

/// Copies a verified pair.
pub(crate) fn stage(
    _backup: &Backup,
    _to: &std::path::Path,
    _monitor: &dyn Monitor,
) -> Result<StageRun, Failure> {
    Err(unavailable("stage"))
}

/// Takes a backup.
pub(crate) fn take(
    _request: &Request<'_>,
    _args: &BackupArgs,
    _monitor: &dyn Monitor,
) -> Result<BackupRun, Failure> {
    Err(unavailable("backup"))
}

/// Asks the cluster for its id and version.
pub(crate) fn live_cluster(_oc: &OcArgs) -> Result<LiveCluster, Failure> {
    Err(unavailable("asking the cluster"))
}

/// Drops the records of these backups.
pub(crate) fn forget(_request: &Request<'_>, _backups: &[&Backup]) -> Result<(), Failure> {
    Err(unavailable("forget"))
}

fn unavailable(what: &str) -> Failure {
    Failure::new(
        code::UNAVAILABLE,
        format!("{what} is not part of this build"),
    )
}
