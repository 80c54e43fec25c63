//! From the question whether a backup is due to one that is verified and remembered.

use super::due::{self, DueOptions};
use super::examine::examine;
use super::remember::remember;
use super::report::TakeReport;
use crate::catalogue::Catalogue;
use crate::monitor::Monitor;
use crate::oc::{self, BackupFailure, BackupOptions, BackupTask, Oc, OcError, RunOutcome};
use crate::survey;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct TakeOptions {
    /// How it is taken, and where it goes.
    pub backup: BackupOptions,
    /// Under what condition.
    pub due: DueOptions,
    /// `--dry-run`: only plan it.
    pub is_dry_run: bool,
    /// How it is verified. Depth and accepted codes are ours to say.
    pub survey: survey::SurveyOptions,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError {
    /// It was not begun: the cluster could not be asked, or something speaks against it.
    #[error(transparent)]
    NotBegun(#[from] OcError),
    /// It was begun and broke off; something may be left in the cluster.
    #[error(transparent)]
    BrokenOff(#[from] Box<BackupFailure>),
}

/// Takes a backup, unless there is no need or it is only to be planned.
///
/// # Errors
/// There is no backup under a final name. One that is there and cannot be remembered is no error.
pub fn take(
    oc: &Oc,
    catalogue: &Catalogue,
    options: TakeOptions,
    monitor: &dyn Monitor,
) -> Result<TakeReport, TakeError> {
    let TakeOptions {
        backup,
        due,
        is_dry_run,
        survey,
    } = options;
    if let Some(reason) = due::needless(oc, catalogue, due, &backup, &survey, monitor)? {
        return Ok(TakeReport::skipped(reason));
    }
    let is_clean = backup.task == BackupTask::Clean;
    let plan = oc::plan(oc, backup, survey.as_of, monitor)?;
    if is_dry_run {
        return Ok(TakeReport::planned(&plan));
    }
    for reason in &plan.forced {
        monitor.note(&format!("overridden: {reason}"));
    }
    if is_clean {
        return Ok(TakeReport::cleaned(&plan, &oc::clean(oc, &plan, monitor)?));
    }
    let mut examined = None;
    let run = oc::run(oc, &plan, monitor, &mut |run| {
        let (verification, found) = examine(run, &survey, monitor);
        examined = found;
        verification
    });
    let run = match run {
        Err(failure) if failure.is_already_here() => {
            return Ok(TakeReport::skipped(failure.to_string()));
        }
        run => run?,
    };
    Ok(match examined {
        Some(examined) if run.outcome == RunOutcome::Verified => {
            remember(run, examined, catalogue, &survey)
        }
        examined => TakeReport::rejected(run, examined.map(|found| found.backup)),
    })
}
