//! Which OpenShift a snapshot can restore.

use crate::backup::Version;
use crate::finding::{Code, Finding, has_error};
use crate::openshift::Cluster;
use crate::snapshot::{Flavour, Snapshot};

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
    let message = match snapshot.flavour {
        _ if has_cluster_version(cluster) => {
            "the ClusterVersion in the snapshot has no history, so nothing says which version ran"
        }
        Flavour::OpenShift => {
            "no ClusterVersion in the snapshot, so nothing says which OpenShift ran"
        }
        Flavour::Kubernetes => {
            "keys lie under /registry/: plain Kubernetes, which has no OpenShift version"
        }
        Flavour::Other if has_error(&snapshot.findings) => {
            "so much of the file is damaged or missing that nothing says which OpenShift ran"
        }
        Flavour::Other => {
            "no key of a Kubernetes API server was found, so there is no OpenShift version"
        }
    };
    let key = "/kubernetes.io/config.openshift.io/clusterversions/version";
    let remedy = "it cannot be matched to a version: use a backup whose version is known";
    Some(
        Finding::new(Code::VersionUnknown, message)
            .with("key", key)
            .remedy(remedy),
    )
}

fn has_cluster_version(cluster: &Cluster) -> bool {
    cluster.id.is_some() || cluster.installed_at.is_some() || cluster.desired_version.is_some()
}
