//! Had the cluster replaced the certificates that its installer made for one day?

use super::text::{instant, span};
use crate::finding::{Code, Finding};
use crate::kubernetes::certificate::Certificate;
use crate::snapshot::Snapshot;
use chrono::{DateTime, TimeDelta, Utc};

/// The first rotation comes 24 h after installation (every edition of the backup page).
const FIRST_ROTATION: TimeDelta = TimeDelta::hours(24);

/// Installer certificates live one day; an hour of grace for rounding.
const ONE_DAY_LIFE: TimeDelta = TimeDelta::hours(25);

/// Secrets whose signer the first rotation replaces. Bundles keep the old signers and prove nothing.
const ROTATED_SECRETS: [&str; 4] = [
    "/secrets/openshift-kube-apiserver-operator/aggregator-client-signer",
    "/secrets/openshift-kube-apiserver-operator/kube-control-plane-signer",
    "/secrets/openshift-kube-apiserver-operator/kube-apiserver-to-kubelet-signer",
    "/secrets/openshift-kube-controller-manager-operator/csr-signer",
];

/// `taken-before-rotation`, from the installation time or from signers that the installer made.
pub(super) fn before_first(
    snapshot: &Snapshot,
    sealed: &[Certificate],
    taken_at: Option<DateTime<Utc>>,
) -> Option<Finding> {
    let finding = too_young(snapshot, taken_at).or_else(|| unrotated(snapshot, sealed))?;
    let remedy = "use a backup taken at least 24 h after the installation";
    Some(finding.remedy(remedy))
}

fn too_young(snapshot: &Snapshot, taken_at: Option<DateTime<Utc>>) -> Option<Finding> {
    let installed_at = snapshot.cluster.installed_at?;
    let taken_at = taken_at?;
    let age = taken_at - installed_at;
    if age >= FIRST_ROTATION {
        return None;
    }
    let message = if age < TimeDelta::zero() {
        format!(
            "taken {} before the cluster was installed at {}",
            span(age),
            instant(installed_at)
        )
    } else {
        format!(
            "taken {} after the cluster was installed at {}, before the first certificate rotation",
            span(age),
            instant(installed_at)
        )
    };
    let finding = Finding::new(Code::TakenBeforeRotation, message);
    Some(
        finding
            .with("installedAt", instant(installed_at))
            .with("takenAt", instant(taken_at)),
    )
}

fn unrotated(snapshot: &Snapshot, sealed: &[Certificate]) -> Option<Finding> {
    let mut signers = snapshot.certificates.iter().chain(sealed);
    let signer = signers.find(|certificate| {
        // The life tells nearly all others apart, and costs least.
        certificate.not_after - certificate.not_before <= ONE_DAY_LIFE
            // Rotated signers are named `<namespace>_<secret>@<unix seconds>`.
            && !certificate.subject.contains('@')
            && ROTATED_SECRETS.iter().any(|secret| certificate.place.contains(secret))
    })?;
    let message = format!(
        "signer {:?} at {} is still the installer's, valid for one day only: no rotation had happened",
        signer.subject, signer.place
    );
    let finding = Finding::new(Code::TakenBeforeRotation, message);
    Some(
        finding
            .with("subject", signer.subject.as_str())
            .with("place", signer.place.as_str()),
    )
}

/// `bootstrap-incomplete`.
pub(super) fn bootstrap(snapshot: &Snapshot) -> Option<Finding> {
    let member = snapshot
        .members
        .iter()
        .find(|member| member.name == "etcd-bootstrap")?;
    let message = "member etcd-bootstrap is still listed: the installation had not finished";
    let finding = Finding::new(Code::BootstrapIncomplete, message);
    Some(
        finding
            .with("member", format!("{:x}", member.id))
            .with("name", member.name.as_str()),
    )
}
