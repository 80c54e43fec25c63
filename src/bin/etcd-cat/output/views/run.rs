//! The document about one run of `backup`.

use super::{API_VERSION, BackupView};
use crate::output::text;
use chrono::{DateTime, Utc};
use etcd_cat::instant::rfc3339_seconds as rfc3339;
use etcd_cat::oc::{BackupRun, FetchedFile, Leftover, SnapshotStatus};
use etcd_cat::take::TakeReport;
use serde::Serialize;

/// `kind: BackupRun`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupRunView {
    api_version: &'static str,
    kind: &'static str,
    outcome: &'static str,
    reason: Option<String>,
    node: Option<String>,
    forced: Vec<String>,
    commands: Vec<String>,
    taken: Option<TakenView>,
    backup: Option<BackupView>,
    leftovers: Vec<LeftoverView>,
}

/// How it was taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct TakenView {
    started_at: String,
    script_ended_at: String,
    cluster_id: String,
    infrastructure_name: Option<String>,
    version_before: String,
    version_after: Option<String>,
    oc_version: Option<String>,
    etcdctl_version: Option<String>,
    script_status: Option<ScriptStatusView>,
    script_output: Vec<String>,
    snapshot: FileView,
    kuberesources: FileView,
    kept_on_node: Option<String>,
}

/// The numbers that the script printed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ScriptStatusView {
    hash: u32,
    revision: i64,
    total_key: u64,
    total_size: u64,
    version: Option<String>,
}

/// A file as it came; the digest was taken on the host and here.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct FileView {
    path: String,
    size_bytes: u64,
    sha256: String,
}

/// Something that could not be removed from the cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct LeftoverView {
    what: String,
    command: String,
}

impl BackupRunView {
    /// What was taken, planned or left.
    pub(crate) fn new(report: &TakeReport, now: DateTime<Utc>) -> Self {
        let leftovers = report.taken.iter().flat_map(|taken| &taken.leftovers);
        Self {
            api_version: API_VERSION,
            kind: "BackupRun",
            outcome: report.outcome.as_str(),
            reason: report.reason.clone(),
            node: report.node.clone(),
            forced: report.forced.clone(),
            commands: report.commands.clone(),
            taken: report.taken.as_deref().map(TakenView::new),
            backup: report
                .backup
                .as_ref()
                .map(|backup| BackupView::new(backup, now)),
            leftovers: leftovers.map(LeftoverView::new).collect(),
        }
    }
}

impl TakenView {
    fn new(run: &BackupRun) -> Self {
        Self {
            started_at: rfc3339(run.started_at),
            script_ended_at: rfc3339(run.script_ended_at),
            cluster_id: run.cluster_id.clone(),
            infrastructure_name: run.infrastructure_name.clone(),
            version_before: run.version_before.clone(),
            version_after: run.version_after.clone(),
            oc_version: run.oc_version.clone(),
            etcdctl_version: run.etcdctl_version.clone(),
            script_status: run.status.as_ref().map(ScriptStatusView::new),
            script_output: run.script_output.clone(),
            snapshot: FileView::new(&run.snapshot),
            kuberesources: FileView::new(&run.kuberesources),
            kept_on_node: run.kept_on_node.clone(),
        }
    }
}

impl ScriptStatusView {
    fn new(status: &SnapshotStatus) -> Self {
        Self {
            hash: status.hash,
            revision: status.revision,
            total_key: status.total_key,
            total_size: status.total_size,
            version: status.version.clone(),
        }
    }
}

impl FileView {
    fn new(file: &FetchedFile) -> Self {
        Self {
            path: text::path(&file.path),
            size_bytes: file.size_bytes,
            sha256: file.sha256.to_string(),
        }
    }
}

impl LeftoverView {
    fn new(leftover: &Leftover) -> Self {
        Self {
            what: leftover.what.clone(),
            command: leftover.command.clone(),
        }
    }
}
