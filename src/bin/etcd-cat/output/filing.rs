//! How the backups that were read are filed: advice, each piece of it once, and what `cluster-restore.sh` would take.

use super::Style;
use super::findings::advice_line;
use super::text::{safe, safe_path};
use super::units::count;
use super::wrap::paragraph;
use etcd_cat::finding::{Code, Finding};
use etcd_cat::judgement::{ChoiceOutcome, RestoreChoice};
use etcd_cat::selection::Outcome;
use etcd_cat::source::ObjectId;
use etcd_cat::survey::Survey;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Directories told of in which the script would take a whole, usable backup; all of them when details are asked for.
const SHOWN_DIRECTORIES: usize = 5;

/// The section on filing; empty where there is nothing to say.
pub(super) fn section(survey: &Survey, outcome: &Outcome, style: &Style) -> String {
    let mut text = choices(&survey.restore_choices, style);
    text.push_str(&advice(outcome, style));
    if text.is_empty() {
        return text;
    }
    format!("ADVICE\n{text}\n")
}

/// What the script would take from each directory, harm first.
fn choices(choices: &BTreeMap<PathBuf, RestoreChoice>, style: &Style) -> String {
    let (harmful, others): (Vec<_>, Vec<_>) =
        choices.iter().partition(|(_, choice)| choice.is_harmful());
    let shown = style.at_most(SHOWN_DIRECTORIES);
    let more = others.len().saturating_sub(shown);
    let told = harmful.into_iter().chain(others.into_iter().take(shown));
    let mut text: String = told
        .map(|(directory, choice)| paragraph("  ", &sentence(directory, choice), style.width))
        .collect();
    if more > 0 {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        let line = format!(
            "in {} more it would join no two halves and take nothing that is invalid (-v names them)",
            directories(more)
        );
        text.push_str(&paragraph("  ", &line, style.width));
    }
    text
}

fn directories(number: u64) -> String {
    match number {
        1 => "1 directory".to_owned(),
        _ => format!("{number} directories"),
    }
}

fn sentence(directory: &Path, choice: &RestoreChoice) -> String {
    let name = |path: &Option<PathBuf>| {
        let name = path.as_deref().and_then(Path::file_name);
        name.map(|name| safe(&name.display().to_string()).into_owned())
    };
    let directory = safe_path(ObjectId::from(directory));
    let mut taken: Vec<String> = [&choice.snapshot, &choice.kuberesources]
        .into_iter()
        .filter_map(name)
        .collect();
    if choice.kuberesources.is_none() {
        taken.push("no kuberesources, and stop half way".to_owned());
    }
    let what = match &choice.outcome {
        ChoiceOutcome::Nothing => String::new(),
        ChoiceOutcome::Unknown => ", which were not both read".to_owned(),
        ChoiceOutcome::Mixture => ": halves of two backups".to_owned(),
        ChoiceOutcome::Backup { id, verdict } => format!(
            ": backup {} ({})",
            id.as_deref().unwrap_or_default(),
            verdict.as_str()
        ),
    };
    format!(
        "cluster-restore.sh {directory} would take {}{what}",
        taken.join(" and ")
    )
}

/// Each piece of advice once, with how many backups it is for.
fn advice(outcome: &Outcome, style: &Style) -> String {
    let mut by_code: BTreeMap<Code, Vec<&Finding>> = BTreeMap::new();
    for selected in &outcome.shown {
        for finding in selected.backup.advice() {
            // Told for each directory.
            if finding.code != Code::RestorePicksOther {
                by_code.entry(finding.code).or_default().push(finding);
            }
        }
    }
    let told = by_code.values().filter_map(|findings| {
        let (first, others) = findings.split_first()?;
        let mut words = safe(&first.message).into_owned();
        let more = u64::try_from(others.len()).unwrap_or(u64::MAX);
        if more > 0 {
            words.push_str(&format!("; so it is with {} more", count(more, "backup")));
        }
        Some(advice_line(first, &words, style))
    });
    told.collect()
}
