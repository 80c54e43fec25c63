//! What a verification found: each backup with everything that is wrong, and what to do about it.

use super::digest::{by_cluster, by_finding};
use super::filing;
use super::findings::findings_once;
use super::list::{age_of, cluster, id, size_of, taken, version};
use super::locations::{problems, skipped};
use super::text::{safe, safe_path};
use super::units::{count, size};
use super::views::VerifyReportView;
use super::words::{by_verdict, coloured};
use super::wrap::paragraph;
use super::{Answer, Style, name};
use etcd_cat::backup::{Backup, Verdict};
use etcd_cat::finding::{Code, Severity};
use etcd_cat::pairing::evidence;
use etcd_cat::selection::{Candidate, Outcome, Reason, Selected};
use etcd_cat::source::ObjectId;
use etcd_cat::survey::Survey;
use serde::Serialize;
use std::borrow::Borrow;
use std::collections::BTreeSet;

/// What a survey found, as selected.
#[derive(Debug)]
pub(crate) struct VerifyReport<S, O> {
    /// What was read.
    pub(crate) survey: S,
    /// What of it is shown.
    pub(crate) outcome: O,
}

impl<S: Borrow<Survey>, O: Borrow<Outcome>> Answer for VerifyReport<S, O> {
    fn document(&self, style: &Style) -> impl Serialize {
        VerifyReportView::new(self.survey.borrow(), self.outcome.borrow(), style)
    }

    fn names(&self) -> Vec<String> {
        let shown = self.outcome.borrow().shown.iter();
        shown.filter_map(|one| name(&one.backup)).collect()
    }

    fn page(&self, style: &Style) -> String {
        report(self.survey.borrow(), self.outcome.borrow(), style)
    }
}

/// More backups than these are told in short.
pub(super) const MANY: usize = 5;
/// As many of those that cannot be used are shown whole.
const WHOLE: usize = 200;

fn report(survey: &Survey, outcome: &Outcome, style: &Style) -> String {
    let is_told = |one: &&Selected| {
        style.is_verbose || !survey.is_new_only || survey.news.of(&one.backup).is_some()
    };
    let told: Vec<&Selected> = outcome.shown.iter().filter(is_told).collect();
    let mut text = String::new();
    if told.len() > MANY && !style.is_verbose {
        text.push_str(&in_short(survey, &told, style));
    } else {
        for selected in told {
            text.push_str(&block(selected, &mut BTreeSet::new(), style));
            text.push('\n');
        }
    }
    let parts = [
        gone(survey, style),
        skipped(&survey.skipped, style),
        problems(survey, style),
    ];
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        text.push_str(&part);
        text.push('\n');
    }
    // How backups are filed is told with them, once.
    if survey.files > 0 || !survey.is_new_only || style.is_verbose {
        text.push_str(&filing::section(survey, outcome, style));
    }
    let shown = outcome.shown.iter().map(|one| one.backup.verdict);
    text.push_str(&summary(
        shown,
        survey.files,
        survey.bytes,
        survey.skipped.len(),
    ));
    text
}

/// How each cluster stands, what is bad or was asked for in full, and the rest by its findings.
fn in_short(survey: &Survey, told: &[&Selected], style: &Style) -> String {
    let is_asked = |backup: &Backup| {
        let places = backup.places();
        survey.locations.iter().any(|one| places.contains(&one.id))
    };
    let (mut whole, rest): (Vec<&Selected>, Vec<&Selected>) = told
        .iter()
        .partition(|one| !one.backup.verdict.is_usable() || is_asked(&one.backup));
    let more = whole.split_off(whole.len().min(WHOLE));
    let mut text = by_cluster(told, style);
    text.push('\n');
    let mut remedied = BTreeSet::new();
    for selected in whole {
        text.push_str(&block(selected, &mut remedied, style));
        text.push('\n');
    }
    text.push_str(&counted(&more, "more backup", style));
    text.push_str(&counted(&rest, "usable backup", style));
    text
}

