//! What kind of cluster a snapshot was taken from, as far as its restore differs.

use crate::finding::has_error;
use crate::openshift::Topology;
use crate::snapshot::{Flavour, Snapshot};

/// What kind of cluster it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ClusterKind {
    /// OpenShift 4 on hosts of its own: `cluster-restore.sh`.
    OpenShift,
    /// A hosted control plane.
    Hosted,
    /// Two nodes with fencing, and a raw copy of the database, as their resource agent makes it.
    FencedCopy,
    /// MicroShift.
    MicroShift,
    /// OpenShift 3.
    OpenShift3,
    /// Another store with keys under `/kubernetes.io/`.
    KubernetesIo,
    /// Keys under `/registry/`.
    Kubernetes,
    /// A database without any key.
    Empty,
    /// Nothing that an API server wrote.
    Other,
    /// Too damaged to tell.
    Unknown,
}

impl ClusterKind {
    /// Of these facts.
    pub(super) fn of(facts: &Snapshot) -> Self {
        match (facts.flavour, &facts.cluster.topology) {
            (_, Some(Topology::External)) => Self::Hosted,
            (_, Some(Topology::DualReplica)) if facts.trailer.is_none() => Self::FencedCopy,
            (Flavour::OpenShift, _) => Self::OpenShift,
            (Flavour::Other, _) if facts.live_keys == Some(0) => Self::Empty,
            (Flavour::Other, _) if has_error(&facts.findings) => Self::Unknown,
            (Flavour::MicroShift, _) => Self::MicroShift,
            (Flavour::OpenShift3, _) => Self::OpenShift3,
            (Flavour::KubernetesIo, _) => Self::KubernetesIo,
            (Flavour::Kubernetes, _) => Self::Kubernetes,
            (Flavour::Other, _) => Self::Other,
        }
    }

    /// Why its backup has no kuberesources, and how it is restored; `None` where one is needed or nothing can be said.
    pub(super) fn without_kuberesources(self) -> Option<(&'static str, &'static str)> {
        let told = match self {
            Self::Hosted => (
                "a hosted control plane: its static pods live in the management cluster, so there is no kuberesources",
                "restore it from the management cluster, not with cluster-restore.sh",
            ),
            Self::FencedCopy => (
                "a raw copy of a two-node cluster with fencing: its restore uses no kuberesources",
                "use the restore procedure of two-node clusters with fencing, with --skip-hash-check",
            ),
            Self::MicroShift => (
                "MicroShift: its backup is a copy of the data directory, and there is no kuberesources",
                "restore it with microshift restore, as a whole directory, not with cluster-restore.sh",
            ),
            Self::OpenShift3 => (
                "OpenShift 3: its static pods and keys are files of the masters, and there is no kuberesources",
                "restore it by the procedure of OpenShift 3 with etcdctl snapshot restore, not with cluster-restore.sh",
            ),
            Self::KubernetesIo => (
                "a Kubernetes that keeps its objects under /kubernetes.io/ and is no OpenShift: there is no kuberesources",
                "restore it with etcdutl snapshot restore, not with cluster-restore.sh",
            ),
            Self::Kubernetes => (
                "plain Kubernetes, whose keys lie under /registry/: there is no kuberesources",
                "restore it with etcdutl snapshot restore, not with cluster-restore.sh",
            ),
            Self::OpenShift | Self::Empty | Self::Other | Self::Unknown => return None,
        };
        Some(told)
    }
}
