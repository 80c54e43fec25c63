//! The few fields of Kubernetes and OpenShift objects that are read, as `oc get -o json` prints them.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) creation_timestamp: Option<DateTime<Utc>>,
    pub(super) labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) message: String,
}

/// The status of a condition; `None` when it is not listed.
pub(super) fn condition<'c>(conditions: &'c [Condition], kind: &str) -> Option<&'c Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

pub(super) fn is_true(conditions: &[Condition], kind: &str) -> bool {
    condition(conditions, kind).is_some_and(|found| found.status == "True")
}

#[derive(Debug, Deserialize)]
pub(super) struct ClusterVersion {
    pub(super) metadata: Metadata,
    pub(super) spec: ClusterVersionSpec,
    pub(super) status: ClusterVersionStatus,
}

#[derive(Debug, Deserialize)]
pub(super) struct ClusterVersionSpec {
    #[serde(rename = "clusterID")]
    pub(super) cluster_id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ClusterVersionStatus {
    pub(super) desired: Release,
    #[serde(default)]
    pub(super) history: Vec<UpdateHistory>,
    #[serde(default)]
    pub(super) conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Release {
    pub(super) version: String,
}

/// Newest first.
#[derive(Debug, Deserialize)]
pub(super) struct UpdateHistory {
    pub(super) version: String,
    pub(super) state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Infrastructure {
    pub(super) status: InfrastructureStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct InfrastructureStatus {
    pub(super) infrastructure_name: String,
    pub(super) control_plane_topology: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ClusterOperator {
    pub(super) metadata: Metadata,
    #[serde(default)]
    pub(super) status: Conditions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Conditions {
    pub(super) conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Node {
    pub(super) metadata: Metadata,
    #[serde(default)]
    pub(super) status: Conditions,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pod {
    #[serde(default)]
    pub(super) spec: PodSpec,
    #[serde(default)]
    pub(super) status: PodStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PodSpec {
    pub(super) node_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PodStatus {
    pub(super) phase: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) conditions: Vec<Condition>,
    pub(super) container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerStatus {
    pub(super) state: ContainerState,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerState {
    pub(super) waiting: Option<ContainerReason>,
    pub(super) terminated: Option<ContainerReason>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerReason {
    pub(super) reason: String,
}

/// `releaseClientVersion` from 4.4 on; `clientVersion.gitVersion` always.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ClientVersions {
    pub(super) release_client_version: Option<String>,
    pub(super) client_version: Option<ClientVersion>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ClientVersion {
    pub(super) git_version: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ProxyObject {
    pub(super) status: ProxyStatus,
}

/// Effective values; absent or empty is unset. No `Debug`: a proxy URL may hold a password.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ProxyStatus {
    pub(super) http_proxy: String,
    pub(super) https_proxy: String,
    pub(super) no_proxy: String,
}

impl std::fmt::Debug for ProxyStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProxyStatus(..)")
    }
}
