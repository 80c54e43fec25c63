//! The words that tables share: verdicts in colour, findings in short, missing values.

use super::Style;
use super::text::safe;
use anstyle::AnsiColor;
use etcd_cat::backup::{Backup, Verdict};
use etcd_cat::finding::{Finding, Severity};
use etcd_cat::selection::Candidate;

/// Stands for a value that is not known.
pub(super) const ABSENT: &str = "-";

/// The colour of a verdict; the word itself carries the meaning.
fn colour_of(verdict: Verdict) -> anstyle::Style {
    let colour = match verdict {
        Verdict::Valid => AnsiColor::Green,
        Verdict::Warning => AnsiColor::Yellow,
        Verdict::Invalid => AnsiColor::Red,
        Verdict::Unknown => AnsiColor::Magenta,
    };
    colour.on_default().bold()
}

/// A word in the colour of a verdict, when colours are wanted.
pub(super) fn coloured(word: &str, verdict: Verdict, style: &Style) -> String {
    if !style.is_coloured {
        return word.to_owned();
    }
    let colour = colour_of(verdict);
    format!("{colour}{word}{colour:#}")
}

/// The verdict of a word, if it is one.
pub(super) fn verdict_at_start(text: &str) -> Option<Verdict> {
    let all = [
        Verdict::Valid,
        Verdict::Warning,
        Verdict::Invalid,
        Verdict::Unknown,
    ];
    all.into_iter().find(|verdict| {
        let rest = text.strip_prefix(verdict.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

/// Text of the backup's own making, or the sign that there is none.
pub(super) fn or_absent(text: Option<&str>) -> String {
    match text {
        Some("") | None => ABSENT.to_owned(),
        Some(text) => safe(text).into_owned(),
    }
}

/// What a finding counts as in this run.
pub(super) fn weight(finding: &Finding, backup: &Backup) -> &'static str {
    match finding.severity {
        _ if backup.accepted.contains(&finding.code) => "accepted",
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// Codes of all errors and warnings, errors first, and of the rest when details are asked for; accepted ones in
/// parentheses.
pub(super) fn finding_codes(backup: &impl Candidate, style: &Style) -> Vec<String> {
    let marks = backup.marks();
    let told = marks
        .iter()
        .filter(|mark| style.is_verbose || mark.1 > Severity::Info);
    let mut codes: Vec<String> = Vec::new();
    for (code, _) in told {
        let code = if backup.accepted().contains(code) {
            format!("({code})")
        } else {
            code.to_string()
        };
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}
