//! Documents about more than one backup, and about what was done.

use super::difference::DifferenceSummaryView;
use super::restore_choice::RestoreChoiceView;
use super::{API_VERSION, BackupView};
use crate::output::locations::problem;
use crate::output::{Format, Style, json, text, words};
use chrono::{DateTime, Utc};
use etcd_cat::backup::{Backup, Verdict};
use etcd_cat::discovery::Skipped;
use etcd_cat::finding::Code;
use etcd_cat::inspect::Differences;
use etcd_cat::instant::rfc3339_seconds;
use etcd_cat::parallel;
use etcd_cat::restore::{Alternative, Elsewhere, KindLoss, Loss, Plan, RestoreCheck, Staged, Step};
use etcd_cat::selection::{NearMiss, Outcome, Selected};
use etcd_cat::survey::{LocationProblem, News, SearchedLocation, Survey};
use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use std::io;

/// `kind: BackupList`, of `list`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupListView<'s> {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `BackupList`.
    kind: &'static str,
    /// The backups selected, the newest first.
    items: Backups<'s>,
}

impl<'s> BackupListView<'s> {
    /// The shown backups, in the order shown.
    pub(crate) fn new(shown: &'s [Selected], style: &Style) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "BackupList",
            items: Backups {
                shown,
                style: *style,
            },
        }
    }
}

/// Backups that become a [`BackupView`] some at a time, as they are written: all of them would take more than what is
/// known of them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Backups<'s> {
    shown: &'s [Selected],
    style: Style,
}

/// As many are rendered by one thread before they are written.
const RENDERED: usize = 32;
/// And by all threads.
const IN_MEMORY: usize = 1024;
/// How deep they stand in the document.
const DEPTH: usize = 2;

impl Serialize for Backups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = |one| BackupView::selected(one, self.style.now);
        if self.style.format != Format::Json || self.shown.len() <= RENDERED {
            return serializer.collect_seq(self.shown.iter().map(view));
        }
        let mut list = serializer.serialize_seq(Some(self.shown.len()))?;
        for some in self.shown.chunks(IN_MEMORY) {
            let rendered = parallel::share(some.chunks(RENDERED), |(), piece| {
                let rendered = piece.iter().map(|one| json::rendered(&view(one), DEPTH));
                rendered.collect::<io::Result<Vec<_>>>()
            });
            for piece in rendered {
                let piece = piece.map_err(S::Error::custom)?;
                piece
                    .iter()
                    .try_for_each(|one| list.serialize_element(one))?;
            }
        }
        list.end()
    }
}

/// `kind: VerifyReport`, of `verify` and `index`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VerifyReportView<'s> {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `VerifyReport`.
    kind: &'static str,
    /// The backups selected, the newest first.
    items: Backups<'s>,
    /// Counts.
    summary: SummaryView,
    /// Files that were left out.
    skipped: Vec<SkippedView>,
    /// What was searched.
    locations: Vec<LocationView>,
    /// What is another than before.
    changes: ChangesView,
    /// What `cluster-restore.sh` would take, for each directory that was read.
    restore_choices: Vec<RestoreChoiceView>,
    /// What of the catalogue was not as it was written.
    catalogue_damage: Vec<String>,
}

/// What was searched, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct LocationView {
    /// Where.
    path: String,
    /// Backups found there, whole or in part.
    backups: usize,
    /// Why it is no good answer: `missing`, `unreadable`, `empty`, `no-backup` or `other-file-system`.
    problem: Option<&'static str>,
    /// The same in words.
    message: Option<String>,
}

/// What is another than before: each backup by id and path.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct ChangesView {
    /// None of their content was known.
    new: Vec<ReferenceView>,
    /// Known, and now with other files or another verdict.
    changed: Vec<ReferenceView>,
    /// Their files were removed since the last run: told once.
    gone: Vec<ReferenceView>,
}

/// Which backup.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct ReferenceView {
    /// Its id.
    id: Option<String>,
    /// The place that stands for it.
    path: Option<String>,
}

/// How many of the shown backups came to which verdict, and how much was read for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct SummaryView {
    /// Backups of this verdict.
    pub(crate) valid: u64,
    /// Backups of this verdict.
    pub(crate) warning: u64,
    /// Backups of this verdict.
    pub(crate) invalid: u64,
    /// Backups of this verdict.
    pub(crate) unknown: u64,
    /// Files read.
    pub(crate) files: u64,
    /// Bytes read.
    pub(crate) bytes: u64,
}

