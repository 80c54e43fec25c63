//! The pre-restore check: the answer first, then the pair, the plan, and what came near.

use super::difference::DifferenceAnswer;
use super::findings::findings;
use super::list;
use super::table::{self, Column};
use super::text::{safe, safe_path};
use super::units::{count, minute, size, span};
use super::verify::{files, headline};
use super::views::RestoreCheckView;
use super::words::{ABSENT, coloured, why_chosen};
use super::wrap::paragraph;
use super::{Answer, Style, name};
use chrono::TimeDelta;
use etcd_cat::backup::{Backup, Verdict};
use etcd_cat::finding::Severity;
use etcd_cat::inspect::Differences;
use etcd_cat::restore::{Alternative, Plan, RestoreCheck};
use etcd_cat::selection::Selected;
use serde::Serialize;

/// Backups that do not qualify and are shown nevertheless; all of them when details are asked for.
const NEAR_MISSES: usize = 10;
/// The same where there is a better answer.
const NEAR_MISSES_BESIDE_A_CHOICE: usize = 3;
/// Kinds that are told of what is lost.
const LOST_KINDS: usize = 8;
/// Others that qualify and are shown.
const ALTERNATIVES: usize = 5;

/// The choice, and what it loses.
#[derive(Debug)]
pub(crate) struct CheckAnswer<'c> {
    pub(crate) check: &'c RestoreCheck,
    /// What the newest backup of the cluster has instead, where that was asked for.
    pub(crate) difference: Option<&'c Differences>,
}

impl Answer for CheckAnswer<'_> {
    fn document(&self, style: &Style) -> impl Serialize {
        RestoreCheckView::new(self.check, self.difference, style.now)
    }

    fn names(&self) -> Vec<String> {
        let chosen = self.check.chosen.iter();
        chosen.filter_map(|one| name(&one.backup)).collect()
    }

    fn page(&self, style: &Style) -> String {
        let mut text = page(self.check, style);
        if let Some(differences) = self.difference {
            let answer = DifferenceAnswer {
                differences,
                has_names: false,
            };
            text.push_str(&format!(
                "\nFROM THE CHOICE TO THE NEWEST BACKUP OF THE CLUSTER\n{}",
                answer.page(style)
            ));
        }
        text
    }
}

fn page(check: &RestoreCheck, style: &Style) -> String {
    let mut text = match &check.chosen {
        Some(chosen) => yes(chosen, check, style),
        None => no(check, style),
    };
    text.push_str(&alternatives(check, style));
    text.push_str(&misses(check, style));
    if let Some(plan) = &check.plan {
        text.push('\n');
        text.push_str(&restore_plan(plan, style));
    }
    if let Some(line) = loss_line(check) {
        text.push_str(&format!("\n{}\n", safe(&line)));
    }
    text
}

/// What is lost against the newest backup of the cluster, in one line.
pub(super) fn loss_line(check: &RestoreCheck) -> Option<String> {
    let loss = check.loss()?;
    let chosen = &check.chosen.as_ref()?.backup;
    if loss.is_newest {
        return Some(
            "Nothing newer is known of this cluster: what was written since is lost.".to_owned(),
        );
    }
    let (id, newest) = (list::id(chosen), list::id(loss.newest));
    let against = format!("Against the newest backup of the cluster, {newest}");
    let more = format!("etcd-cat diff {id} {newest} tells which");
    let Some(kinds) = loss.kinds else {
        return Some(format!(
            "{against}: what differs is not known, for kinds were not counted when it was read; {more}."
        ));
    };
    if kinds.is_empty() {
        return Some(format!(
            "{against}: as many objects of every kind; {more} changed."
        ));
    }
    let of = |is_lost: bool| -> Vec<String> {
        let kinds = kinds
            .iter()
            .filter(|one| (one.newest > one.chosen) == is_lost);
        kinds
            .map(|one| format!("{} {}", one.chosen.abs_diff(one.newest), one.resource))
            .collect()
    };
    let parts = [("lost", of(true)), ("brought back", of(false))].map(|(word, kinds)| {
        let shown = kinds
            .iter()
            .take(LOST_KINDS)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        match kinds.len() {
            0 => None,
            all if all > LOST_KINDS => Some(format!("{word}: {shown} and more")),
            _ => Some(format!("{word}: {shown}")),
        }
    });
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    Some(format!("{against}, {}; {more}.", parts.join("; ")))
}

