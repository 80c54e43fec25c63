//! Judges what was seen: one small function for each named reason. Pure.

use super::look::ObservedCluster;
use super::reason::{ReasonCode, RefusalReason};
use super::types::Node;
use super::window::Window;
use crate::instant::rfc3339_seconds;
use crate::openshift::api::{PROGRESSING, condition, is_true};
use crate::openshift::{COMPONENTS, FirstRotation, Topology};
use chrono::{DateTime, Utc};
use std::net::IpAddr;

const MASTER_LABEL: &str = "node-role.kubernetes.io/master";
const CONTROL_PLANE_LABEL: &str = "node-role.kubernetes.io/control-plane";
const ARBITER_LABEL: &str = "node-role.kubernetes.io/arbiter";

/// All reasons not to begin, forced ones too, and the host that was chosen: `node` if it will do.
pub(crate) fn judge(
    look: &ObservedCluster,
    node: Option<&str>,
    not_during: &[Window],
    now: DateTime<Utc>,
) -> (Option<String>, Vec<RefusalReason>) {
    let mut reasons = Vec::new();
    reasons.extend(permissions(look));
    reasons.extend(hosted_control_plane(look));
    reasons.extend(upgrade(look));
    reasons.extend(operators(look));
    reasons.extend(age(look, now));
    reasons.extend(hours(not_during, now));
    match choose_node(look, node) {
        Ok(node) => (Some(node), reasons),
        Err(message) => {
            reasons.push(RefusalReason::new(ReasonCode::NoHealthyNode, message));
            (None, reasons)
        }
    }
}

fn permissions(look: &ObservedCluster) -> Option<RefusalReason> {
    let message = format!("not allowed to {}", look.denied.join(", "));
    (!look.denied.is_empty()).then(|| RefusalReason::new(ReasonCode::Forbidden, message))
}

fn hosted_control_plane(look: &ObservedCluster) -> Option<RefusalReason> {
    let topology = look.infrastructure.status.control_plane_topology.clone();
    let message = "the control plane is hosted elsewhere (topology External), expected control-plane nodes here";
    (topology.map(Topology::from) == Some(Topology::External))
        .then(|| RefusalReason::new(ReasonCode::HostedControlPlane, message))
}

fn upgrade(look: &ObservedCluster) -> Option<RefusalReason> {
    let message = look.cluster.upgrade()?;
    Some(RefusalReason::new(ReasonCode::UpgradeInProgress, message))
}

/// One reason for all rollouts and one for all that is degraded: `--force` takes each once.
fn operators(look: &ObservedCluster) -> Vec<RefusalReason> {
    let observed = match &look.operators {
        Ok(observed) => observed,
        Err(error) => {
            let message = format!("the API server does not tell how the operators are: {error}");
            return vec![RefusalReason::new(ReasonCode::OperatorUnknown, message)];
        }
    };
    let mut rollouts = Vec::new();
    let mut degraded = Vec::new();
    for name in COMPONENTS {
        let found = observed
            .iter()
            .find(|operator| operator.metadata.name == name);
        let conditions = found.map_or(&[][..], |operator| {
            operator.status.conditions.as_deref().unwrap_or_default()
        });
        let status =
            |kind| condition(conditions, kind).map_or("unknown", |found| found.status.as_str());
        if status(PROGRESSING) != "False" {
            rollouts.push(format!(
                "{name} Progressing is {}, expected False",
                status(PROGRESSING)
            ));
        }
        if status("Available") != "True" {
            degraded.push(format!(
                "{name} Available is {}, expected True",
                status("Available")
            ));
        }
        if status("Degraded") != "False" {
            degraded.push(format!(
                "{name} Degraded is {}, expected False",
                status("Degraded")
            ));
        }
    }
    [
        (ReasonCode::RolloutInProgress, rollouts),
        (ReasonCode::OperatorDegraded, degraded),
    ]
    .into_iter()
    .filter(|(_, messages)| !messages.is_empty())
    .map(|(code, messages)| RefusalReason::new(code, messages.join(", ")))
    .collect()
}

