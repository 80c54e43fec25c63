//! Which OpenShift a snapshot can restore.

use super::kind::ClusterKind;
use crate::backup::Version;
use crate::finding::{Code, Finding};
use crate::openshift::Cluster;
use crate::snapshot::Snapshot;

/// The exact version, or the two that the cluster was between; all `None` without a ClusterVersion.
pub(crate) fn version_of(snapshot: &Snapshot) -> Version {
    let cluster = &snapshot.cluster;
    let Some((newest, older)) = cluster.history.split_first() else {
        return Version::default();
    };
    if let Some(settled) = cluster.settled_version() {
        return Version {
            openshift: Some(settled.to_owned()),
            ..Version::default()
        };
    }
    let desired = cluster.desired_version.as_deref().unwrap_or_default();
    let candidates = if newest.version == desired {
        older
    } else {
        &cluster.history
    };
    let from = candidates
        .iter()
        .find(|entry| entry.is_completed() && !entry.version.is_empty());
    let to = Some(desired)
        .filter(|version| !version.is_empty())
        .unwrap_or(&newest.version);
    Version {
        openshift: None,
        upgrading_from: from.map(|entry| entry.version.clone()),
        upgrading_to: Some(to.to_owned()).filter(|version| !version.is_empty()),
    }
}

/// `version-unknown`: no ClusterVersion, or one without history.
pub(super) fn unknown(snapshot: &Snapshot) -> Option<Finding> {
    let cluster = &snapshot.cluster;
    if !cluster.history.is_empty() {
        return None;
    }
    let kind = ClusterKind::of(snapshot);
    let message = match kind {
        _ if has_cluster_version(cluster) => {
            "the ClusterVersion in the snapshot has no history, so nothing says which version ran"
        }
        ClusterKind::OpenShift | ClusterKind::Hosted | ClusterKind::FencedCopy => {
            "no ClusterVersion in the snapshot, so nothing says which OpenShift ran"
        }
        ClusterKind::MicroShift => {
            "MicroShift, which has no ClusterVersion: it is valid for no version of OpenShift"
        }
        ClusterKind::OpenShift3 => "OpenShift 3, which has no ClusterVersion",
        ClusterKind::KubernetesIo => {
            "keys lie under /kubernetes.io/, but nothing of OpenShift is among them, so there is no OpenShift version"
        }
        ClusterKind::Kubernetes => {
            "keys lie under /registry/: plain Kubernetes, which has no OpenShift version"
        }
        ClusterKind::Unknown => {
            "so much of the file is damaged or missing that nothing says which OpenShift ran"
        }
        ClusterKind::Other => {
            "no key of a Kubernetes API server was found, so there is no OpenShift version"
        }
        // Told as what it is.
        ClusterKind::Empty => return None,
    };
    let key = "/kubernetes.io/config.openshift.io/clusterversions/version";
    let remedy = match kind {
        ClusterKind::MicroShift => {
            "restore it with microshift restore, on a host with the version in the file `version` beside it"
        }
        _ => "it cannot be matched to a version: use a backup whose version is known",
    };
    Some(
        Finding::new(Code::VersionUnknown, message)
            .with("key", key)
            .remedy(remedy),
    )
}

/// `snapshot-empty`: an etcd that came up without data answers as well as any other.
pub(super) fn empty(snapshot: &Snapshot) -> Option<Finding> {
    if snapshot.live_keys != Some(0) {
        return None;
    }
    let message = "this database is empty: no key at all, so a restore brings up an empty cluster";
    let finding = Finding::new(Code::SnapshotEmpty, message).with("liveKeys", 0_u64);
    Some(match snapshot.status.revision {
        Some(revision) => finding.with("revision", revision),
        None => finding,
    })
}

fn has_cluster_version(cluster: &Cluster) -> bool {
    cluster.id.is_some() || cluster.installed_at.is_some() || cluster.desired_version.is_some()
}
