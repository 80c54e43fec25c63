//! The objects of the API that describe a cluster: the fields that are used, as a snapshot keeps and `oc` prints them.
//!
//! Source: openshift/api `config/v1/types_cluster_version.go`, `types_infrastructure.go`, `types_cluster_operator.go`
//! and `operator/v1/types.go` (StaticPodOperatorStatus).

use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The kind of condition with which an operator says that it is changing something.
pub(crate) const PROGRESSING: &str = "Progressing";

#[derive(Debug, Deserialize)]
pub(crate) struct ClusterVersion {
    pub(crate) metadata: ObjectMetadata,
    #[serde(default)]
    pub(crate) spec: ClusterVersionSpec,
    #[serde(default)]
    pub(crate) status: ClusterVersionStatus,
}

/// `metadata` of any object.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ObjectMetadata {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) creation_timestamp: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct ClusterVersionSpec {
    #[serde(rename = "clusterID")]
    pub(crate) cluster_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct ClusterVersionStatus {
    pub(crate) desired: Option<Release>,
    /// Newest first.
    pub(crate) history: Option<Vec<UpdateHistory>>,
    #[serde(default)]
    pub(crate) conditions: Vec<ObjectCondition>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Release {
    pub(crate) version: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateHistory {
    #[serde(default)]
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) state: String,
    pub(crate) started_time: Option<DateTime<Utc>>,
    pub(crate) completion_time: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Infrastructure {
    #[serde(default)]
    pub(crate) status: InfrastructureStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InfrastructureStatus {
    pub(crate) infrastructure_name: Option<String>,
    #[serde(rename = "apiServerURL")]
    pub(crate) api_server_url: Option<String>,
    #[serde(rename = "apiServerInternalURI")]
    pub(crate) api_server_internal_uri: Option<String>,
    pub(crate) control_plane_topology: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ClusterOperator {
    #[serde(default)]
    pub(crate) metadata: ObjectMetadata,
    #[serde(default)]
    pub(crate) status: ClusterOperatorStatus,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct ClusterOperatorStatus {
    pub(crate) conditions: Option<Vec<ObjectCondition>>,
    pub(crate) versions: Option<Vec<OperandVersion>>,
}

/// `status.conditions[]` of any object.
#[derive(Debug, Deserialize)]
pub(crate) struct ObjectCondition {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) message: String,
}

impl ObjectCondition {
    pub(crate) fn is_true(&self) -> bool {
        self.status == "True"
    }
}

/// The condition of this kind; `None` when it is not listed.
pub(crate) fn condition<'c>(
    conditions: &'c [ObjectCondition],
    kind: &str,
) -> Option<&'c ObjectCondition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

/// The condition of this kind is listed and holds.
pub(crate) fn is_true(conditions: &[ObjectCondition], kind: &str) -> bool {
    condition(conditions, kind).is_some_and(ObjectCondition::is_true)
}

#[derive(Debug, Deserialize)]
pub(crate) struct OperandVersion {
    pub(crate) name: String,
    pub(crate) version: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StaticPodOperator {
    #[serde(default)]
    pub(crate) status: StaticPodOperatorStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StaticPodOperatorStatus {
    pub(crate) latest_available_revision: Option<i64>,
    pub(crate) node_statuses: Option<Vec<NodeStatus>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeStatus {
    #[serde(default)]
    pub(crate) node_name: String,
    #[serde(default)]
    pub(crate) current_revision: i64,
    #[serde(default)]
    pub(crate) target_revision: i64,
}
