//! Which restore script a cluster has, and what it does differently.

use crate::openshift::Topology;
use semver::Version;

/// The ways in which a cluster of some release is restored.
///
/// Source: cluster-etcd-operator `bindata/etcd/cluster-restore.sh` and `cluster-restore-tnf.sh` by release branch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Script {
    /// 4.4 to 4.17: stops all four static pods and puts those of the backup back.
    AllPods {
        /// Minor version.
        minor: u64,
    },
    /// 4.18 and later: stops etcd alone, raises the revision.
    EtcdOnly {
        /// Minor version.
        minor: u64,
    },
    /// Two nodes with fencing, 4.22 and later: tries the snapshot first, uses no kuberesources.
    TwoNodes,
    /// Two nodes with fencing before 4.22.
    TwoNodesTooOld,
    /// A hosted control plane: etcd is a StatefulSet of the management cluster.
    Hosted,
    /// 4.1 to 4.3: scripts of the Machine Config Operator.
    TooOld,
    /// The version cannot be read.
    Unknown,
}

impl Script {
    /// The script of a cluster of this version and topology.
    pub fn of(version: &str, topology: Option<&Topology>) -> Self {
        if topology == Some(&Topology::External) {
            return Self::Hosted;
        }
        let Ok(version) = Version::parse(version) else {
            return Self::Unknown;
        };
        // Releases after 4.x go on where the last one was.
        let minor = if version.major == 4 {
            version.minor
        } else {
            u64::MAX
        };
        match (version.major, topology) {
            (0..=3, _) => Self::Unknown,
            (_, Some(Topology::DualReplica)) if minor >= 22 => Self::TwoNodes,
            (_, Some(Topology::DualReplica)) => Self::TwoNodesTooOld,
            _ if minor < 4 => Self::TooOld,
            _ if minor < 18 => Self::AllPods { minor },
            _ => Self::EtcdOnly { minor },
        }
    }

    /// True when the restore stops half way if anything else lies in `/var/lib/etcd`: later ones move it aside (ETCD-704).
    pub(super) fn wants_empty_directory(self) -> bool {
        matches!(self, Self::EtcdOnly { minor: ..=22 })
    }

    /// True when a plan has steps for it.
    pub fn is_known(self) -> bool {
        matches!(
            self,
            Self::AllPods { .. } | Self::EtcdOnly { .. } | Self::TwoNodes
        )
    }
}
