//! The cluster as its own objects describe it.

use super::recovery::{BlockingWebhook, ControlPlaneNode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What ClusterVersion, Infrastructure and the four control-plane operators say.
///
/// All fields are empty when the snapshot holds none of these objects.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Cluster {
    /// ClusterVersion `spec.clusterID`.
    pub id: Option<String>,
    /// Infrastructure `status.infrastructureName`.
    pub infrastructure_name: Option<String>,
    /// Infrastructure `status.apiServerURL`.
    pub api_server_url: Option<String>,
    /// Infrastructure `status.apiServerInternalURI`.
    pub api_server_internal_url: Option<String>,
    /// Infrastructure `status.controlPlaneTopology`.
    pub topology: Option<Topology>,
    /// ClusterVersion `status.desired.version`.
    pub desired_version: Option<String>,
    /// ClusterVersion `status.history`, newest first.
    pub history: Vec<HistoryEntry>,
    /// ClusterVersion `metadata.creationTimestamp`: the installation.
    #[serde(with = "crate::instant::option")]
    pub installed_at: Option<DateTime<Utc>>,
    /// One entry for each of the [components](super::COMPONENTS) that was found, ascending.
    pub operators: Vec<OperatorRollout>,
    /// The nodes of the control plane, ascending.
    #[serde(default)]
    pub control_plane: Vec<ControlPlaneNode>,
    /// Webhooks that reject what they cannot be asked about, ascending.
    #[serde(default)]
    pub blocking_webhooks: Vec<BlockingWebhook>,
}

impl Cluster {
    /// A hosted control plane (HyperShift): the keys of its values lie in one Secret of the management cluster.
    pub(crate) fn is_hosted(&self) -> bool {
        self.topology == Some(Topology::External)
    }
}

/// Infrastructure `status.controlPlaneTopology`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Topology {
    /// Three or more control-plane nodes.
    HighlyAvailable,
    /// Single-node OpenShift.
    SingleReplica,
    /// Two nodes and an arbiter.
    HighlyAvailableArbiter,
    /// Two nodes with fencing.
    DualReplica,
    /// A hosted control plane (HyperShift).
    External,
    /// A topology newer than this program.
    Other(String),
}

impl From<String> for Topology {
    fn from(name: String) -> Self {
        match name.as_str() {
            "HighlyAvailable" => Self::HighlyAvailable,
            "SingleReplica" => Self::SingleReplica,
            "HighlyAvailableArbiter" => Self::HighlyAvailableArbiter,
            "DualReplica" => Self::DualReplica,
            "External" => Self::External,
            _ => Self::Other(name),
        }
    }
}

/// One line of ClusterVersion `status.history`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HistoryEntry {
    /// May be empty.
    pub version: String,
    /// `Completed` or `Partial`.
    pub state: String,
    /// When the update to this version began.
    #[serde(with = "crate::instant::option")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it was completed or abandoned.
    #[serde(with = "crate::instant::option")]
    pub completed_at: Option<DateTime<Utc>>,
}

/// Where one control-plane operator stood.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OperatorRollout {
    /// One of the [components](super::COMPONENTS).
    pub component: String,
    /// `status.latestAvailableRevision` of the operator's own resource.
    pub latest_available_revision: Option<i64>,
    /// `status.nodeStatuses`.
    pub nodes: Vec<NodeRevision>,
    /// ClusterOperator condition Progressing is `True`.
    pub progressing: Option<bool>,
    /// ClusterOperator `status.versions[name=operator]`.
    pub operator_version: Option<String>,
}

/// `status.nodeStatuses[]` of a static pod operator.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct NodeRevision {
    /// Control-plane node.
    pub node: String,
    /// Revision that runs there.
    pub current_revision: i64,
    /// Revision being rolled out there; 0 means none.
    pub target_revision: i64,
}
