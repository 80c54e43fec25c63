//! The few fields that are read of what only `oc` prints; those that snapshots have too are in `openshift::api`.

use crate::openshift::api::{ObjectCondition, ObjectMetadata};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
}

/// What a run may have marked as its own.
#[derive(Debug, Deserialize)]
pub(super) struct Marked {
    pub(super) metadata: MarkedMetadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MarkedMetadata {
    pub(super) name: String,
    pub(super) annotations: BTreeMap<String, String>,
    /// It is being removed already.
    pub(super) deletion_timestamp: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeStatus {
    pub(super) conditions: Vec<ObjectCondition>,
    pub(super) addresses: Vec<NodeAddress>,
}

/// A name or an IP address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeAddress {
    pub(super) address: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Node {
    pub(super) metadata: ObjectMetadata,
    #[serde(default)]
    pub(super) status: NodeStatus,
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
    pub(super) conditions: Vec<ObjectCondition>,
    pub(super) container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerStatus {
    #[serde(rename = "imageID")]
    pub(super) image_id: String,
    pub(super) image: String,
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
