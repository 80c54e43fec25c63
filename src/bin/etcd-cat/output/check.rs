//! The pre-restore check: the answer first, then the pair, the plan, and what came near.

use super::findings::findings;
use super::list;
use super::text::{safe, safe_path};
use super::units::size;
use super::verify::{files, headline};
use super::views::RestoreCheckView;
use super::words::coloured;
use super::wrap::paragraph;
use super::{Answer, Style, name};
use etcd_cat::backup::{Backup, Verdict};
use etcd_cat::finding::Severity;
use etcd_cat::restore::{Plan, RestoreCheck};
use etcd_cat::selection::Selected;
use serde::Serialize;

/// Backups that do not qualify and are shown nevertheless; all of them when details are asked for.
const NEAR_MISSES: usize = 10;

impl Answer for RestoreCheck {
    fn document(&self, style: &Style) -> impl Serialize {
        RestoreCheckView::new(self, style.now)
    }

    fn names(&self) -> Vec<String> {
        let chosen = self.chosen.iter();
        chosen.filter_map(|one| name(&one.backup)).collect()
    }

    fn page(&self, style: &Style) -> String {
        page(self, style)
    }
}

fn page(check: &RestoreCheck, style: &Style) -> String {
    let mut text = match &check.chosen {
        Some(chosen) => yes(chosen, check, style),
        None => no(check, style),
    };
    text.push_str(&misses(check, style));
    text
}

/// Why each of the others fails, nearest first.
fn misses(check: &RestoreCheck, style: &Style) -> String {
    let misses = check.near_misses();
    if misses.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nDOES NOT QUALIFY, NEAREST FIRST\n");
    let shown = style.at_most(NEAR_MISSES);
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
    text
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
    let id = list::id(backup);
    let yes = coloured("YES", Verdict::Valid, style);
    let mut text = format!("{yes}: backup {id} qualifies for {}\n", target(check));
    text.push_str(match backup.kuberesources {
        Some(_) => "Both files were read to the last byte for this answer.\n\n",
        None => "The snapshot was read to the last byte for this answer.\n\n",
    });
    text.push_str(&headline(backup, style));
    text.push_str(&files(backup));
    text.push_str(&findings(backup, Severity::Warning, style));
    if let Some(plan) = &check.plan {
        text.push('\n');
        text.push_str(&restore_plan(plan, style));
    }
    text
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
        text.push_str(&paragraph(&number, &step.text, style.width));
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
