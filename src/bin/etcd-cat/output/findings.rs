//! Findings for reading: what, what to do, and, when all details are asked for, the evidence.

use super::Style;
use super::text::safe;
use super::words::weight;
use super::wrap::paragraph;
use etcd_cat::backup::Backup;
use etcd_cat::finding::{Code, Evidence, Finding, Severity};
use std::collections::BTreeSet;

/// Under the text of a finding.
const INDENT: &str = "           ";

/// Findings of at least this severity, most severe first; all of them when details are asked for. Advice is told apart.
pub(super) fn findings(backup: &Backup, least: Severity, style: &Style) -> String {
    findings_once(backup, least, &mut BTreeSet::new(), style)
}

/// The same; what to do is told once for each code, for all backups of one answer.
pub(super) fn findings_once(
    backup: &Backup,
    least: Severity,
    remedied: &mut BTreeSet<Code>,
    style: &Style,
) -> String {
    let told_before = remedied.clone();
    let is_told = |finding: &&Finding| {
        !finding.is_advice() && (style.is_verbose || finding.severity >= least)
    };
    let mut findings: Vec<&Finding> = backup.findings.iter().filter(is_told).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
        .into_iter()
        .map(|one| {
            remedied.insert(one.code);
            finding(one, backup, told_before.contains(&one.code), style)
        })
        .collect()
}

/// Everything that a backup's filing has to be told, with what to do.
pub(super) fn advice(backup: &Backup, style: &Style) -> String {
    let told = |finding| advice_line(finding, &safe(&finding.message), style);
    backup.advice().map(told).collect()
}

/// One piece of advice, in these words.
pub(super) fn advice_line(finding: &Finding, words: &str, style: &Style) -> String {
    let what = format!("{}: {words}", finding.code);
    let mut text = paragraph("  advice   ", &what, style.width);
    let first = format!("{INDENT}to do: ");
    text.push_str(&paragraph(&first, &safe(&finding.remedy), style.width));
    text
}

fn finding(finding: &Finding, backup: &Backup, is_remedied: bool, style: &Style) -> String {
    let weight = weight(finding, backup);
    let what = format!("{}: {}", finding.code, safe(&finding.message));
    let mut text = paragraph(&format!("  {weight:<8} "), &what, style.width);
    let is_to_be_done = style.is_verbose || (finding.severity > Severity::Info && !is_remedied);
    if !finding.remedy.is_empty() && is_to_be_done {
        let first = format!("{INDENT}to do: ");
        text.push_str(&paragraph(&first, &safe(&finding.remedy), style.width));
    }
    if style.is_verbose {
        for (name, evidence) in finding.evidence.iter() {
            let first = format!("{INDENT}{}: ", safe(name));
            text.push_str(&paragraph(&first, &safe(&words(evidence)), style.width));
        }
    }
    text
}

fn words(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Text(text) => text.clone(),
        Evidence::Number(number) => number.to_string(),
        Evidence::List(names) => names.join(", "),
    }
}