/// What else qualifies, newest first.
fn alternatives(check: &RestoreCheck, style: &Style) -> String {
    let others = check.alternatives();
    if others.is_empty() {
        return String::new();
    }
    let shown = others.get(..style.at_most(ALTERNATIVES)).unwrap_or(&others);
    let each =
        |cell: fn(&Alternative<'_>) -> String| -> Vec<String> { shown.iter().map(cell).collect() };
    let columns = vec![
        Column::fixed("  ID", 0, each(|one| format!("  {}", list::id(one.backup)))),
        Column::fixed(
            "VERDICT",
            2,
            each(|one| one.backup.verdict.as_str().to_owned()),
        ),
        Column::fixed("TAKEN", 0, each(|one| list::taken(one.backup))),
        Column::fixed("THAN THE CHOICE", 0, each(difference)),
        Column::wrapping("RISKS", 0, each(risks)),
    ];
    let mut text = format!("\nALSO QUALIFY\n{}", table::render(columns, style));
    let more = others.len().saturating_sub(shown.len());
    if more > 0 {
        text.push_str(&format!(
            "  and {more} more: etcd-cat list --valid-for {}\n",
            check.version
        ));
    }
    text
}

fn difference(alternative: &Alternative<'_>) -> String {
    match alternative.newer_by {
        None => ABSENT.to_owned(),
        Some(by) if by < TimeDelta::zero() => format!("{} older", span(by.abs())),
        Some(by) => format!("{} newer", span(by)),
    }
}

fn risks(alternative: &Alternative<'_>) -> String {
    let risks: Vec<&str> = alternative.risks.iter().map(|code| code.as_str()).collect();
    if risks.is_empty() {
        return ABSENT.to_owned();
    }
    risks.join(", ")
}

/// Why each of the others fails, nearest first.
fn misses(check: &RestoreCheck, style: &Style) -> String {
    let misses = check.near_misses();
    if misses.is_empty() {
        return elsewhere(check, style);
    }
    let mut text = String::from("\nDOES NOT QUALIFY, NEAREST FIRST\n");
    let shown = style.at_most(match check.chosen {
        Some(_) => NEAR_MISSES_BESIDE_A_CHOICE,
        None => NEAR_MISSES,
    });
    for miss in misses.iter().take(shown) {
        let alike = match miss.alike {
            1 => String::new(),
            several => format!(" ({several} backups, the newest:)"),
        };
        let line = format!("{}{alike}", safe(&miss.text));
        text.push_str(&paragraph("  ", &line, style.width));
        text.push_str(&format!(
            "      {}\n",
            whereabouts(&miss.selected.backup, style)
        ));
        if style.is_verbose {
            let reasons = miss.selected.reasons_against.iter().flatten();
            let reasons: Vec<String> = reasons.map(ToString::to_string).collect();
            let first = "      against: ";
            text.push_str(&paragraph(first, &safe(&reasons.join(", ")), style.width));
        }
    }
    let others = misses.len().saturating_sub(shown);
    if others > 0 {
        text.push_str(&format!(
            "  and {others} more: etcd-cat list --all --valid-for {}\n",
            check.version
        ));
    }
    text.push_str(&elsewhere(check, style));
    text
}

/// Other clusters are one line.
fn elsewhere(check: &RestoreCheck, style: &Style) -> String {
    let elsewhere = &check.elsewhere;
    if elsewhere.backups == 0 {
        return String::new();
    }
    let clusters = elsewhere.clusters.iter();
    let names: Vec<&str> = clusters
        .filter_map(|one| one.name.as_deref().or(one.id.as_deref()))
        .collect();
    let backups = u64::try_from(elsewhere.backups).unwrap_or(u64::MAX);
    let line = if names.is_empty() {
        format!("{} of no known cluster", count(backups, "other backup"))
    } else {
        format!(
            "{} of other clusters: {}",
            count(backups, "backup"),
            names.join(", ")
        )
    };
    paragraph("  ", &safe(&line), style.width)
}

fn whereabouts(backup: &Backup, style: &Style) -> String {
    let mut parts = Vec::new();
    if backup.id().is_some() {
        parts.extend([list::id(backup), list::cluster(backup)]);
    }
    if backup.taken_at.is_some() {
        parts.push(format!("{} ago", list::age_of(backup, style)));
    }
    parts.extend(backup.path().map(safe_path));
    parts.join("  ")
}

fn target(check: &RestoreCheck) -> String {
    match &check.cluster {
        Some(cluster) => format!("{} of cluster {}", check.version, safe(cluster)),
        None => check.version.to_string(),
    }
}

fn yes(chosen: &Selected, check: &RestoreCheck, style: &Style) -> String {
    let backup = &chosen.backup;
    let yes = coloured("YES", Verdict::Valid, style);
    let mut text = format!("{yes}: {}{}\n", list::id(backup), moment(check));
    let read = match backup.kuberesources {
        Some(_) => "Both files were read to the last byte for this answer.",
        None => "The snapshot was read to the last byte for this answer.",
    };
    let line = format!("It restores {}. {read}", target(check));
    text.push_str(&paragraph("", &line, style.width));
    if let Some(why) = &check.why_chosen {
        let line = format!("Why this one: {}.", why_chosen(why));
        text.push_str(&paragraph("", &line, style.width));
    }
    text.push('\n');
    text.push_str(&headline(backup, style));
    text.push_str(&files(backup));
    text.push_str(&findings(backup, Severity::Warning, style));
    text
}

/// When it was taken, and what that costs.
fn moment(check: &RestoreCheck) -> String {
    let chosen = check.chosen.as_ref();
    let Some(taken_at) = chosen.and_then(|one| one.backup.taken_at) else {
        return ", taken at an unknown time".to_owned();
    };
    let lost = check.lost.filter(|lost| *lost >= TimeDelta::zero());
    let lost = lost.map_or_else(String::new, |lost| {
        format!(" ({} of changes are lost)", span(lost))
    });
    format!(", taken {}{lost}", minute(taken_at))
}

/// The plan of a restore: what to know first, then the steps with their commands.
pub(crate) fn restore_plan(plan: &Plan, style: &Style) -> String {
    let mut text = String::from("BEFORE YOU RESTORE\n");
    for warning in &plan.warnings {
        text.push_str(&paragraph("  - ", warning, style.width));
    }
    if !plan.steps.is_empty() {
        let space = format!(
            "Have {} free below /var of the recovery host.",
            size(plan.space_needed_bytes)
        );
        text.push_str(&paragraph("  - ", &space, style.width));
        text.push_str("\nTO RESTORE IT\n");
    }
    for (index, step) in plan.steps.iter().enumerate() {
        let number = format!("  {}. ", index.saturating_add(1));
        let what = format!("{}: {}", safe(&step.place), safe(&step.text));
        text.push_str(&paragraph(&number, &what, style.width));
        if let Some(command) = &step.command {
            // Commands are there to be copied: one line each.
            text.push_str(&format!("       {}\n", safe(command)));
        }
    }
    text
}

fn no(check: &RestoreCheck, style: &Style) -> String {
    let no = coloured("NO", Verdict::Invalid, style);
    let looked_at = match check.candidates.len() {
        0 => "there is no backup to judge".to_owned(),
        1 => "the only backup does not qualify".to_owned(),
        several => format!("none of {several} backups qualifies"),
    };
    let place = "index or name the directories that hold backups: etcd-cat check --valid-for VERSION LOCATION";
    let mut text = format!("{no}: {looked_at} for {}\n", target(check));
    if check.candidates.is_empty() {
        text.push_str(&paragraph("", place, style.width));
    }
    let all_other_version = check.candidates.iter().all(Selected::is_other_version_only);
    if !check.candidates.is_empty() && all_other_version {
        let hint = "the backups are sound, but a cluster is restored only from a backup of its own version; \
                    say the version that the cluster had when it died";
        text.push_str(&paragraph("", hint, style.width));
    }
    text
}
