//! What a certificate of the control plane is for, and which others it replaces.

use crate::kubernetes::certificate::Certificate;
use chrono::TimeDelta;
use std::borrow::Cow;

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
pub(super) struct Family<'c> {
    role: Role,
    name: Cow<'c, str>,
    place: Cow<'c, str>,
}

pub(super) fn family(certificate: &Certificate) -> Family<'_> {
    let role = role(certificate);
    let name = common_name(certificate);
    let (name, place) = match role {
        Role::EtcdCa | Role::KubeletSigner => (Cow::default(), Cow::default()),
        Role::OtherCa => (signer_name(name).into(), Cow::default()),
        Role::Leaf => (
            without_moment(&certificate.subject),
            without_revision(&certificate.place),
        ),
    };
    Family { role, name, place }
}

/// `CN=x@1730000000` as `CN=x`.
fn without_moment(subject: &str) -> Cow<'_, str> {
    shortened(subject, ", ", |part| {
        let (name, moment) = part.split_once('@')?;
        is_number(moment).then_some((name, ""))
    })
}

/// `.../secrets/openshift-etcd/etcd-client-7` as `.../secrets/openshift-etcd/etcd-client`.
fn without_revision(place: &str) -> Cow<'_, str> {
    shortened(place, "/", |segment| {
        let name = segment.split(' ').next()?;
        let (base, revision) = name.rsplit_once('-')?;
        let field = segment.get(name.len()..)?;
        (is_number(revision) && !base.is_empty()).then_some((base, field))
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A text of which some parts are put together anew from beginning and end. Most have no such part, and are not copied.
fn shortened<'t>(
    text: &'t str,
    separator: &str,
    keep: impl Fn(&'t str) -> Option<(&'t str, &'t str)>,
) -> Cow<'t, str> {
    if text.split(separator).all(|part| keep(part).is_none()) {
        return text.into();
    }
    let mut short = String::with_capacity(text.len());
    for (number, part) in text.split(separator).enumerate() {
        if number > 0 {
            short.push_str(separator);
        }
        let (beginning, end) = keep(part).unwrap_or((part, ""));
        short.push_str(beginning);
        short.push_str(end);
    }
    short.into()
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
