//! The certificate calendar of a backup, as of the instant of judgement.
//!
//! Bundles and old static pod revisions keep expired certificates beside their successors, in every healthy
//! cluster; a certificate counts only when no successor in the backup is still valid.
//! Docs give no number of days: 30-day leaf certificates are expired in any older backup and are regenerated
//! after a restore, so they warn; an expired etcd CA or kubelet signer leaves nothing to start from.

use super::certificate_role::{Family, Role, family, role, short_name};
use super::text::{first_few, instant};
use crate::finding::{Code, Finding, Severity};
use crate::kubernetes::certificate::Certificate;
use chrono::{DateTime, TimeDelta, Utc};
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
    let newest =
        newest_of_each_family(certificates.filter(|certificate| !is_spent(certificate, taken_at)));
    let mut by_date: Vec<&Certificate> = newest.into_values().collect();
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
        finding(Fate::VitalExpired, &vital, taken_at),
        finding(Fate::Expired, &other, taken_at),
        finding(Fate::Expiring, &soon, taken_at),
    ];
    findings.into_iter().flatten().collect()
}

/// The installer's own signers live one day; old bundles keep them, and nothing depends on them any more.
fn is_spent(certificate: &Certificate, taken_at: Option<DateTime<Utc>>) -> bool {
    role(certificate) == Role::OtherCa
        && !certificate.subject.contains('@')
        && certificate.not_after - certificate.not_before <= TimeDelta::hours(25)
        && taken_at.is_some_and(|at| certificate.not_after < at)
}

fn newest_of_each_family<'a>(
    certificates: impl Iterator<Item = &'a Certificate>,
) -> HashMap<Family, &'a Certificate> {
    let mut newest: HashMap<Family, &Certificate> = HashMap::new();
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

/// What became of some certificates by the instant of judgement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    /// Expired, and nothing can be restored without them.
    VitalExpired,
    /// Expired; operators make them anew.
    Expired,
    /// To expire within [`SOON`].
    Expiring,
}

fn finding(
    fate: Fate,
    certificates: &[&Certificate],
    taken_at: Option<DateTime<Utc>>,
) -> Option<Finding> {
    if certificates.is_empty() {
        return None;
    }
    let mut message = sentence(fate, certificates);
    let is_before =
        |certificate: &&&Certificate| taken_at.is_some_and(|at| certificate.not_after < at);
    let before = certificates.iter().filter(is_before).count();
    if before > 0 {
        message.push_str(&format!("; {before} already when the backup was taken"));
    } else if fate != Fate::Expiring && taken_at.is_some() {
        message.push_str("; valid when the backup was taken");
    }
    let (code, severity, remedy) = match fate {
        Fate::VitalExpired => (
            Code::CertificateExpired,
            Severity::Error,
            "use a newer backup; without one, only a restore with Red Hat support can replace the signer by hand",
        ),
        Fate::Expired => (
            Code::CertificateExpired,
            Severity::Warning,
            "after a restore let the operators renew them: watch `oc get csr` and approve pending requests with \
             `oc adm certificate approve`",
        ),
        Fate::Expiring => (
            Code::CertificateExpiring,
            Severity::Info,
            "take a new backup before they expire",
        ),
    };
    let listed = merge_places(certificates);
    let count = u64::try_from(listed.len()).unwrap_or(u64::MAX);
    let listed: Vec<String> = listed.into_iter().take(LISTED).collect();
    Some(
        Finding::new(code, message)
            .severity(severity)
            .with("count", count)
            .with("certificates", listed)
            .remedy(remedy),
    )
}

/// `kube-apiserver-to-kubelet-signer expired on 2022-08-05`, or how many and the first of them. Where they lie is
/// too long for a sentence and stands in the evidence.
fn sentence(fate: Fate, certificates: &[&Certificate]) -> String {
    let verb = match fate {
        Fate::VitalExpired | Fate::Expired => "expired",
        Fate::Expiring => "will expire within 7 days",
    };
    let mut names: Vec<(String, DateTime<Utc>)> = certificates
        .iter()
        .map(|certificate| (short_name(certificate), certificate.not_after))
        .collect();
    names.dedup();
    match names.as_slice() {
        [(name, at)] => {
            let verb = verb.strip_suffix(" within 7 days").unwrap_or(verb);
            format!("{name} {verb} on {}", day(*at))
        }
        several => {
            let noun = match fate {
                Fate::VitalExpired => "signers that a restore needs",
                Fate::Expired | Fate::Expiring => "certificates",
            };
            let lines: Vec<String> = several
                .iter()
                .map(|(name, at)| format!("{name} on {}", day(*at)))
                .collect();
            format!(
                "{} {noun} {verb}: {}",
                lines.len(),
                first_few(&lines, NAMED)
            )
        }
    }
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
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
            2 => " and 1 other place".to_owned(),
            count => format!(" and {} other places", count - 1),
        };
        Some(format!(
            "{subject} at {}{more} on {}",
            first.place,
            instant(not_after)
        ))
    };
    places.into_iter().filter_map(line).collect()
}