fn age(look: &ObservedCluster, now: DateTime<Utc>) -> Option<RefusalReason> {
    let installed_at = look.cluster.installed_at?;
    let message = || {
        let installed = rfc3339_seconds(installed_at);
        format!("the cluster was installed at {installed}, expected 24 hours ago or earlier")
    };
    (FirstRotation::of(installed_at, now) == FirstRotation::ToCome)
        .then(|| RefusalReason::new(ReasonCode::TooYoung, message()))
}

fn hours(not_during: &[Window], now: DateTime<Utc>) -> Option<RefusalReason> {
    let window = not_during.iter().find(|window| window.contains(now))?;
    let now = rfc3339_seconds(now);
    Some(RefusalReason::new(
        ReasonCode::NotDuring,
        format!("it is {now}, expected outside {window}"),
    ))
}

/// Which node has which address.
pub(crate) fn addresses(look: &ObservedCluster) -> Vec<(IpAddr, String)> {
    let of_node = |node: &Node| {
        let addresses = node.status.addresses.iter();
        let parsed = addresses.filter_map(|one| one.address.parse().ok());
        let named = parsed.map(|address| (address, node.metadata.name.clone()));
        named.collect::<Vec<_>>()
    };
    look.nodes.iter().flat_map(of_node).collect()
}

/// A node as one looks for files on it.
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) is_ready: bool,
    pub(crate) is_control_plane: bool,
}

/// All nodes, by name.
pub(crate) fn hosts(look: &ObservedCluster) -> Vec<Host> {
    let mut hosts: Vec<Host> = look
        .nodes
        .iter()
        .map(|node| Host {
            name: node.metadata.name.clone(),
            is_ready: is_true(&node.status.conditions, "Ready"),
            // An arbiter has no static pods' resources, and so no backup.
            is_control_plane: is_control_plane(node)
                && !node.metadata.labels.contains_key(ARBITER_LABEL),
        })
        .collect();
    hosts.sort_by(|one, other| one.name.cmp(&other.name));
    hosts
}

/// The named node if it will do, else the first by name that is Ready with a Ready etcd pod.
fn choose_node(look: &ObservedCluster, asked_for: Option<&str>) -> Result<String, String> {
    if let Some(name) = asked_for {
        let node = look.nodes.iter().find(|node| node.metadata.name == name);
        let node = node.ok_or_else(|| format!("{name} is no node of this cluster"))?;
        return match objection(look, node) {
            None => Ok(name.to_owned()),
            Some(objection) => Err(objection),
        };
    }
    let mut names: Vec<&String> = look
        .nodes
        .iter()
        .filter(|node| objection(look, node).is_none())
        .map(|node| &node.metadata.name)
        .collect();
    names.sort();
    names
        .first()
        .map(|&name| name.clone())
        .ok_or_else(|| no_node(look))
}

fn no_node(look: &ObservedCluster) -> String {
    let objections: Vec<String> = look
        .nodes
        .iter()
        .filter(|node| is_control_plane(node))
        .filter_map(|node| objection(look, node))
        .collect();
    if objections.is_empty() {
        "no node has the role master or control-plane".to_owned()
    } else {
        objections.join(", ")
    }
}

fn is_control_plane(node: &Node) -> bool {
    let labels = &node.metadata.labels;
    labels.contains_key(MASTER_LABEL) || labels.contains_key(CONTROL_PLANE_LABEL)
}

/// Why the script cannot run there; an unschedulable node is fine.
fn objection(look: &ObservedCluster, node: &Node) -> Option<String> {
    let name = &node.metadata.name;
    if node.metadata.labels.contains_key(ARBITER_LABEL) {
        return Some(format!(
            "{name} is an arbiter: it runs etcd and no kube-apiserver"
        ));
    }
    if !is_control_plane(node) {
        return Some(format!("{name} is no control-plane node"));
    }
    if !is_true(&node.status.conditions, "Ready") {
        return Some(format!("{name} is not Ready"));
    }
    let has_etcd = look
        .nodes_with_etcd
        .as_ref()
        .is_none_or(|nodes| nodes.contains(name));
    (!has_etcd).then(|| format!("the etcd pod on {name} is not Ready"))
}
