//! What the findings come to.

use crate::backup::{Backup, Verdict};
use crate::finding::{Code, Finding, Severity};

/// The verdict; accepted codes do not count, but no acceptance brings a file back.
pub fn verdict(findings: &[Finding], accepted: &[Code]) -> Verdict {
    let marks = findings
        .iter()
        .map(|finding| (finding.code, finding.severity));
    verdict_of(marks, accepted)
}

/// The same from the codes and severities of the findings.
pub(crate) fn verdict_of(
    marks: impl Iterator<Item = (Code, Severity)> + Clone,
    accepted: &[Code],
) -> Verdict {
    let is_unverified = marks.clone().any(|(code, _)| leaves_unverified(code));
    let counted = marks.filter(|(code, _)| !accepted.contains(code) && !leaves_unverified(*code));
    let worst = counted.map(|(_, severity)| severity).max();
    match worst {
        Some(Severity::Error) => Verdict::Invalid,
        _ if is_unverified => Verdict::Unknown,
        Some(Severity::Warning) => Verdict::Warning,
        Some(Severity::Info) | None => Verdict::Valid,
    }
}

/// The codes of those that count against a backup, in the order of the marks.
pub(crate) fn errors(
    marks: impl Iterator<Item = (Code, Severity)>,
    accepted: &[Code],
) -> impl Iterator<Item = Code> {
    let counted =
        marks.filter(|(code, severity)| *severity == Severity::Error && !accepted.contains(code));
    counted.map(|(code, _)| code)
}

/// The verdict on a backup whose file was written since: what was proven of it holds no more, nor that it can be mended.
pub(crate) fn verdict_when_rewritten(before: Verdict, is_mended: bool) -> Verdict {
    match before {
        Verdict::Invalid if !is_mended => Verdict::Invalid,
        _ => Verdict::Unknown,
    }
}

/// Puts findings that were made after the judgement in front, and judges again.
pub(crate) fn add_findings(backup: &mut Backup, findings: impl IntoIterator<Item = Finding>) {
    backup.findings.splice(0..0, findings);
    backup.verdict = verdict(&backup.findings, &backup.accepted);
}

/// Findings that say nothing bad about the bytes: they could not be looked at, or not all of them are there yet.
fn leaves_unverified(code: Code) -> bool {
    matches!(
        code,
        Code::FileMissing | Code::Unreadable | Code::StillArriving
    )
}

/// Most severe first, then in the order of the contract, then by text.
pub(super) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let by_severity = b.severity.cmp(&a.severity);
        by_severity
            .then_with(|| a.code.cmp(&b.code))
            .then_with(|| a.message.cmp(&b.message))
    });
}

/// The codes of `accept` that some finding has, ascending.
pub(super) fn accepted(findings: &[Finding], accept: &[Code]) -> Vec<Code> {
    let mut codes: Vec<Code> = accept.to_vec();
    codes.retain(|code| findings.iter().any(|finding| finding.code == *code));
    codes.sort_unstable();
    codes.dedup();
    codes
}
