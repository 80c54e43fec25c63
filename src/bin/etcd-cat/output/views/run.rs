//! The document about one run of `backup`.

use super::{API_VERSION, BackupView};
use crate::output::text;
use chrono::{DateTime, Utc};
use etcd_cat::instant::rfc3339_seconds as rfc3339;
use etcd_cat::oc::{BackupRun, FetchedFile, Leftover, SnapshotStatus};
use etcd_cat::take::{Delivered, Delivery, TakeReport};
use serde::Serialize;

/// `kind: BackupRun`, of `backup`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupRunView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `BackupRun`.
    kind: &'static str,
    /// `taken`, `undelivered`, `rejected`, `planned`, `cleaned` or `skipped`.
    outcome: &'static str,
    /// Why none was taken, or why it was rejected, or what was removed, in words.
    reason: Option<String>,
    /// The host; with `--from-policy` the claim, where the backup lay in a volume that no host has.
    node: Option<String>,
    /// Reasons against it that were overridden.
    forced: Vec<String>,
    /// Every command of `oc`, as a shell would take it.
    commands: Vec<String>,
    /// How it was taken; null when none was.
    taken: Option<TakenView>,
    /// The new backup; null when none was verified.
    backup: Option<BackupView>,
    /// As `remains`, under its earlier name.
    leftovers: Vec<LeftoverView>,
    /// What could not be removed from the cluster; the exit code is 2 then.
    remains: Vec<LeftoverView>,
    /// What earlier runs left and is still there: directories on this host; pods and namespaces that could not be removed.
    earlier: Vec<LeftoverView>,
    /// What came of each destination: first that of `--to`, then each of `--also`. The exit code is 2 when one failed.
    destinations: Vec<DestinationView>,
    /// The directory on this machine where the files stay because not every destination was reached.
    kept_in: Option<String>,
}

/// What came of one destination.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct DestinationView {
    /// The backup lies there: it was read back and is what was taken.
    verified: bool,
    /// Why not, in words.
    reason: Option<String>,
    /// The snapshot there.
    snapshot: DeliveredView,
    /// The kuberesources there.
    kuberesources: DeliveredView,
}

/// One half at one destination.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveredView {
    /// Path or URL.
    path: String,
    /// It was put there whole.
    stored: bool,
    /// Its version, where the store keeps several.
    version: Option<String>,
}

/// How it was taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct TakenView {
    /// RFC 3339, UTC.
    started_at: String,
    /// RFC 3339, UTC.
    script_ended_at: String,
    /// UUID of the cluster.
    cluster_id: String,
    /// Name of the cluster.
    infrastructure_name: Option<String>,
    /// OpenShift version before the script ran.
    version_before: String,
    /// And after it.
    version_after: Option<String>,
    /// Version of `oc`.
    oc_version: Option<String>,
    /// Version of `etcdctl` on the host.
    etcdctl_version: Option<String>,
    /// The numbers that the script printed.
    script_status: Option<ScriptStatusView>,
    /// Lines of cluster-backup.sh.
    script_output: Vec<String>,
    /// The snapshot as it came.
    snapshot: FileView,
    /// The kuberesources as it came.
    kuberesources: FileView,
    /// Directory on the host where a copy was left; null when none was.
    kept_on_node: Option<String>,
    /// Debug pod that the script ran in.
    pod: Option<String>,
    /// Image of that pod; null where each command has a pod of its own.
    image: Option<String>,
    /// Of a backup that the cluster's own automated backups took: the directory on the host; null for others.
    policy: Option<String>,
}

/// The numbers that the script printed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ScriptStatusView {
    /// As `status` of a snapshot.
    hash: u32,
    /// As `status` of a snapshot.
    revision: i64,
    /// As `status` of a snapshot.
    total_key: u64,
    /// As `status` of a snapshot.
    total_size: u64,
    /// Storage version, where the script prints one.
    version: Option<String>,
}

/// A file as it came; the digest was taken on the host and here.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct FileView {
    /// Where it was put on this machine; with a bucket as destination it stays there only until it is proven to lie in that.
    path: String,
    /// Bytes.
    size_bytes: u64,
    /// Taken on the host and here.
    sha256: String,
}

/// Something that could not be removed from the cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct LeftoverView {
    /// What it is.
    what: String,
    /// The command that removes it, as a shell would take it.
    command: String,
    /// Why it is still there, in the words of `oc` or of the host; `null`: nobody tried to remove it.
    reason: Option<String>,
}

impl BackupRunView {
    /// What was taken, planned or left.
    pub(crate) fn new(report: &TakeReport, now: DateTime<Utc>) -> Self {
        let leftovers = report.taken.iter().flat_map(|taken| &taken.leftovers);
        let earlier = report.taken.iter().flat_map(|taken| &taken.earlier);
        let remains: Vec<LeftoverView> = leftovers.map(LeftoverView::new).collect();
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
            leftovers: remains.clone(),
            remains,
            earlier: earlier.map(LeftoverView::new).collect(),
            destinations: report.deliveries.iter().map(DestinationView::new).collect(),
            kept_in: report.kept.as_deref().map(text::path),
        }
    }
}

impl DestinationView {
    fn new(delivery: &Delivery) -> Self {
        Self {
            verified: delivery.failure.is_none(),
            reason: delivery.failure.clone(),
            snapshot: DeliveredView::new(&delivery.snapshot),
            kuberesources: DeliveredView::new(&delivery.kuberesources),
        }
    }
}

impl DeliveredView {
    fn new(half: &Delivered) -> Self {
        Self {
            path: text::path(&half.id),
            stored: half.is_stored,
            version: half.version.clone(),
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
            pod: run.pod.clone(),
            image: run.image.clone(),
            policy: run.policy.clone(),
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
    pub(crate) fn new(leftover: &Leftover) -> Self {
        Self {
            what: leftover.what.clone(),
            command: leftover.command.clone(),
            reason: leftover.reason.clone(),
        }
    }
}
