//! Were the control plane's static pods all at one revision when the snapshot was taken?

use crate::backup::Version;
use crate::finding::{Code, Finding};
use crate::openshift::{OperatorRollout, PendingRevision};
use crate::snapshot::Snapshot;

/// `rollout-in-progress`: one finding that names every operator and node.
pub(super) fn in_progress(snapshot: &Snapshot, version: &Version) -> Option<Finding> {
    let operators = snapshot.cluster.operators.iter();
    let signs: Vec<String> = operators
        .flat_map(|operator| signs(operator, version))
        .collect();
    if signs.is_empty() {
        return None;
    }
    let message = format!(
        "a control-plane operator was rolling out: {}",
        signs.join("; ")
    );
    let remedy = "prefer a backup taken when no operator was progressing; if there is none, expect the restored \
                  operators to finish or repeat the rollout";
    Some(
        Finding::new(Code::RolloutInProgress, message)
            .with("operators", signs)
            .remedy(remedy),
    )
}

fn signs(operator: &OperatorRollout, version: &Version) -> Vec<String> {
    let component = &operator.component;
    let mut signs = Vec::new();
    for status in &operator.nodes {
        let (node, current) = (&status.node, status.current_revision);
        signs.extend(operator.pending(status).map(|pending| match pending {
            PendingRevision::Target(target) => {
                format!("{component} on {node} going from revision {current} to {target}")
            }
            PendingRevision::Newest(latest) => {
                format!("{component} on {node} at revision {current}, newest is {latest}")
            }
        }));
    }
    if signs.is_empty() && operator.progressing == Some(true) {
        signs.push(format!("ClusterOperator {component} says Progressing"));
    }
    // Only these two carry the release in step with ClusterVersion.
    let is_versioned = matches!(component.as_str(), "etcd" | "kube-apiserver");
    if let (true, Some(found), Some(wanted)) =
        (is_versioned, &operator.operator_version, &version.openshift)
        && found != wanted
    {
        signs.push(format!(
            "ClusterOperator {component} is at {found}, ClusterVersion at {wanted}"
        ));
    }
    signs
}
