//! Documents about more than one backup, and about what was done.

use super::{API_VERSION, BackupView};
use crate::output::{StageRun, text};
use chrono::{DateTime, Utc};
use etcd_cat::backup::Verdict;
use etcd_cat::discovery::Skipped;
use etcd_cat::restore::{Plan, RestoreCheck, Step};
use etcd_cat::selection::{NearMiss, Outcome, Selected};
use etcd_cat::survey::Survey;
use serde::Serialize;

/// `kind: BackupList`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupListView {
    api_version: &'static str,
    kind: &'static str,
    items: Vec<BackupView>,
}

impl BackupListView {
    /// The shown backups, in the order shown.
    pub(crate) fn new(shown: &[Selected], now: DateTime<Utc>) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "BackupList",
            items: items(shown, now),
        }
    }
}

fn items(shown: &[Selected], now: DateTime<Utc>) -> Vec<BackupView> {
    shown
        .iter()
        .map(|one| BackupView::selected(one, now))
        .collect()
}

/// `kind: VerifyReport`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VerifyReportView {
    api_version: &'static str,
    kind: &'static str,
    items: Vec<BackupView>,
    summary: SummaryView,
    skipped: Vec<SkippedView>,
}

/// How many of the shown backups came to which verdict, and how much was read for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct SummaryView {
    pub(crate) valid: u64,
    pub(crate) warning: u64,
    pub(crate) invalid: u64,
    pub(crate) unknown: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// A file that was left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SkippedView {
    path: String,
    reason: String,
}

impl VerifyReportView {
    /// What a survey found, as selected.
    pub(crate) fn new(survey: &Survey, outcome: &Outcome, now: DateTime<Utc>) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "VerifyReport",
            items: items(&outcome.shown, now),
            summary: SummaryView::new(survey, &outcome.shown),
            skipped: survey.skipped.iter().map(SkippedView::new).collect(),
        }
    }
}

impl SummaryView {
    /// Counts the shown backups.
    pub(crate) fn new(survey: &Survey, shown: &[Selected]) -> Self {
        let mut summary = Self {
            files: survey.files,
            bytes: survey.bytes,
            ..Self::default()
        };
        for one in shown {
            let count = match one.backup.verdict {
                Verdict::Valid => &mut summary.valid,
                Verdict::Warning => &mut summary.warning,
                Verdict::Invalid => &mut summary.invalid,
                Verdict::Unknown => &mut summary.unknown,
            };
            *count = count.saturating_add(1);
        }
        summary
    }
}

impl SkippedView {
    fn new(skipped: &Skipped) -> Self {
        Self {
            path: text::path(&skipped.id),
            reason: skipped.reason.clone(),
        }
    }
}

/// `kind: RestoreCheck`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RestoreCheckView {
    api_version: &'static str,
    kind: &'static str,
    target: TargetView,
    restorable: bool,
    chosen: Option<BackupView>,
    candidates: Vec<CandidateView>,
    near_misses: Vec<NearMissView>,
    plan: Vec<String>,
    steps: Vec<RestoreStepView>,
    warnings: Vec<String>,
    space_needed_bytes: Option<u64>,
}

/// One step of a restore.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct RestoreStepView {
    command: Option<String>,
    text: String,
}

fn commands(plan: Option<&Plan>) -> Vec<String> {
    let steps = plan.into_iter().flat_map(|plan| &plan.steps);
    steps.filter_map(|step| step.command.clone()).collect()
}

fn steps(plan: Option<&Plan>) -> Vec<RestoreStepView> {
    let steps = plan.into_iter().flat_map(|plan| &plan.steps);
    let view = |step: &Step| RestoreStepView {
        command: step.command.clone(),
        text: step.text.clone(),
    };
    steps.map(view).collect()
}

fn warnings(plan: Option<&Plan>) -> Vec<String> {
    plan.map_or_else(Vec::new, |plan| plan.warnings.clone())
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct TargetView {
    version: String,
    cluster: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct CandidateView {
    id: Option<String>,
    reasons_against: Vec<String>,
}

/// What does not qualify and why, in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct NearMissView {
    id: Option<String>,
    path: Option<String>,
    alike: usize,
    text: String,
}

impl NearMissView {
    fn new(miss: &NearMiss<'_>) -> Self {
        let backup = &miss.selected.backup;
        Self {
            id: backup.id(),
            path: backup.path().map(text::path),
            alike: miss.alike,
            text: miss.text.clone(),
        }
    }
}

impl RestoreCheckView {
    /// The answer of the check.
    pub(crate) fn new(check: &RestoreCheck, now: DateTime<Utc>) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "RestoreCheck",
            target: TargetView {
                version: check.version.to_string(),
                cluster: check.cluster.clone(),
            },
            restorable: check.chosen.is_some(),
            chosen: check
                .chosen
                .as_ref()
                .map(|chosen| BackupView::selected(chosen, now)),
            candidates: check.candidates.iter().map(CandidateView::new).collect(),
            near_misses: check.near_misses().iter().map(NearMissView::new).collect(),
            plan: commands(check.plan.as_ref()),
            steps: steps(check.plan.as_ref()),
            warnings: warnings(check.plan.as_ref()),
            space_needed_bytes: check.plan.as_ref().map(|plan| plan.space_needed_bytes),
        }
    }
}

impl CandidateView {
    fn new(candidate: &Selected) -> Self {
        let reasons = candidate.reasons_against.iter().flatten();
        Self {
            id: candidate.backup.id(),
            reasons_against: reasons.map(|one| one.code().to_owned()).collect(),
        }
    }
}

/// `kind: StageRun`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StageRunView {
    api_version: &'static str,
    kind: &'static str,
    id: Option<String>,
    directory: String,
    files: Vec<String>,
    plan: Vec<String>,
    steps: Vec<RestoreStepView>,
    warnings: Vec<String>,
}

impl StageRunView {
    /// What was staged.
    pub(crate) fn new(run: &StageRun<'_>) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "StageRun",
            id: run.backup.id(),
            directory: text::path(&run.staged.directory),
            files: run.files().map(text::path).collect(),
            plan: commands(run.plan.as_ref()),
            steps: steps(run.plan.as_ref()),
            warnings: warnings(run.plan.as_ref()),
        }
    }
}
