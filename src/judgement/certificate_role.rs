//! What a certificate of the control plane is for, and which others it replaces.

use crate::kubernetes::certificate::Certificate;
use chrono::TimeDelta;

/// What a certificate is for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Role {
    /// Signs what etcd members and clients show each other.
    EtcdCa,
    /// Signs the client certificate with which the kube-apiserver reaches kubelets.
    KubeletSigner,
    /// Any other CA.
    OtherCa,
    /// No CA.
    Leaf,
}

impl Role {
    /// Nothing can be restored with it expired.
    pub(super) fn is_vital(self) -> bool {
        matches!(self, Self::EtcdCa | Self::KubeletSigner)
    }
}

/// Bundles of the archive that hold etcd's CA under whatever name (`etcd-all-bundles` since 4.17).
const ETCD_BUNDLES: [&str; 4] = [
    "etcd-all-bundles/server-ca-bundle.crt",
    "configmaps/etcd-serving-ca/",
    "configmaps/etcd-peer-client-ca/",
    "configmaps/etcd-ca-bundle/",
];

/// Installer certificates live one day; an hour of grace for rounding.
const ONE_DAY_LIFE: TimeDelta = TimeDelta::hours(25);

pub(super) fn lives_one_day(certificate: &Certificate) -> bool {
    certificate.not_after - certificate.not_before <= ONE_DAY_LIFE
}

pub(super) fn role(certificate: &Certificate) -> Role {
    if !certificate.is_ca {
        return Role::Leaf;
    }
    let name = common_name(certificate);
    if name.contains("kube-apiserver-to-kubelet-signer") {
        return Role::KubeletSigner;
    }
    let is_metrics = name.contains("metric");
    let is_etcd_signer =
        name.starts_with("openshift-etcd_etcd-signer@") || name.starts_with("etcd-signer");
    let is_in_bundle = ETCD_BUNDLES
        .iter()
        .any(|bundle| certificate.place.contains(bundle));
    if !is_metrics && (is_etcd_signer || is_in_bundle) {
        Role::EtcdCa
    } else {
        Role::OtherCa
    }
}

fn common_name(certificate: &Certificate) -> &str {
    let parts = certificate.subject.split(", ");
    let mut names = parts.filter_map(|part| part.trim().strip_prefix("CN="));
    names.next().unwrap_or(&certificate.subject)
}

/// What stays when a certificate is replaced: the role for the vital ones, the signer's name without its
/// moment for other CAs, subject and place without its revision for leaves.
#[derive(Debug, Eq, Hash, PartialEq)]
pub(super) struct Family {
    role: Role,
    name: String,
    place: String,
}

pub(super) fn family(certificate: &Certificate) -> Family {
    let role = role(certificate);
    let name = common_name(certificate);
    let (name, place) = match role {
        Role::EtcdCa | Role::KubeletSigner => (String::new(), String::new()),
        Role::OtherCa => (signer_name(name).to_owned(), String::new()),
        Role::Leaf => (
            without_moment(&certificate.subject),
            without_revision(&certificate.place),
        ),
    };
    Family { role, name, place }
}

/// `CN=x@1730000000` as `CN=x`.
fn without_moment(subject: &str) -> String {
    let keep = |part: &str| {
        let (name, moment) = part.split_once('@').unwrap_or((part, ""));
        let is_moment = !moment.is_empty() && moment.bytes().all(|byte| byte.is_ascii_digit());
        if is_moment {
            name.to_owned()
        } else {
            part.to_owned()
        }
    };
    subject.split(", ").map(keep).collect::<Vec<_>>().join(", ")
}

/// `.../secrets/openshift-etcd/etcd-client-7` as `.../secrets/openshift-etcd/etcd-client`.
fn without_revision(place: &str) -> String {
    let keep = |segment: &str| {
        let (name, field) = segment
            .split_once(' ')
            .map_or((segment, None), |(name, field)| (name, Some(field)));
        let (base, revision) = name.rsplit_once('-').unwrap_or((name, ""));
        let is_revision =
            !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit());
        let name = if is_revision && !base.is_empty() {
            base
        } else {
            name
        };
        field.map_or_else(|| name.to_owned(), |field| format!("{name} {field}"))
    };
    place.split('/').map(keep).collect::<Vec<_>>().join("/")
}

/// What people call it: the role of the vital ones, the Secret of a rotated signer, else the common name.
pub(super) fn short_name(certificate: &Certificate) -> &str {
    match role(certificate) {
        Role::EtcdCa => "the etcd CA",
        Role::KubeletSigner => "kube-apiserver-to-kubelet-signer",
        Role::OtherCa => signer_name(common_name(certificate)),
        Role::Leaf => common_name(certificate),
    }
}

/// `openshift-kube-apiserver-operator_aggregator-client-signer@1725660000` as `aggregator-client-signer`: rotated
/// signers are named after namespace, Secret and moment, the installer's plainly.
fn signer_name(name: &str) -> &str {
    let signer = name.split('@').next().unwrap_or(name);
    signer.rsplit('_').next().unwrap_or(signer)
}
