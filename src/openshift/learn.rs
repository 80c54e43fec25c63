//! What a snapshot says of its cluster, learnt from the JSON under the storage keys of its objects, and from excerpts
//! (see [`ClusterObject::excerpt`]).
//!
//! An object that cannot be read says nothing.

use super::api::{
    ClusterOperator, ClusterVersion, Infrastructure, ObjectCondition, PROGRESSING,
    StaticPodOperator, condition,
};
use super::cluster::{Cluster, HistoryEntry, NodeRevision, OperatorRollout, Topology};
use super::cluster_object::ClusterObject;
use serde::de::DeserializeOwned;

impl Cluster {
    /// Learns what the object at `storage_key`, or the excerpt of it, says of the cluster; other objects are passed over.
    pub fn learn(&mut self, storage_key: &[u8], object: &[u8]) {
        match ClusterObject::at(storage_key) {
            Some(ClusterObject::Version) => self.learn_version(object),
            Some(ClusterObject::Infrastructure) => self.learn_infrastructure(object),
            Some(ClusterObject::ClusterOperator(component)) => {
                self.learn_cluster_operator(component, object);
            }
            Some(ClusterObject::StaticPodOperator(component)) => {
                self.learn_revisions(component, object);
            }
            Some(ClusterObject::Node) => insert(&mut self.control_plane, object),
            Some(ClusterObject::Webhooks(_)) => insert(&mut self.blocking_webhooks, object),
            None => {}
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
        self.history = history.map(HistoryEntry::from).collect();
    }

    fn learn_infrastructure(&mut self, object: &[u8]) {
        let Some(infrastructure) = parse::<Infrastructure>(object) else {
            return;
        };
        let status = infrastructure.status;
        self.infrastructure_name = status.infrastructure_name.filter(|name| !name.is_empty());
        self.api_server_url = status.api_server_url.filter(|url| !url.is_empty());
        self.api_server_internal_url = status.api_server_internal_uri.filter(|url| !url.is_empty());
        self.topology = status.control_plane_topology.map(Topology::from);
    }

    fn learn_cluster_operator(&mut self, component: &str, object: &[u8]) {
        let Some(operator) = parse::<ClusterOperator>(object) else {
            return;
        };
        let conditions = operator.status.conditions.unwrap_or_default();
        let progressing = condition(&conditions, PROGRESSING);
        let versions = operator.status.versions.unwrap_or_default();
        let version = versions
            .into_iter()
            .find(|version| version.name == "operator");
        let rollout = self.operator(component);
        rollout.progressing = progressing.map(ObjectCondition::is_true);
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

/// Adds an excerpt in order.
fn insert<T: DeserializeOwned + Ord>(list: &mut Vec<T>, excerpt: &[u8]) {
    list.extend(parse::<T>(excerpt));
    list.sort();
}

fn parse<T: DeserializeOwned>(object: &[u8]) -> Option<T> {
    serde_json::from_slice(object).ok()
}