/// How many there are, and what was found of them.
pub(super) fn counted<B: Candidate>(backups: &[&Selected<B>], what: &str, style: &Style) -> String {
    let found = by_finding(backups, style);
    if found.is_empty() {
        return String::new();
    }
    let backups = count(u64::try_from(backups.len()).unwrap_or(u64::MAX), what);
    format!("{backups}; -v shows each, etcd-cat explain CODE what to do\n{found}\n")
}

/// What somebody removed since the last run: told once.
fn gone(survey: &Survey, style: &Style) -> String {
    let mut text: String = survey
        .gone
        .iter()
        .map(|backup| {
            let path = backup.path().map(safe_path).unwrap_or_default();
            let taken = format!("taken {}", taken(backup));
            format!(
                "gone     {}  {}  {taken}  {path}\n",
                id(backup),
                cluster(backup)
            )
        })
        .collect();
    if !text.is_empty() {
        let hint = "their files were removed since the last run; this is told once: etcd-cat forget --missing drops the records";
        text.push_str(&paragraph("         ", hint, style.width));
    }
    text
}

/// One backup: a line, its files, its findings.
fn block(selected: &Selected, remedied: &mut BTreeSet<Code>, style: &Style) -> String {
    let backup = &selected.backup;
    let mut text = headline(backup, style);
    text.push_str(&files(backup));
    if style.is_verbose {
        for evidence in evidence(backup) {
            let first = format!("  {:<14} ", "pair");
            text.push_str(&paragraph(&first, &safe(&evidence), style.width));
        }
    }
    for reason in selected.reasons_against.iter().flatten() {
        if !matches!(reason, Reason::Finding(_)) {
            text.push_str(&paragraph(
                "  does not qualify: ",
                &safe(&reason.to_string()),
                style.width,
            ));
        }
    }
    text.push_str(&findings_once(backup, Severity::Warning, remedied, style));
    text
}

/// Verdict, id, version, cluster, time and size in one line; the path where nothing else is known.
pub(super) fn headline(backup: &Backup, style: &Style) -> String {
    let word = backup.verdict.as_str();
    let blanks = " ".repeat(7_usize.saturating_sub(word.len()));
    let verdict = format!("{}{blanks}", coloured(word, backup.verdict, style));
    if let (None, Some(path)) = (backup.id(), &backup.unreadable_path) {
        return format!("{verdict}  {}\n", safe_path(path));
    }
    let taken = match backup.taken_at {
        Some(_) => format!("{}  {} ago", taken(backup), age_of(backup, style)),
        None => "taken at an unknown time".to_owned(),
    };
    let identity = format!("{}  {}  {}", id(backup), version(backup), cluster(backup));
    format!("{verdict}  {identity}  {taken}  {}\n", size_of(backup))
}

/// The files of a backup, one line each.
pub(super) fn files(backup: &Backup) -> String {
    let mut text = String::new();
    let mut add = |label: &str, path: &ObjectId, note: &str| {
        text.push_str(&format!("  {label:<14} {}{note}\n", safe_path(path)));
    };
    let gone = |is_present: bool| {
        if is_present {
            ""
        } else {
            "  (no longer there)"
        }
    };
    if let Some(half) = &backup.snapshot {
        add("snapshot", &half.path, gone(half.is_present));
        half.copies.iter().for_each(|path| add("  copy", path, ""));
    }
    if let Some(half) = &backup.kuberesources {
        add("kuberesources", &half.path, gone(half.is_present));
        half.copies.iter().for_each(|path| add("  copy", path, ""));
    }
    if let (Some(_), Some(path)) = (backup.id(), &backup.unreadable_path) {
        add("file", path, "");
    }
    text
}

/// How many backups there are, and how much was read for it.
pub(super) fn summary(
    shown: impl ExactSizeIterator<Item = Verdict>,
    files: u64,
    bytes: u64,
    skipped: usize,
) -> String {
    let backups = u64::try_from(shown.len()).unwrap_or(u64::MAX);
    let verdicts = by_verdict(shown);
    let mut line = count(backups, "backup");
    if !verdicts.is_empty() {
        line = format!("{line}: {verdicts}");
    }
    line = format!("{line}; read {}, {}", count(files, "file"), size(bytes));
    if skipped > 0 {
        line = format!("{line}; {skipped} skipped");
    }
    line + "\n"
}