/// A file that was left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SkippedView {
    /// Where it lies.
    path: String,
    /// What it is: `unreadable`, `missing`, `dead-link`, `not-a-file`, `put-aside`, `archived`, `not-a-backup`, `encrypted`,
    /// `packed-otherwise`, `part-of-split`, `repository`, `other-product`, `resource-fork`, `error-page`, `pointer`,
    /// `text-mode-damage` or `text`.
    kind: &'static str,
    /// Why, in words.
    reason: String,
    /// What to do about it.
    remedy: String,
}

impl<'s> VerifyReportView<'s> {
    /// What a survey found, as selected.
    pub(crate) fn new(survey: &Survey, outcome: &'s Outcome, style: &Style) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "VerifyReport",
            items: Backups {
                shown: &outcome.shown,
                style: *style,
            },
            summary: SummaryView::new(survey, &outcome.shown),
            skipped: survey.skipped.iter().map(SkippedView::new).collect(),
            locations: survey.locations.iter().map(LocationView::new).collect(),
            changes: ChangesView::new(survey, outcome),
            catalogue_damage: survey.catalogue_damage.clone(),
            restore_choices: survey
                .restore_choices
                .iter()
                .map(RestoreChoiceView::new)
                .collect(),
        }
    }
}

impl LocationView {
    fn new(searched: &SearchedLocation) -> Self {
        Self {
            path: text::path(&searched.id),
            backups: searched.backups,
            problem: searched.problem.map(LocationProblem::as_str),
            message: problem(searched),
        }
    }
}

impl ChangesView {
    fn new(survey: &Survey, outcome: &Outcome) -> Self {
        let of = |news| {
            let shown = outcome.shown.iter().map(|one| &one.backup);
            let of = shown.filter(|backup| survey.news.of(backup) == Some(news));
            of.map(ReferenceView::new).collect()
        };
        Self {
            new: of(News::New),
            changed: of(News::Changed),
            gone: survey.gone.iter().map(ReferenceView::new).collect(),
        }
    }
}

impl ReferenceView {
    fn new(backup: &Backup) -> Self {
        Self {
            id: backup.id(),
            path: backup.path().map(text::path),
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
            kind: skipped.kind.as_str(),
            reason: skipped.reason.clone(),
            remedy: skipped.remedy().to_owned(),
        }
    }
}

/// `kind: RestoreCheck`, of `check`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RestoreCheckView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `RestoreCheck`.
    kind: &'static str,
    /// What is to be restored.
    target: TargetView,
    /// Whether a backup qualifies.
    restorable: bool,
    /// The backup to use; null when none qualifies.
    chosen: Option<BackupView>,
    /// Why that one, in a sentence.
    why_chosen: Option<String>,
    /// How much time is lost by restoring it.
    lost_seconds: Option<i64>,
    /// The others that qualify, the newest first.
    alternatives: Vec<AlternativeView>,
    /// What of the cluster does not qualify, the nearest first.
    near_misses: Vec<NearMissView>,
    /// The way through, in order.
    steps: Vec<RestoreStepView>,
    /// What to mind before.
    warnings: Vec<String>,
    /// Room that the recovery host needs; null without a plan.
    space_needed_bytes: Option<u64>,
    /// All of the cluster that were looked at, the chosen one included, the newest first.
    candidates: Vec<CandidateView>,
    /// The commands of `steps`.
    plan: Vec<String>,
    /// What is of other clusters.
    elsewhere: ElsewhereView,
    /// What is lost against the newest backup of the cluster; null without a choice.
    loss: Option<LossView>,
    /// The same object by object, from the chosen backup to the newest one; null without `--diff`, and where they are one.
    difference: Option<DifferenceSummaryView>,
}

/// The newest backup of the cluster, and of which kinds it does not have as many objects as the chosen one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct LossView {
    /// Id of the newest backup.
    newest_id: Option<String>,
    /// When that was taken.
    newest_taken_at: Option<String>,
    /// Whether the chosen one is the newest.
    chosen_is_newest: bool,
    /// Kinds, the largest difference first; null when they were not counted in both.
    kinds: Option<Vec<KindLossView>>,
}

/// A kind of which both backups do not have as many.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct KindLossView {
    /// `plural.group`, or the plural alone.
    resource: String,
    /// Objects in the chosen backup.
    chosen: u64,
    /// Objects in the newest one.
    newest: u64,
}

impl LossView {
    fn new(loss: &Loss<'_>) -> Self {
        let kind = |kind: &KindLoss| KindLossView {
            resource: kind.resource.clone(),
            chosen: kind.chosen,
            newest: kind.newest,
        };
        let kinds = loss.kinds.as_ref();
        Self {
            newest_id: loss.newest.id(),
            newest_taken_at: loss.newest.taken_at.map(rfc3339_seconds),
            chosen_is_newest: loss.is_newest,
            kinds: kinds.map(|kinds| kinds.iter().map(kind).collect()),
        }
    }
}

