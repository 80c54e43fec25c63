//! The custom resources that describe a cluster, as JSON under their storage keys.
//!
//! Only the fields that are used are read. An object that cannot be read says nothing; none of them is ever
//! encrypted.

use super::cluster::{Cluster, HistoryEntry, NodeRevision, OperatorRollout, Topology};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const CONFIG: &[u8] = b"/kubernetes.io/config.openshift.io/";
const OPERATOR: &[u8] = b"/kubernetes.io/operator.openshift.io/";
/// Plurals of the four static pod operators' resources, with the component each of them rolls out.
const STATIC_POD_OPERATORS: [(&str, &str); 4] = [
    ("etcds", "etcd"),
    ("kubeapiservers", "kube-apiserver"),
    ("kubecontrollermanagers", "kube-controller-manager"),
    ("kubeschedulers", "kube-scheduler"),
];

impl Cluster {
    /// Learns what the object at `storage_key` says of the cluster; other objects are passed over.
    pub fn learn(&mut self, storage_key: &[u8], object: &[u8]) {
        if let Some(path) = text_behind(storage_key, CONFIG) {
            match path.split_once('/') {
                Some(("clusterversions", "version")) => self.learn_version(object),
                Some(("infrastructures", "cluster")) => self.learn_infrastructure(object),
                Some(("clusteroperators", component)) => {
                    self.learn_cluster_operator(component, object);
                }
                _ => {}
            }
        } else if let Some(path) = text_behind(storage_key, OPERATOR) {
            let plural = path.strip_suffix("/cluster").unwrap_or_default();
            let component = STATIC_POD_OPERATORS
                .iter()
                .find(|(known, _)| *known == plural);
            if let Some((_, component)) = component {
                self.learn_revisions(component, object);
            }
        }
    }

    fn learn_version(&mut self, object: &[u8]) {
        let Some(version) = parse::<ClusterVersion>(object) else {
            return;
        };
        self.id = version.spec.cluster_id.filter(|id| !id.is_empty());
        self.installed_at = version.metadata.creation_timestamp;
        self.desired_version = version.status.desired.and_then(|desired| desired.version);
        let history = version.status.history.unwrap_or_default().into_iter();
        self.history = history
            .map(|entry| HistoryEntry {
                version: entry.version,
                state: entry.state,
                started_at: entry.started_time,
                completed_at: entry.completion_time,
            })
            .collect();
    }

    fn learn_infrastructure(&mut self, object: &[u8]) {
        let Some(infrastructure) = parse::<Infrastructure>(object) else {
            return;
        };
        let status = infrastructure.status;
        self.infrastructure_name = status.infrastructure_name.filter(|name| !name.is_empty());
        self.api_server_url = status.api_server_url.filter(|url| !url.is_empty());
        self.api_server_internal_url = status.api_server_internal_uri.filter(|url| !url.is_empty());
        self.topology = status.control_plane_topology.map(topology);
    }

    fn learn_cluster_operator(&mut self, component: &str, object: &[u8]) {
        if !STATIC_POD_OPERATORS
            .iter()
            .any(|(_, known)| *known == component)
        {
            return;
        }
        let Some(operator) = parse::<ClusterOperator>(object) else {
            return;
        };
        let conditions = operator.status.conditions.unwrap_or_default();
        let progressing = conditions
            .iter()
            .find(|condition| condition.kind == "Progressing");
        let versions = operator.status.versions.unwrap_or_default();
        let version = versions
            .into_iter()
            .find(|version| version.name == "operator");
        let rollout = self.operator(component);
        rollout.progressing = progressing.map(|condition| condition.status == "True");
        rollout.operator_version = version.map(|version| version.version);
    }

    fn learn_revisions(&mut self, component: &str, object: &[u8]) {
        let Some(operator) = parse::<StaticPodOperator>(object) else {
            return;
        };
        let nodes = operator
            .status
            .node_statuses
            .unwrap_or_default()
            .into_iter();
        let rollout = self.operator(component);
        rollout.latest_available_revision = operator.status.latest_available_revision;
        rollout.nodes = nodes
            .map(|node| NodeRevision {
                node: node.node_name,
                current_revision: node.current_revision,
                target_revision: node.target_revision,
            })
            .collect();
    }

    /// The entry of a component, added in alphabetical order when it is new.
    fn operator(&mut self, component: &str) -> &mut OperatorRollout {
        let position = match self
            .operators
            .binary_search_by(|operator| operator.component.as_str().cmp(component))
        {
            Ok(position) => position,
            Err(position) => {
                let component = component.to_owned();
                let new = OperatorRollout {
                    component,
                    latest_available_revision: None,
                    nodes: Vec::new(),
                    progressing: None,
                    operator_version: None,
                };
                self.operators.insert(position, new);
                position
            }
        };
        self.operators
            .get_mut(position)
            .expect("found or inserted at this position")
    }
}

fn parse<T: DeserializeOwned>(object: &[u8]) -> Option<T> {
    serde_json::from_slice(object).ok()
}

fn text_behind<'k>(storage_key: &'k [u8], prefix: &[u8]) -> Option<&'k str> {
    std::str::from_utf8(storage_key.strip_prefix(prefix)?).ok()
}

fn topology(name: String) -> Topology {
    match name.as_str() {
        "HighlyAvailable" => Topology::HighlyAvailable,
        "SingleReplica" => Topology::SingleReplica,
        "HighlyAvailableArbiter" => Topology::HighlyAvailableArbiter,
        "DualReplica" => Topology::DualReplica,
        "External" => Topology::External,
        _ => Topology::Other(name),
    }
}

// Shapes: openshift/api config/v1/types_cluster_version.go, types_infrastructure.go, types_cluster_operator.go and
// operator/v1/types.go (StaticPodOperatorStatus).

#[derive(Deserialize)]
struct ClusterVersion {
    metadata: Metadata,
    #[serde(default)]
    spec: ClusterVersionSpec,
    #[serde(default)]
    status: ClusterVersionStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    creation_timestamp: Option<DateTime<Utc>>,
}

#[derive(Default, Deserialize)]
struct ClusterVersionSpec {
    #[serde(rename = "clusterID")]
    cluster_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct ClusterVersionStatus {
    desired: Option<Release>,
    history: Option<Vec<UpdateHistory>>,
}

#[derive(Deserialize)]
struct Release {
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateHistory {
    #[serde(default)]
    version: String,
    #[serde(default)]
    state: String,
    started_time: Option<DateTime<Utc>>,
    completion_time: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Infrastructure {
    #[serde(default)]
    status: InfrastructureStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InfrastructureStatus {
    infrastructure_name: Option<String>,
    #[serde(rename = "apiServerURL")]
    api_server_url: Option<String>,
    #[serde(rename = "apiServerInternalURI")]
    api_server_internal_uri: Option<String>,
    control_plane_topology: Option<String>,
}

#[derive(Deserialize)]
struct ClusterOperator {
    #[serde(default)]
    status: ClusterOperatorStatus,
}

#[derive(Default, Deserialize)]
struct ClusterOperatorStatus {
    conditions: Option<Vec<Condition>>,
    versions: Option<Vec<OperandVersion>>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Deserialize)]
struct OperandVersion {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct StaticPodOperator {
    #[serde(default)]
    status: StaticPodOperatorStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StaticPodOperatorStatus {
    latest_available_revision: Option<i64>,
    node_statuses: Option<Vec<NodeStatus>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeStatus {
    #[serde(default)]
    node_name: String,
    #[serde(default)]
    current_revision: i64,
    #[serde(default)]
    target_revision: i64,
}
