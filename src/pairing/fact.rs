//! Facts that both halves of a pair know, and how they are told.

use crate::kuberesources::Kuberesources;
use crate::kubernetes::encryption::KeyProofLine;
use crate::openshift::{Cluster, OperatorRollout};
use crate::snapshot::Snapshot;

/// One fact that both halves know something about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SharedFact<'a> {
    /// Infrastructure name: cluster and random suffix, so two clusters never share it.
    InfrastructureName {
        snapshot: &'a str,
        kuberesources: &'a str,
    },
    /// URL of the API server inside the cluster.
    InternalApiUrl {
        snapshot: &'a str,
        kuberesources: &'a str,
    },
    /// The node of the archive among the nodes that the operators know. Only ever contradicts:
    /// half the clusters of the world have a `master-0`.
    Node { cluster: &'a Cluster, node: &'a str },
    /// Revision of one component on the archive's node.
    Revision {
        component: &'a str,
        node: Option<&'a str>,
        operator: &'a OperatorRollout,
        found: i64,
    },
    /// `OPERATOR_IMAGE_VERSION`.
    OpenshiftVersion {
        cluster: &'a Cluster,
        found: &'a str,
    },
    /// Member ids of ConfigMap `etcd-endpoints`.
    MemberIds {
        snapshot: &'a Snapshot,
        kuberesources: &'a Kuberesources,
    },
    /// A key tried on values.
    Key(&'a KeyProofLine),
}

/// A fact and which way it speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FactRemark<'a> {
    pub(crate) fact: SharedFact<'a>,
    pub(crate) agrees: bool,
}

impl FactRemark<'_> {
    /// True for facts that no two clusters share.
    pub(crate) fn is_about_cluster(&self) -> bool {
        matches!(
            self.fact,
            SharedFact::InfrastructureName { .. }
                | SharedFact::InternalApiUrl { .. }
                | SharedFact::MemberIds { .. }
                | SharedFact::Key(_)
        )
    }

    /// The agreement as a sentence.
    pub(crate) fn line(&self) -> String {
        match self.fact {
            SharedFact::InfrastructureName { snapshot, .. } => {
                format!("infrastructure name {snapshot} in both")
            }
            SharedFact::InternalApiUrl { snapshot, .. } => {
                format!("internal API URL {snapshot} in both")
            }
            SharedFact::Node { node, .. } => format!("node {node} in both"),
            SharedFact::Revision {
                component,
                node,
                found,
                ..
            } => {
                let place = node.map_or_else(String::new, |node| format!(" on {node}"));
                format!("{component} revision {found}{place} in both")
            }
            SharedFact::OpenshiftVersion { found, .. } => format!("OpenShift {found} in both"),
            SharedFact::MemberIds { kuberesources, .. } => {
                format!(
                    "etcd member ids in both: {}",
                    join(endpoint_ids(kuberesources).map(hex))
                )
            }
            SharedFact::Key(KeyProofLine {
                resource,
                key_name,
                tried,
                ..
            }) => {
                format!("key {key_name} opens {tried} of {tried} sampled {resource}")
            }
        }
    }

    /// What the fact is about.
    pub(super) fn field(&self) -> String {
        match self.fact {
            SharedFact::InfrastructureName { .. } => "infrastructure name".to_owned(),
            SharedFact::InternalApiUrl { .. } => "internal API URL".to_owned(),
            SharedFact::Node { .. } => "control-plane node".to_owned(),
            SharedFact::Revision {
                component,
                node: Some(node),
                ..
            } => format!("{component} revision on {node}"),
            SharedFact::Revision {
                component,
                node: None,
                ..
            } => format!("{component} revision"),
            SharedFact::OpenshiftVersion { .. } => "OpenShift version".to_owned(),
            SharedFact::MemberIds { .. } => "list of etcd member ids".to_owned(),
            SharedFact::Key(line) => format!("key {} of {}", line.key_name, line.resource),
        }
    }

    pub(super) fn snapshot_value(&self) -> String {
        match self.fact {
            SharedFact::InfrastructureName { snapshot, .. }
            | SharedFact::InternalApiUrl { snapshot, .. } => snapshot.to_owned(),
            SharedFact::Node { cluster, .. } => {
                let mut known: Vec<&str> = nodes(cluster).collect();
                known.sort_unstable();
                known.dedup();
                join(known)
            }
            SharedFact::Revision { node, operator, .. } => {
                let statuses = operator
                    .nodes
                    .iter()
                    .filter(|status| node.is_none_or(|node| status.node == node));
                join(statuses.map(|status| status.current_revision))
            }
            SharedFact::OpenshiftVersion { cluster, .. } => join(current_versions(cluster)),
            SharedFact::MemberIds { snapshot, .. } => {
                join(snapshot.members.iter().map(|member| hex(member.id)))
            }
            SharedFact::Key(line) => format!("{} values encrypted with it", line.tried),
        }
    }

    pub(super) fn kuberesources_value(&self) -> String {
        match self.fact {
            SharedFact::InfrastructureName { kuberesources, .. }
            | SharedFact::InternalApiUrl { kuberesources, .. } => kuberesources.to_owned(),
            SharedFact::Node { node, .. } => node.to_owned(),
            SharedFact::Revision { found, .. } => found.to_string(),
            SharedFact::OpenshiftVersion { found, .. } => found.to_owned(),
            SharedFact::MemberIds { kuberesources, .. } => {
                join(endpoint_ids(kuberesources).map(hex))
            }
            SharedFact::Key(_) => "a key of this name that does not open them".to_owned(),
        }
    }
}

fn hex(id: u64) -> String {
    format!("{id:x}")
}

fn join<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(", ")
}

/// Nodes that the operators know.
pub(super) fn nodes(cluster: &Cluster) -> impl Iterator<Item = &str> {
    let operators = cluster.operators.iter();
    operators.flat_map(|operator| operator.nodes.iter().map(|status| status.node.as_str()))
}

/// The version that ran, and during an upgrade those before and after it.
pub(super) fn current_versions(cluster: &Cluster) -> impl Iterator<Item = &str> {
    let is_settled = cluster.settled_version().is_some();
    let entries = if is_settled { 1 } else { 2 };
    let desired = cluster.desired_version.as_deref().filter(|_| !is_settled);
    let history = cluster
        .history
        .iter()
        .take(entries)
        .map(|entry| entry.version.as_str());
    history.chain(desired).filter(|version| !version.is_empty())
}

/// Member ids of ConfigMap `etcd-endpoints`.
pub(super) fn endpoint_ids(kuberesources: &Kuberesources) -> impl Iterator<Item = u64> {
    let ids = kuberesources.etcd_endpoints.keys();
    ids.filter_map(|id| u64::from_str_radix(id, 16).ok())
}