/// Another backup that qualifies.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct AlternativeView {
    /// Its id.
    id: Option<String>,
    /// When it was taken.
    taken_at: Option<String>,
    /// How much newer than the chosen one it is; negative: older.
    newer_by_seconds: Option<i64>,
    /// What speaks against it.
    risks: Vec<Code>,
}

/// Backups of other clusters, which are not told one by one.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct ElsewhereView {
    /// How many.
    backups: usize,
    /// Of which clusters.
    clusters: Vec<String>,
}

/// One step of a restore.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct RestoreStepView {
    /// What it is for.
    text: String,
    /// A command line; null when something is to be done by hand.
    command: Option<String>,
    /// Where: this machine, the recovery host, the others, or a terminal with oc.
    r#where: String,
}

fn commands(plan: Option<&Plan>) -> Vec<String> {
    let steps = plan.into_iter().flat_map(|plan| &plan.steps);
    steps.filter_map(|step| step.command.clone()).collect()
}

fn steps(plan: Option<&Plan>) -> Vec<RestoreStepView> {
    let steps = plan.into_iter().flat_map(|plan| &plan.steps);
    let view = |step: &Step| RestoreStepView {
        text: step.text.clone(),
        command: step.command.clone(),
        r#where: step.place.clone(),
    };
    steps.map(view).collect()
}

fn warnings(plan: Option<&Plan>) -> Vec<String> {
    plan.map_or_else(Vec::new, |plan| plan.warnings.clone())
}

/// What is to be restored.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct TargetView {
    /// OpenShift version.
    version: String,
    /// As it was asked for; null when any will do.
    cluster: Option<String>,
}

/// A backup that was considered.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct CandidateView {
    /// Of the backup.
    id: Option<String>,
    /// Codes, as in `reasonsAgainst` of a backup.
    reasons_against: Vec<String>,
}

/// What does not qualify and why, in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct NearMissView {
    /// Of the newest such backup.
    id: Option<String>,
    /// Where it lies.
    path: Option<String>,
    /// How many backups fail for the same reason.
    alike: usize,
    /// The reason in words.
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
    pub(crate) fn new(
        check: &RestoreCheck,
        difference: Option<&Differences>,
        now: DateTime<Utc>,
    ) -> Self {
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
            why_chosen: check.why_chosen.as_ref().map(words::why_chosen),
            lost_seconds: check.lost.map(|lost| lost.num_seconds()),
            alternatives: check
                .alternatives()
                .iter()
                .map(AlternativeView::new)
                .collect(),
            near_misses: check.near_misses().iter().map(NearMissView::new).collect(),
            steps: steps(check.plan.as_ref()),
            warnings: warnings(check.plan.as_ref()),
            space_needed_bytes: check.plan.as_ref().map(|plan| plan.space_needed_bytes),
            candidates: check.candidates.iter().map(CandidateView::new).collect(),
            plan: commands(check.plan.as_ref()),
            elsewhere: ElsewhereView::new(&check.elsewhere),
            loss: check.loss().as_ref().map(LossView::new),
            difference: difference.map(DifferenceSummaryView::new),
        }
    }
}

impl AlternativeView {
    fn new(alternative: &Alternative<'_>) -> Self {
        Self {
            id: alternative.backup.id(),
            taken_at: alternative.backup.taken_at.map(rfc3339_seconds),
            newer_by_seconds: alternative.newer_by.map(|by| by.num_seconds()),
            risks: alternative.risks.clone(),
        }
    }
}

impl ElsewhereView {
    fn new(elsewhere: &Elsewhere) -> Self {
        let clusters = elsewhere.clusters.iter();
        Self {
            backups: elsewhere.backups,
            clusters: clusters.map(ToString::to_string).collect(),
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

/// `kind: StageRun`, of `stage`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StageRunView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `StageRun`.
    kind: &'static str,
    /// Of the backup that was staged.
    id: Option<String>,
    /// Where the pair was put.
    directory: String,
    /// What was written there.
    files: Vec<String>,
    /// The commands of `steps`.
    plan: Vec<String>,
    /// What remains to be done, in order.
    steps: Vec<RestoreStepView>,
    /// What to mind before.
    warnings: Vec<String>,
}

impl StageRunView {
    /// What was staged.
    pub(crate) fn new(backup: &Backup, staged: &Staged, plan: Option<&Plan>) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "StageRun",
            id: backup.id(),
            directory: text::path(&staged.directory),
            files: staged.files().map(text::path).collect(),
            plan: commands(plan),
            steps: steps(plan),
            warnings: warnings(plan),
        }
    }
}
