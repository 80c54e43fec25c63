//! A half alone: is the other one needed, and where could it be?

use super::encryption::lost_without_keys;
use super::kind::ClusterKind;
use super::notes::PairNotes;
use crate::backup::{Backup, Located};
use crate::finding::{Code, Finding};
use crate::foreign::product;
use crate::inventory::PassedOver;
use crate::pairing::stamp_of;
use crate::snapshot::Snapshot;
use crate::source::ObjectId;

/// `kuberesources-missing`, or `kuberesources-not-used` where none exists by design.
pub(super) fn missing(backup: &Backup, notes: &PairNotes) -> Option<Finding> {
    let half = backup.snapshot.as_ref()?;
    if backup.kuberesources.is_some() {
        return None;
    }
    let kind = ClusterKind::of(&half.facts);
    if let Some((reason, remedy)) = kind.without_kuberesources() {
        return Some(not_used(half, kind, reason, remedy));
    }
    let is_required = match kind {
        ClusterKind::OpenShift => true,
        // The name decides.
        ClusterKind::Unknown => is_named_by_script(half),
        _ => false,
    };
    // `cluster-restore.sh` dies without it, after it has stopped etcd.
    is_required.then(|| required(half, notes))
}

/// Plain Kubernetes comes of many products: the name may tell which.
fn not_used(
    half: &Located<Snapshot>,
    kind: ClusterKind,
    reason: &'static str,
    remedy: &'static str,
) -> Finding {
    let mut names = half.places().filter_map(|place| place.file_name());
    let product = names.find_map(product::of_snapshot);
    match product.filter(|_| kind == ClusterKind::Kubernetes) {
        Some((product, remedy)) => {
            let message = format!("{reason}; by its name it is {product}");
            Finding::new(Code::KuberesourcesNotUsed, message)
                .with("product", product)
                .remedy(remedy)
        }
        None => Finding::new(Code::KuberesourcesNotUsed, reason).remedy(remedy),
    }
}

fn is_named_by_script(half: &Located<Snapshot>) -> bool {
    half.places().any(|place| {
        let name = place.file_name().and_then(|name| name.to_str());
        stamp_of(place).is_some() && name.is_some_and(|name| name.starts_with("snapshot_"))
    })
}

fn required(half: &Located<Snapshot>, notes: &PairNotes) -> Finding {
    let mut message = absence("kuberesources", &half.path, notes);
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
    beside(finding, notes)
}

/// What was not seen is not said to be missing.
fn absence(what: &str, half: &ObjectId, notes: &PairNotes) -> String {
    match &notes.broken_archive {
        Some(broken) => format!(
            "no {what} was seen for {half}, and {} could not be read to its end: {}",
            broken.path, broken.what
        ),
        None => format!("there is no {what} for {half}"),
    }
}

/// Names a file of the same stamp that could not be read and may hold the missing half.
fn beside(mut finding: Finding, notes: &PairNotes) -> Finding {
    if let Some(broken) = &notes.broken_archive {
        let remedy = format!("take another copy of {} and verify that", broken.path);
        return finding.remedy(remedy);
    }
    let Some(PassedOver { path, what }) = &notes.passed_over else {
        return finding;
    };
    finding.message.push_str(&format!(
        "; {path} has the same stamp and was not read: {what}"
    ));
    let remedy = format!("look into {path} first: what was skipped says how");
    finding.with("passedOver", path.to_string()).remedy(remedy)
}

/// `snapshot-missing`.
pub(super) fn snapshot_missing(backup: &Backup, notes: &PairNotes) -> Option<Finding> {
    let half = backup.kuberesources.as_ref()?;
    if backup.snapshot.is_some() {
        return None;
    }
    let mut message = absence("snapshot", &half.path, notes);
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
    Some(beside(finding, notes))
}
