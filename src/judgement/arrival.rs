//! A half that came to its bucket just now is not alone for good: most jobs upload one file after the other.
//!
//! Only a store that stamps what it receives says when that was. The time of a file is set by whoever copies it: a file that
//! is alone is told at once, as it always was.

use crate::backup::Backup;
use crate::finding::{Code, Finding, Severity};
use crate::instant::rfc3339_seconds;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

/// How long the other half may take.
const GRACE: TimeDelta = TimeDelta::minutes(15);

/// Code and severity of `still-arriving`.
pub(super) const MARK: (Code, Severity) = (Code::StillArriving, Severity::Info);

/// Is this what is said of a half alone?
pub(super) fn is_absence(code: Code) -> bool {
    matches!(code, Code::KuberesourcesMissing | Code::SnapshotMissing)
}

/// When the half of a backup came that lies there alone; `None` if there are two, or nothing is missing.
pub(super) fn lone_since(backup: &Backup) -> Option<DateTime<Utc>> {
    let arrived_at = match (&backup.snapshot, &backup.kuberesources) {
        (Some(half), None) => half.arrived_at,
        (None, Some(half)) => half.arrived_at,
        _ => None,
    };
    let is_missed = backup.findings.iter().any(|one| is_absence(one.code));
    arrived_at.filter(|_| is_missed)
}

/// May the other half be on its way, as of an instant? What comes from far ahead has a clock that nobody can go by.
pub(super) fn is_expected(arrived_at: DateTime<Utc>, as_of: DateTime<Utc>) -> bool {
    as_of.signed_duration_since(arrived_at).abs() < GRACE
}

/// Says `still-arriving` in the place of what would be missing.
pub(super) fn be_patient(backup: &mut Backup, as_of: DateTime<Utc>) {
    let Some(arrived_at) = lone_since(backup).filter(|at| is_expected(*at, as_of)) else {
        return;
    };
    let findings = std::mem::take(&mut backup.findings).into_iter();
    let told = findings.map(|finding| match is_absence(finding.code) {
        true => still_arriving(finding, arrived_at),
        false => finding,
    });
    backup.findings = told.collect();
}

fn still_arriving(absence: Finding, arrived_at: DateTime<Utc>) -> Finding {
    let until = arrived_at.checked_add_signed(GRACE).unwrap_or(arrived_at);
    let message = format!(
        "{}; this half came at {} UTC, and the other one may still be on its way",
        absence.message,
        arrived_at.format("%H:%M"),
    );
    // To the minute, and not too early.
    let full_minute = until.duration_round_up(TimeDelta::minutes(1));
    let after = full_minute.unwrap_or(until).format("%H:%M");
    let (code, severity) = MARK;
    let told = Finding {
        code,
        message,
        ..absence
    };
    told.severity(severity)
        .with("arrivedAt", rfc3339_seconds(arrived_at))
        .with("until", rfc3339_seconds(until))
        .remedy(format!("look again after {after} UTC"))
}
