//! The certificate calendar of a backup, as of the instant of judgement.
//!
//! Bundles and old static pod revisions keep expired certificates beside their successors, in every healthy
//! cluster; a certificate counts only when no successor in the backup is still valid.
//! Docs give no number of days: 30-day leaf certificates are expired in any older backup and are regenerated
//! after a restore, so they warn; an expired etcd CA or kubelet signer leaves nothing to start from.

use super::arrival;
use super::certificate_role::{role, short_name};
use super::text::first_few;
use crate::finding::{Code, Finding, Severity};
use crate::instant::rfc3339_seconds;
use crate::kubernetes::certificate::Certificate;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far ahead `certificate-expiring` looks.
const SOON: TimeDelta = TimeDelta::days(7);

/// Certificates named in a message; all of them are in the evidence up to [`LISTED`].
const NAMED: usize = 3;

/// Bound on evidence: a snapshot can hold thousands of certificates.
const LISTED: usize = 50;

/// `certificate-expired` (at most one error and one warning) and `certificate-expiring`, of the certificates that
/// count, those that end first in front.
pub(super) fn calendar(
    counted: Vec<&Certificate>,
    as_of: DateTime<Utc>,
    taken_at: Option<DateTime<Utc>>,
) -> Vec<Finding> {
    let (expired, valid): (Vec<_>, Vec<_>) = counted
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

/// When the certificates that count end, and when a half came that is alone: all that a judgement at another instant needs to
/// know.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Calendar {
    /// Ends of the etcd CA and the kubelet signer, ascending, each once.
    vital: Vec<End>,
    /// Ends of all others, ascending, each once.
    other: Vec<End>,
    /// When the half came that lies in its bucket alone.
    lone_since: Option<End>,
    /// When a certificate ends without which that backup cannot be restored that `cluster-restore.sh` would take in the place
    /// of this one.
    picked_until: Option<End>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
struct End(#[serde(with = "crate::instant")] DateTime<Utc>);

impl Calendar {
    /// Of the certificates that count, and what is known of a half alone.
    pub(super) fn new(counted: Vec<&Certificate>, lone_since: Option<DateTime<Utc>>) -> Self {
        let (vital, other) = counted
            .into_iter()
            .partition(|certificate| role(certificate).is_vital());
        Self {
            vital: ends(vital),
            other: ends(other),
            lone_since: lone_since.map(End),
            picked_until: None,
        }
    }

    /// Of a backup in whose place `cluster-restore.sh` would take one that can be restored until then.
    #[must_use]
    pub(crate) fn beside(self, picked_until: Option<DateTime<Utc>>) -> Self {
        Self {
            picked_until: picked_until.map(End),
            ..self
        }
    }

    /// When the first one ends without which nothing can be restored.
    pub fn vital_until(&self) -> Option<DateTime<Utc>> {
        self.vital.first().map(|end| end.0)
    }

    /// Code and severity of each finding that [`judge`](super::judge) makes at `as_of`, where some are `accepted`, of a backup
    /// that has the `lasting` ones at the beginning of time.
    pub fn marks(
        &self,
        lasting: &[(Code, Severity)],
        as_of: DateTime<Utc>,
        accepted: &[Code],
    ) -> Vec<(Code, Severity)> {
        let has_ended = |end: &End| end.0 < as_of;
        let is_pick_spent = self.picked_until.as_ref().is_some_and(has_ended)
            && !accepted.contains(&Code::CertificateExpired);
        let lone_since = self.lone_since.as_ref();
        let is_expected = lone_since.is_some_and(|since| arrival::is_expected(since.0, as_of));
        let lasting = lasting.iter().map(|mark| match mark {
            (code, _) if is_expected && arrival::is_absence(*code) => arrival::MARK,
            (Code::RestorePicksOther, Severity::Info) if is_pick_spent => {
                (Code::RestorePicksOther, Severity::Warning)
            }
            mark => *mark,
        });
        lasting.chain(self.expired(as_of)).collect()
    }

    /// Those on certificates.
    fn expired(&self, as_of: DateTime<Utc>) -> impl Iterator<Item = (Code, Severity)> {
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
        set.map(|(_, code, severity)| (code, severity))
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
    let groups = by_end_and_subject(certificates);
    let count = u64::try_from(groups.len()).unwrap_or(u64::MAX);
    let listed: Vec<String> = groups.iter().take(LISTED).filter_map(line).collect();
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
    let mut names: Vec<(&str, DateTime<Utc>)> = certificates
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
            let count = several.len();
            let lines = several
                .iter()
                .map(|(name, at)| format!("{name} on {}", day(*at)));
            format!("{count} {noun} {verb}: {}", first_few(lines, NAMED))
        }
    }
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

/// Certificates that share end and subject, those that end first in front.
type Groups<'c> = BTreeMap<(DateTime<Utc>, &'c str), Vec<&'c Certificate>>;

fn by_end_and_subject<'c>(certificates: &[&'c Certificate]) -> Groups<'c> {
    let mut groups = Groups::new();
    for certificate in certificates {
        groups
            .entry((certificate.not_after, &certificate.subject))
            .or_default()
            .push(certificate);
    }
    groups
}

/// The subject, the first place and how many more, and the date.
fn line(
    ((not_after, subject), group): (&(DateTime<Utc>, &str), &Vec<&Certificate>),
) -> Option<String> {
    let first = group.first()?;
    let more = match group.len() {
        1 => String::new(),
        2 => " and 1 other place".to_owned(),
        count => format!(" and {} other places", count - 1),
    };
    Some(format!(
        "{subject} at {}{more} on {}",
        first.place,
        rfc3339_seconds(*not_after)
    ))
}
