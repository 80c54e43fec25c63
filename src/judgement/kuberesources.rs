//! A half alone: is the other one needed, and where could it be?

use super::encryption::lost_without_keys;
use super::notes::PairNotes;
use crate::backup::{Backup, Located};
use crate::finding::{Code, Finding, has_error};
use crate::openshift::Topology;
use crate::pairing::stamp_of;
use crate::snapshot::{Flavour, Snapshot};

/// `kuberesources-missing`, or `kuberesources-not-used` where none exists by design.
pub(super) fn missing(backup: &Backup, notes: &PairNotes) -> Option<Finding> {
    let half = backup.snapshot.as_ref()?;
    if backup.kuberesources.is_some() {
        return None;
    }
    match need(half) {
        Need::Required => Some(required(half, notes)),
        Need::NotUsed(reason) => Some(Finding::new(Code::KuberesourcesNotUsed, reason)),
        Need::None => None,
    }
}

enum Need {
    /// `cluster-restore.sh` dies without it, after it has stopped etcd.
    Required,
    /// A kind of OpenShift that does without, and why.
    NotUsed(&'static str),
    /// No OpenShift.
    None,
}

fn need(half: &Located<Snapshot>) -> Need {
    let facts = &half.facts;
    let is_damaged = has_error(&facts.findings);
    match (facts.flavour, &facts.cluster.topology) {
        (_, Some(Topology::External)) => Need::NotUsed(
            "a hosted control plane: its static pods live in the management cluster, so there is no kuberesources",
        ),
        (_, Some(Topology::DualReplica)) if facts.trailer.is_none() => Need::NotUsed(
            "a raw copy of a two-node cluster with fencing: its restore uses no kuberesources",
        ),
        (Flavour::OpenShift, _) => Need::Required,
        // Too damaged to tell: the name decides.
        (Flavour::Other, _) if is_damaged && is_named_by_script(half) => Need::Required,
        (Flavour::Kubernetes | Flavour::Other, _) => Need::None,
    }
}

fn is_named_by_script(half: &Located<Snapshot>) -> bool {
    half.places().any(|place| {
        let name = place.file_name().and_then(|name| name.to_str());
        stamp_of(place).is_some() && name.is_some_and(|name| name.starts_with("snapshot_"))
    })
}

fn required(half: &Located<Snapshot>, notes: &PairNotes) -> Finding {
    let mut message = format!("there is no kuberesources for {}", half.path);
    if let Some(lost) = lost_without_keys(&half.facts) {
        message.push_str(&format!(": {lost}, which are lost without it"));
    }
    let mut finding =
        Finding::new(Code::KuberesourcesMissing, "").with("snapshot", half.path.to_string());
    if let Some(path) = &notes.substitute {
        let path = path.to_string();
        message.push_str(&format!(
            "; {path} is of the same cluster and has equal revisions, and could be tried in its place"
        ));
        finding = finding.with("substitute", path.as_str()).remedy(format!(
            "find the file of the same run, or try {path} after proving it with etcd-cat verify"
        ));
    }
    finding.message = message;
    finding
}

/// `snapshot-missing`.
pub(super) fn snapshot_missing(backup: &Backup, notes: &PairNotes) -> Option<Finding> {
    let half = backup.kuberesources.as_ref()?;
    if backup.snapshot.is_some() {
        return None;
    }
    let mut message = format!("there is no snapshot for {}", half.path);
    let mut finding =
        Finding::new(Code::SnapshotMissing, "").with("kuberesources", half.path.to_string());
    if let Some(path) = &notes.counterpart {
        let path = path.to_string();
        message.push_str(&format!(
            "; {path} has the same stamp but belongs to another kuberesources"
        ));
        finding = finding.with("sameStamp", path);
    }
    finding.message = message;
    Some(finding)
}
