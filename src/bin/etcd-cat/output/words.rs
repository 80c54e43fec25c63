//! The words that tables share: verdicts in colour, findings in short, missing values.

use super::Style;
use super::text::safe;
use super::units;
use anstyle::AnsiColor;
use etcd_cat::backup::{Backup, Verdict};
use etcd_cat::finding::{Code, Finding, Severity};
use etcd_cat::selection::{Candidate, WhyChosen};
use std::borrow::Cow;

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

/// Why a backup is recommended, in one sentence.
pub(super) fn why_chosen(why: &WhyChosen) -> String {
    match why {
        WhyChosen::Only { risks } if risks.is_empty() => "the only one that qualifies".to_owned(),
        WhyChosen::Only { risks } => {
            format!("the only one that qualifies, in spite of {}", codes(risks))
        }
        WhyChosen::Newest => "the newest that qualifies, and without a risk".to_owned(),
        WhyChosen::AsItLies { risks } => {
            let why = "the newest that is usable as it lies: what was saved of others has to be staged first";
            if risks.is_empty() {
                why.to_owned()
            } else {
                format!("{why}; it is chosen in spite of {}", codes(risks))
            }
        }
        WhyChosen::NewestClean { newest_by, risks } => format!(
            "the newest without a risk; the newest that qualifies is {} newer but has {}",
            units::span(*newest_by),
            codes(risks)
        ),
        WhyChosen::CleanTooOld {
            older_by,
            limit,
            risks,
        } => format!(
            "the newest that qualifies, in spite of {}: the newest without a risk is {}, which is more than \
             --prefer-clean {} allows",
            codes(risks),
            older_by.map_or_else(
                || "of unknown age".to_owned(),
                |by| format!("{} older", units::span(by))
            ),
            units::age(*limit)
        ),
        WhyChosen::NoneClean { risks } => format!(
            "the newest that qualifies, in spite of {}: none is without a risk",
            codes(risks)
        ),
    }
}

fn codes(codes: &[Code]) -> String {
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    codes.join(", ")
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
pub(super) fn finding_codes(backup: &impl Candidate, style: &Style) -> Vec<Cow<'static, str>> {
    let marks = backup.marks();
    let told = marks
        .iter()
        .filter(|mark| style.is_verbose || mark.1 > Severity::Info);
    let mut codes: Vec<Cow<'static, str>> = Vec::new();
    for (code, _) in told {
        let code = if backup.accepted().contains(code) {
            Cow::Owned(format!("({code})"))
        } else {
            Cow::Borrowed(code.as_str())
        };
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

/// How many there are of each verdict, the best first; those that there are none of are left out.
pub(super) fn by_verdict(verdicts: impl Iterator<Item = Verdict>) -> String {
    let verdicts: Vec<Verdict> = verdicts.collect();
    let all = [
        Verdict::Valid,
        Verdict::Warning,
        Verdict::Invalid,
        Verdict::Unknown,
    ];
    let words = all.into_iter().filter_map(|verdict| {
        let number = verdicts.iter().filter(|one| **one == verdict).count();
        (number > 0).then(|| format!("{number} {}", verdict.as_str()))
    });
    words.collect::<Vec<_>>().join(", ")
}
