//! What the contents of two halves say about each other.
//!
//! Each fact either agrees or contradicts; facts that one half does not know are silent.

use super::fact::{FactRemark, SharedFact, current_versions, endpoint_ids, nodes};
use crate::inventory::Proven;
use crate::kuberesources::Kuberesources;
use crate::kubernetes::encryption::{KeyOutcome, KeyProof, is_of_kube_apiserver};
use crate::openshift::{Cluster, OperatorRollout};
use crate::snapshot::Snapshot;

/// One fact in which the two halves of a pair differ.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Contradiction {
    /// What differs, such as `kube-apiserver revision on master-0`.
    pub field: String,
    /// What the snapshot says.
    pub snapshot: String,
    /// What the kuberesources says.
    pub kuberesources: String,
}

/// All facts in which the two halves differ, in a fixed order.
pub(crate) fn contradictions(
    snapshot: &Snapshot,
    kuberesources: &Kuberesources,
    proven: Option<&Proven>,
) -> Vec<Contradiction> {
    remarks(
        snapshot,
        kuberesources,
        proven.map(|proven| &proven.key_proof),
    )
    .filter(|remark| !remark.agrees)
    .map(|remark| Contradiction {
        field: remark.field(),
        snapshot: remark.snapshot_value(),
        kuberesources: remark.kuberesources_value(),
    })
    .collect()
}

/// Every fact that both halves know, in a fixed order. Allocates nothing: pairing asks for each candidate.
pub(crate) fn remarks<'a>(
    snapshot: &'a Snapshot,
    kuberesources: &'a Kuberesources,
    key_proof: Option<&'a KeyProof>,
) -> impl Iterator<Item = FactRemark<'a>> {
    let cluster = &snapshot.cluster;
    infrastructure_name(cluster, kuberesources)
        .into_iter()
        .chain(internal_api_url(cluster, kuberesources))
        .chain(node(cluster, kuberesources))
        .chain(revisions(cluster, kuberesources))
        .chain(openshift_version(cluster, kuberesources))
        .chain(member_ids(snapshot, kuberesources))
        .chain(keys(key_proof))
}

fn infrastructure_name<'a>(
    cluster: &'a Cluster,
    archive: &'a Kuberesources,
) -> Option<FactRemark<'a>> {
    let snapshot = cluster.infrastructure_name.as_deref()?;
    let kuberesources = archive.infrastructure_name.as_deref()?;
    let fact = SharedFact::InfrastructureName {
        snapshot,
        kuberesources,
    };
    Some(FactRemark {
        fact,
        agrees: snapshot == kuberesources,
    })
}

fn internal_api_url<'a>(
    cluster: &'a Cluster,
    archive: &'a Kuberesources,
) -> Option<FactRemark<'a>> {
    let snapshot = cluster
        .api_server_internal_url
        .as_deref()?
        .trim_end_matches('/');
    let kuberesources = archive
        .api_server_internal_url
        .as_deref()?
        .trim_end_matches('/');
    let fact = SharedFact::InternalApiUrl {
        snapshot,
        kuberesources,
    };
    Some(FactRemark {
        fact,
        agrees: snapshot.eq_ignore_ascii_case(kuberesources),
    })
}

fn node<'a>(cluster: &'a Cluster, archive: &'a Kuberesources) -> Option<FactRemark<'a>> {
    let node = archive.node.as_deref()?;
    let mut nodes = nodes(cluster).peekable();
    nodes.peek()?;
    let is_known = nodes.any(|known| known == node);
    (!is_known).then_some(FactRemark {
        fact: SharedFact::Node { cluster, node },
        agrees: false,
    })
}

fn revisions<'a>(
    cluster: &'a Cluster,
    archive: &'a Kuberesources,
) -> impl Iterator<Item = FactRemark<'a>> {
    let node = archive.node.as_deref();
    archive
        .revisions
        .iter()
        .filter_map(move |(component, &found)| {
            let mut operators = cluster.operators.iter();
            let operator = operators.find(|operator| operator.component == *component)?;
            let agrees = revision_agrees(operator, node, found)?;
            let fact = SharedFact::Revision {
                component,
                node,
                operator,
                found,
            };
            Some(FactRemark { fact, agrees })
        })
}

/// `None` when the operator says nothing about the node.
fn revision_agrees(operator: &OperatorRollout, node: Option<&str>, found: i64) -> Option<bool> {
    let mut known = false;
    let mut agrees = false;
    for status in operator
        .nodes
        .iter()
        .filter(|status| node.is_none_or(|node| status.node == node))
    {
        known = true;
        // While a rollout is under way the new pod may run before the status says so.
        let is_next =
            found == status.target_revision || operator.latest_available_revision == Some(found);
        agrees |= found == status.current_revision || (is_next && operator.is_rolling_on(status));
    }
    known.then_some(agrees)
}

fn openshift_version<'a>(
    cluster: &'a Cluster,
    archive: &'a Kuberesources,
) -> Option<FactRemark<'a>> {
    let found = archive.openshift_version.as_deref()?;
    let mut versions = current_versions(cluster).peekable();
    versions.peek()?;
    let agrees = versions.any(|version| version == found);
    Some(FactRemark {
        fact: SharedFact::OpenshiftVersion { cluster, found },
        agrees,
    })
}

/// Ids are random 64-bit numbers: one in common is one cluster. None in common is another cluster, unless etcd
/// was just being rolled out and the archive still has the members from before.
fn member_ids<'a>(
    snapshot: &'a Snapshot,
    kuberesources: &'a Kuberesources,
) -> Option<FactRemark<'a>> {
    if snapshot.members.is_empty() {
        return None;
    }
    let mut all = 0_usize;
    let mut common = 0_usize;
    for id in endpoint_ids(kuberesources) {
        all += 1;
        common += usize::from(snapshot.members.iter().any(|member| member.id == id));
    }
    let fact = SharedFact::MemberIds {
        snapshot,
        kuberesources,
    };
    match (all, common) {
        (0, _) => None,
        (_, 0) if is_etcd_rolling(&snapshot.cluster) => None,
        (_, 0) => Some(FactRemark {
            fact,
            agrees: false,
        }),
        _ => Some(FactRemark { fact, agrees: true }),
    }
}

fn is_etcd_rolling(cluster: &Cluster) -> bool {
    let mut operators = cluster
        .operators
        .iter()
        .filter(|operator| operator.component == "etcd");
    operators.any(OperatorRollout::is_rolling)
}

/// Only keys that come from the archive itself speak about the pair; the others come from the snapshot.
fn keys(key_proof: Option<&KeyProof>) -> impl Iterator<Item = FactRemark<'_>> {
    let lines = key_proof.into_iter().flat_map(|proof| &proof.lines);
    lines
        .filter(|line| is_of_kube_apiserver(&line.resource))
        .filter_map(|line| {
            let agrees = match line.outcome {
                KeyOutcome::Decrypted => true,
                KeyOutcome::KeyWrong => false,
                _ => return None,
            };
            Some(FactRemark {
                fact: SharedFact::Key(line),
                agrees,
            })
        })
}
