//! The certificate calendar of a backup, as of the instant of judgement.
//!
//! Bundles and old static pod revisions keep expired certificates beside their successors, in every healthy
//! cluster; a certificate counts only when no successor in the backup is still valid.
//! Docs give no number of days: 30-day leaf certificates are expired in any older backup and are regenerated
//! after a restore, so they warn; an expired etcd CA or kubelet signer leaves nothing to start from.

use super::text::{first_few, instant};
use crate::backup::Backup;
use crate::finding::{Code, Finding, Severity};
use crate::kubernetes::certificate::Certificate;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// How far ahead `certificate-expiring` looks.
const SOON: TimeDelta = TimeDelta::days(7);

/// Certificates named in a message; all of them are in the evidence up to [`LISTED`].
const NAMED: usize = 3;

/// Bound on evidence: a snapshot can hold thousands of certificates.
const LISTED: usize = 50;

/// `certificate-expired` (at most one error and one warning) and `certificate-expiring`.
pub(super) fn calendar<'a>(
    certificates: impl Iterator<Item = &'a Certificate>,
    as_of: DateTime<Utc>,
    taken_at: Option<DateTime<Utc>>,
) -> Vec<Finding> {
    let mut by_date = counted(certificates, taken_at);
    by_date.sort_by(|a, b| {
        (a.not_after, &a.place, &a.subject).cmp(&(b.not_after, &b.place, &b.subject))
    });
    let (expired, valid): (Vec<_>, Vec<_>) = by_date
        .into_iter()
        .partition(|certificate| certificate.not_after < as_of);
    let (vital, other): (Vec<_>, Vec<_>) = expired
        .into_iter()
        .partition(|certificate| role(certificate).is_vital());
    let soon: Vec<_> = valid
        .into_iter()
        .filter(|certificate| certificate.not_after < as_of + SOON)
        .collect();
    let findings = [
        finding(
            Code::CertificateExpired,
            Severity::Error,
            "expired",
            &vital,
            taken_at,
        ),
        finding(
            Code::CertificateExpired,
            Severity::Warning,
            "expired",
            &other,
            taken_at,
        ),
        finding(
            Code::CertificateExpiring,
            Severity::Info,
            "will expire",
            &soon,
            None,
        ),
    ];
    findings.into_iter().flatten().collect()
}

/// The certificates that count, in no order.
fn counted<'a>(
    certificates: impl Iterator<Item = &'a Certificate>,
    taken_at: Option<DateTime<Utc>>,
) -> Vec<&'a Certificate> {
    let unspent = certificates.filter(|certificate| !is_spent(certificate, taken_at));
    newest_of_each_family(unspent).into_values().collect()
}

/// When the certificates that count end: all that a judgement at another instant needs to know of them.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Calendar {
    /// Ends of the etcd CA and the kubelet signer, ascending, each once.
    vital: Vec<End>,
    /// Ends of all others, ascending, each once.
    other: Vec<End>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
struct End(#[serde(with = "crate::instant")] DateTime<Utc>);

impl Calendar {
    /// The calendar of a judged backup.
    pub fn of(backup: &Backup) -> Self {
        let counted = counted(certificates_of(backup), backup.taken_at);
        let (vital, other) = counted
            .into_iter()
            .partition(|certificate| role(certificate).is_vital());
        Self {
            vital: ends(vital),
            other: ends(other),
        }
    }

    /// Code and severity of each finding that [`judge`](super::judge) makes of these certificates at `as_of`.
    pub fn marks(&self, as_of: DateTime<Utc>) -> Vec<(Code, Severity)> {
        let has_expired = |ends: &[End]| ends.first().is_some_and(|first| first.0 < as_of);
        let expires_soon = |ends: &[End]| {
            let later = ends.get(ends.partition_point(|end| end.0 < as_of));
            later.is_some_and(|next| next.0 < as_of + SOON)
        };
        let soon = expires_soon(&self.vital) || expires_soon(&self.other);
        let marks = [
            (
                has_expired(&self.vital),
                Code::CertificateExpired,
                Severity::Error,
            ),
            (
                has_expired(&self.other),
                Code::CertificateExpired,
                Severity::Warning,
            ),
            (soon, Code::CertificateExpiring, Severity::Info),
        ];
        let set = marks.into_iter().filter(|(is_set, ..)| *is_set);
        set.map(|(_, code, severity)| (code, severity)).collect()
    }
}

fn ends(certificates: Vec<&Certificate>) -> Vec<End> {
    let mut ends: Vec<End> = certificates
        .into_iter()
        .map(|certificate| End(certificate.not_after))
        .collect();
    ends.sort_unstable();
    ends.dedup();
    ends
}

/// Every certificate in either half and behind the encryption.
pub(super) fn certificates_of(backup: &Backup) -> impl Iterator<Item = &Certificate> {
    let snapshot = backup
        .snapshot
        .iter()
        .flat_map(|half| &half.facts.certificates);
    let kuberesources = backup
        .kuberesources
        .iter()
        .flat_map(|half| &half.facts.certificates);
    snapshot
        .chain(kuberesources)
        .chain(&backup.sealed_certificates)
}

/// The installer's own signers live one day; old bundles keep them, and nothing depends on them any more.
fn is_spent(certificate: &Certificate, taken_at: Option<DateTime<Utc>>) -> bool {
    certificate.not_after - certificate.not_before <= TimeDelta::hours(25)
        && !certificate.subject.contains('@')
        && role(certificate) == Role::OtherCa
        && taken_at.is_some_and(|at| certificate.not_after < at)
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Role {
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
    fn is_vital(self) -> bool {
        matches!(self, Self::EtcdCa | Self::KubeletSigner)
    }

    fn name(self) -> &'static str {
        match self {
            Self::EtcdCa => "etcd CA ",
            Self::KubeletSigner => "kube-apiserver-to-kubelet-signer ",
            Self::OtherCa | Self::Leaf => "",
        }
    }
}

/// Bundles of the archive that hold etcd's CA under whatever name (`etcd-all-bundles` since 4.17).
const ETCD_BUNDLES: [&str; 4] = [
    "etcd-all-bundles/server-ca-bundle.crt",
    "configmaps/etcd-serving-ca/",
    "configmaps/etcd-peer-client-ca/",
    "configmaps/etcd-ca-bundle/",
];

fn role(certificate: &Certificate) -> Role {
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
struct Family<'c> {
    role: Role,
    name: Cow<'c, str>,
    place: Cow<'c, str>,
}

fn family(certificate: &Certificate) -> Family<'_> {
    let role = role(certificate);
    let name = common_name(certificate);
    let signer = name.split('@').next().unwrap_or(name);
    // Installer signers have a plain name, rotated ones `<namespace>_<secret>@<moment>`.
    let signer = signer.rsplit('_').next().unwrap_or(signer);
    let (name, place) = match role {
        Role::EtcdCa | Role::KubeletSigner => (Cow::default(), Cow::default()),
        Role::OtherCa => (Cow::Borrowed(signer), Cow::default()),
        Role::Leaf => (
            without_moment(&certificate.subject),
            without_revision(&certificate.place),
        ),
    };
    Family { role, name, place }
}

