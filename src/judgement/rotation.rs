//! Had the cluster replaced the certificates that its installer made for one day?

use super::certificate_role::lives_one_day;
use super::text::span;
use crate::finding::{Code, Finding, Severity};
use crate::instant::rfc3339_seconds;
use crate::kubernetes::certificate::Certificate;
use crate::openshift::{FirstRotation, Topology};
use crate::snapshot::Snapshot;
use chrono::{DateTime, TimeDelta, Utc};

/// Secrets whose signer the first rotation replaces. Bundles keep the old signers and prove nothing.
const ROTATED_SECRETS: [&str; 4] = [
    "/secrets/openshift-kube-apiserver-operator/aggregator-client-signer",
    "/secrets/openshift-kube-apiserver-operator/kube-control-plane-signer",
    "/secrets/openshift-kube-apiserver-operator/kube-apiserver-to-kubelet-signer",
    "/secrets/openshift-kube-controller-manager-operator/csr-signer",
];

/// `taken-before-rotation`, from the installation time or from signers that the installer made.
///
/// A warning in the two hours in which the rotation is under way, unless a signer shows that it has happened. A hosted
/// control plane has no signer of one day: the control plane operator makes its certificates, for years.
pub(super) fn before_first(
    snapshot: &Snapshot,
    sealed: &[Certificate],
    taken_at: Option<DateTime<Utc>>,
) -> Option<Finding> {
    if snapshot.cluster.topology == Some(Topology::External) {
        return None;
    }
    let signers = || signers(snapshot, sealed);
    let finding = too_young(snapshot, taken_at)
        .or_else(|| unrotated(signers()))
        .or_else(|| doubtful(snapshot, taken_at, signers()))?;
    let remedy = "use a backup taken at least 24 h after the installation";
    Some(finding.remedy(remedy))
}

/// The signers that the first rotation replaces.
fn signers<'a>(
    snapshot: &'a Snapshot,
    sealed: &'a [Certificate],
) -> impl Iterator<Item = &'a Certificate> {
    let certificates = snapshot.certificates.iter().chain(sealed);
    certificates.filter(|certificate| {
        certificate.is_ca
            && ROTATED_SECRETS
                .iter()
                .any(|secret| certificate.place.contains(secret))
    })
}

fn too_young(snapshot: &Snapshot, taken_at: Option<DateTime<Utc>>) -> Option<Finding> {
    let installed_at = snapshot.cluster.installed_at?;
    let age = taken_at? - installed_at;
    if FirstRotation::of(installed_at, taken_at?) != FirstRotation::ToCome {
        return None;
    }
    let message = if age < TimeDelta::zero() {
        format!(
            "taken {} before the cluster was installed at {}",
            span(age),
            rfc3339_seconds(installed_at)
        )
    } else {
        format!(
            "taken {} after the cluster was installed at {}, before the first certificate rotation",
            span(age),
            rfc3339_seconds(installed_at)
        )
    };
    Some(of_age(message, installed_at, taken_at?))
}

fn doubtful<'a>(
    snapshot: &Snapshot,
    taken_at: Option<DateTime<Utc>>,
    mut signers: impl Iterator<Item = &'a Certificate>,
) -> Option<Finding> {
    let installed_at = snapshot.cluster.installed_at?;
    let age = taken_at? - installed_at;
    let is_over = FirstRotation::of(installed_at, taken_at?) == FirstRotation::Over;
    if is_over || signers.any(|signer| !lives_one_day(signer)) {
        return None;
    }
    let message = format!(
        "taken {} after the cluster was installed at {}: no signer shows that the first certificate rotation was over",
        span(age),
        rfc3339_seconds(installed_at)
    );
    Some(of_age(message, installed_at, taken_at?).severity(Severity::Warning))
}

fn of_age(message: String, installed_at: DateTime<Utc>, taken_at: DateTime<Utc>) -> Finding {
    Finding::new(Code::TakenBeforeRotation, message)
        .with("installedAt", rfc3339_seconds(installed_at))
        .with("takenAt", rfc3339_seconds(taken_at))
}

/// Rotated signers are named `<namespace>_<secret>@<unix seconds>`, live longer, and their Secrets are annotated.
fn unrotated<'a>(mut signers: impl Iterator<Item = &'a Certificate>) -> Option<Finding> {
    let signer = signers.find(|signer| {
        let is_rotated = signer.is_annotated && signer.subject.contains('@');
        lives_one_day(signer) && !is_rotated
    })?;
    let sign = if signer.is_annotated {
        "its name is the installer's"
    } else {
        "its Secret has no rotation annotations"
    };
    let message = format!(
        "no certificate rotation had happened: signer {} is valid for one day only and {sign}",
        signer.subject
    );
    Some(
        Finding::new(Code::TakenBeforeRotation, message)
            .with("subject", signer.subject.as_str())
            .with("place", signer.place.as_str())
            .with("notAfter", rfc3339_seconds(signer.not_after)),
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
