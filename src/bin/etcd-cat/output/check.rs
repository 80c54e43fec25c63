//! The pre-restore check: the answer first, then the pair, the plan, and what came near.

use super::list::table;
use super::text::safe;
use super::verify::{files, findings, headline};
use super::views::RestoreCheckView;
use super::words::coloured;
use super::wrap::paragraph;
use super::{Look, document, names};
use crate::args::Format;
use crate::error::Failure;
use crate::restore_check::RestoreCheck;
use etcd_cat::backup::Verdict;
use etcd_cat::finding::Severity;
use etcd_cat::restore::Plan;
use etcd_cat::selection::Selected;

/// Backups that do not qualify and are shown nevertheless.
const NEAR_MISSES: usize = 10;

/// Renders the check.
pub(crate) fn render(check: &RestoreCheck, look: &Look) -> Result<String, Failure> {
    match look.format {
        Format::Json | Format::Yaml => {
            document::render(&RestoreCheckView::new(check, look.now), look.format)
        }
        Format::Name => Ok(names(check.chosen.iter().map(|one| &one.backup))),
        Format::Table | Format::Wide => Ok(page(check, look)),
    }
}

fn page(check: &RestoreCheck, look: &Look) -> String {
    let mut text = match &check.chosen {
        Some(chosen) => yes(chosen, check, look),
        None => no(check, look),
    };
    let misses: Vec<Selected> = check
        .candidates
        .iter()
        .filter(|one| !one.qualifies())
        .take(NEAR_MISSES)
        .cloned()
        .collect();
    if !misses.is_empty() {
        text.push_str("\nDOES NOT QUALIFY\n");
        text.push_str(&table(&misses, look));
    }
    text
}

fn target(check: &RestoreCheck) -> String {
    match &check.cluster {
        Some(cluster) => format!("{} of cluster {}", check.version, safe(cluster)),
        None => check.version.to_string(),
    }
}

fn yes(chosen: &Selected, check: &RestoreCheck, look: &Look) -> String {
    let backup = &chosen.backup;
    let id = super::list::id(backup);
    let yes = coloured("YES", Verdict::Valid, look);
    let mut text = format!("{yes}: backup {id} qualifies for {}\n\n", target(check));
    text.push_str(&headline(backup, look));
    text.push_str(&files(backup));
    text.push_str(&findings(backup, look, Severity::Warning));
    if let Some(plan) = &check.plan {
        text.push('\n');
        text.push_str(&restore_plan(plan, look));
    }
    text
}

/// The plan of a restore: what to know first, then the steps with their commands.
pub(crate) fn restore_plan(plan: &Plan, look: &Look) -> String {
    let mut text = String::from("BEFORE YOU RESTORE\n");
    for warning in &plan.warnings {
        text.push_str(&paragraph("  - ", warning, look.width));
    }
    if !plan.steps.is_empty() {
        text.push_str("\nTO RESTORE IT\n");
    }
    for (index, step) in plan.steps.iter().enumerate() {
        let number = format!("  {}. ", index.saturating_add(1));
        text.push_str(&paragraph(&number, &step.text, look.width));
        if let Some(command) = &step.command {
            // Commands are there to be copied: one line each.
            text.push_str(&format!("       {}\n", safe(command)));
        }
    }
    text
}

fn no(check: &RestoreCheck, look: &Look) -> String {
    let no = coloured("NO", Verdict::Invalid, look);
    let looked_at = match check.candidates.len() {
        0 => "there is no backup to judge".to_owned(),
        1 => "the only backup does not qualify".to_owned(),
        several => format!("none of {several} backups qualifies"),
    };
    let mut text = format!("{no}: {looked_at} for {}\n", target(check));
    let all_other_version = check.candidates.iter().all(Selected::is_other_version_only);
    if !check.candidates.is_empty() && all_other_version {
        let hint = "the backups are sound, but a cluster is restored only from a backup of its own version; \
                    say the version that the cluster had when it died";
        text.push_str(&paragraph("", hint, look.width));
    }
    text
}