/// `CN=x@1730000000` as `CN=x`.
fn without_moment(subject: &str) -> Cow<'_, str> {
    if !subject.contains('@') {
        return Cow::Borrowed(subject);
    }
    let keep = |part: &str| {
        let (name, moment) = part.split_once('@').unwrap_or((part, ""));
        let is_moment = !moment.is_empty() && moment.bytes().all(|byte| byte.is_ascii_digit());
        if is_moment {
            name.to_owned()
        } else {
            part.to_owned()
        }
    };
    let parts: Vec<String> = subject.split(", ").map(keep).collect();
    Cow::Owned(parts.join(", "))
}

/// `.../secrets/openshift-etcd/etcd-client-7` as `.../secrets/openshift-etcd/etcd-client`.
fn without_revision(place: &str) -> Cow<'_, str> {
    // A revision is a dash and digits at the end of a segment or of its first word.
    let mut pairs = place.as_bytes().windows(2);
    if !pairs.any(|pair| matches!(pair, [b'-', digit] if digit.is_ascii_digit())) {
        return Cow::Borrowed(place);
    }
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
    let segments: Vec<String> = place.split('/').map(keep).collect();
    Cow::Owned(segments.join("/"))
}

fn newest_of_each_family<'a>(
    certificates: impl Iterator<Item = &'a Certificate>,
) -> HashMap<Family<'a>, &'a Certificate> {
    let mut newest: HashMap<Family<'a>, &Certificate> = HashMap::new();
    for certificate in certificates {
        let entry = newest.entry(family(certificate)).or_insert(certificate);
        // Equal dates are the same certificate in several places: keep the first by place.
        let is_newer = certificate.not_after > entry.not_after;
        let is_same = certificate.not_after == entry.not_after && certificate.place < entry.place;
        if is_newer || is_same {
            *entry = certificate;
        }
    }
    newest
}

fn finding(
    code: Code,
    severity: Severity,
    verb: &str,
    certificates: &[&Certificate],
    taken_at: Option<DateTime<Utc>>,
) -> Option<Finding> {
    if certificates.is_empty() {
        return None;
    }
    let lines = merge_places(certificates);
    let count = lines.len();
    let verb = if verb == "expired" {
        verb.to_owned()
    } else {
        format!("{verb} within 7 days")
    };
    let noun = if count == 1 {
        "certificate"
    } else {
        "certificates"
    };
    let mut message = format!("{count} {noun} {verb}: {}", first_few(&lines, NAMED));
    let before = certificates
        .iter()
        .filter(|certificate| taken_at.is_some_and(|at| certificate.not_after < at))
        .count();
    if before > 0 {
        message.push_str(&format!(" ({before} already when the backup was taken)"));
    }
    let remedy = match severity {
        Severity::Error => {
            "use a newer backup; without one, only a restore with Red Hat support can replace the signer by hand"
        }
        Severity::Warning => {
            "after a restore let the operators renew them: watch `oc get csr` and approve pending requests with \
             `oc adm certificate approve`"
        }
        Severity::Info => "take a new backup before they expire",
    };
    let listed: Vec<String> = lines.into_iter().take(LISTED).collect();
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    Some(
        Finding::new(code, message)
            .severity(severity)
            .with("count", count)
            .with("certificates", listed)
            .remedy(remedy),
    )
}

/// One line for each subject and date: the first place, and how many more.
fn merge_places(certificates: &[&Certificate]) -> Vec<String> {
    let mut places: BTreeMap<(DateTime<Utc>, &str), Vec<&Certificate>> = BTreeMap::new();
    for certificate in certificates {
        places
            .entry((certificate.not_after, &certificate.subject))
            .or_default()
            .push(certificate);
    }
    let line = |((not_after, subject), group): ((DateTime<Utc>, &str), Vec<&Certificate>)| {
        let first = group.first()?;
        let more = match group.len() {
            1 => String::new(),
            count => format!(" and {} other places", count - 1),
        };
        Some(format!(
            "{}{subject} at {}{more} on {}",
            role(first).name(),
            first.place,
            instant(not_after)
        ))
    };
    places.into_iter().filter_map(line).collect()
}
