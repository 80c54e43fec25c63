//! From the question whether a backup is due to one that is verified and remembered.

use super::deliver::Carrier;
use super::destination::Destination;
use super::due::{self, DueOptions};
use super::examine::{examine, taken};
use super::hand_over::{finish, hand_over, resume};
use super::left_here;
use super::report::TakeReport;
use super::work_directory::WorkDirectory;
use crate::catalogue::Catalogue;
use crate::monitor::Monitor;
use crate::oc::{
    self, BackupFailure, BackupOptions, BackupPlan, BackupTask, Oc, OcError, RunOutcome,
};
use crate::source::{AtPath as _, IoError, ObjectId, Store as _, Stores};
use crate::survey::SurveyOptions;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Under this name it is asked whether anything can be written at a destination. Nothing is ever seen under it.
const PROBE: &str = "etcd-cat-probe";

/// What is asked for.
#[derive(Clone, Debug)]
pub struct TakeOptions {
    /// How it is taken. Where it goes is ours to say.
    pub backup: BackupOptions,
    /// Where it goes; only cleaning needs no destination.
    pub to: Option<Destination>,
    /// Where it goes as well.
    pub also: Vec<Destination>,
    /// In which directory it lies until it is proven to lie elsewhere; `None`: beside the default catalogue.
    pub work_directory: Option<PathBuf>,
    /// Under what condition.
    pub due: DueOptions,
    /// `--dry-run`: only plan it.
    pub is_dry_run: bool,
    /// How it is verified. Depth and accepted codes are ours to say.
    pub survey: SurveyOptions,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError {
    /// It was not begun: the cluster could not be asked, or something speaks against it.
    #[error(transparent)]
    NotBegun(#[from] OcError),
    /// It was not begun: there is nowhere to put it.
    #[error(transparent)]
    Destination(#[from] IoError),
    /// It was begun and broke off; something may be left in the cluster.
    #[error(transparent)]
    BrokenOff(#[from] Box<BackupFailure>),
}

/// Takes a backup, unless there is no need or it is only to be planned.
///
/// # Errors
/// There is no verified backup. One that is there and cannot be remembered, or did not reach each of its destinations, is no
/// error: the report says so.
pub fn take(
    oc: &Oc,
    catalogue: &Catalogue,
    options: TakeOptions,
    monitor: &dyn Monitor,
) -> Result<TakeReport, TakeError> {
    let TakeOptions {
        mut backup,
        to,
        also,
        work_directory,
        due,
        is_dry_run,
        survey,
    } = options;
    if let Some(reason) = due::needless(oc, catalogue, due, &backup, &survey, monitor)? {
        return Ok(TakeReport::skipped(reason));
    }
    let task = backup.task;
    let destinations: Vec<Destination> = to.into_iter().chain(also).collect();
    let work = work_for(&destinations, work_directory);
    put_down(&mut backup, destinations.first(), work.as_ref());
    let errand = Errand {
        oc,
        catalogue,
        destinations: &destinations,
        survey: &survey,
        monitor,
    };
    if let Some(work) = work.as_ref()
        && !is_dry_run
        && task != BackupTask::Clean
        && let Some(report) = errand.see_to_what_is_here(work, task)?
    {
        return Ok(report);
    }
    let plan = oc::plan(oc, backup, survey.as_of, monitor)?;
    if is_dry_run {
        return Ok(TakeReport::planned(&plan, &destinations));
    }
    for reason in &plan.forced {
        monitor.note(&format!("overridden: {reason}"));
    }
    match task {
        BackupTask::Clean => errand.clean(plan),
        _ => errand.bring(&plan, work),
    }
}

/// Where it lies until it is proven to lie in a bucket; `None` where it comes to directories alone.
fn work_for(destinations: &[Destination], root: Option<PathBuf>) -> Option<WorkDirectory> {
    let is_all_here = destinations.iter().all(Destination::is_here);
    (!is_all_here).then(|| {
        let root = root.unwrap_or_else(|| oc::own_directory("work"));
        WorkDirectory::new(&root, crate::instant::now())
    })
}

/// Where the files are put when they come from the host.
fn put_down(backup: &mut BackupOptions, to: Option<&Destination>, work: Option<&WorkDirectory>) {
    let Some(to) = to else {
        return;
    };
    let aside = work.map_or(Path::new(""), WorkDirectory::path);
    let here = |place: &ObjectId| place.as_path().unwrap_or(aside).to_owned();
    backup.to = here(&to.snapshot);
    backup.keys_to = Some(here(&to.kuberesources)).filter(|keys| *keys != backup.to);
}

/// One call of [`take`].
struct Errand<'e> {
    oc: &'e Oc,
    catalogue: &'e Catalogue,
    destinations: &'e [Destination],
    survey: &'e SurveyOptions,
    monitor: &'e dyn Monitor,
}

impl Errand<'_> {
    /// What earlier runs left on this machine. `--resume` goes on with it before anything is asked of the cluster.
    fn see_to_what_is_here(
        &self,
        work: &WorkDirectory,
        task: BackupTask,
    ) -> Result<Option<TakeReport>, TakeError> {
        if task == BackupTask::Resume
            && let Some(left) = left_here::resumable(work.root())
        {
            let report = resume(
                left,
                self.destinations,
                self.survey,
                self.catalogue,
                self.monitor,
            )?;
            return Ok(Some(report));
        }
        left_here::tidy(work.root(), &self.survey.stores, self.monitor);
        can_be_written(self.destinations.first(), &self.survey.stores)?;
        Ok(None)
    }

    /// Removes what earlier runs left in the cluster.
    fn clean(&self, mut plan: BackupPlan) -> Result<TakeReport, TakeError> {
        let removed = oc::clean(self.oc, &mut plan, self.monitor)?;
        Ok(TakeReport::cleaned(&plan, &removed))
    }

    /// Brings it here, proves it, and hands it over.
    fn bring(
        &self,
        plan: &BackupPlan,
        mut work: Option<WorkDirectory>,
    ) -> Result<TakeReport, TakeError> {
        if let Some(work) = &mut work {
            work.make()?;
        }
        let mut examined = None;
        let run = oc::run(self.oc, plan, self.monitor, &mut |run| {
            let (verification, found) = examine(run, self.survey, self.monitor);
            examined = found;
            verification
        });
        let run = match run {
            Err(failure) if failure.is_already_here() => {
                let report = TakeReport::skipped(failure.to_string());
                return Ok(finish(report, work, self.monitor));
            }
            run => run.inspect_err(|_| tell_files(work.as_ref(), self.monitor))?,
        };
        let Some(examined) = examined else {
            return Ok(TakeReport::rejected(run, None));
        };
        if run.outcome != RunOutcome::Verified {
            return Ok(TakeReport::rejected(run, Some(examined.backup)));
        }
        let carrier = Carrier {
            survey: self.survey,
            work: work.as_ref(),
            monitor: self.monitor,
            may_be_there: run.policy.is_some(),
        };
        let report = hand_over(
            &taken(&run),
            examined,
            self.destinations,
            &carrier,
            self.catalogue,
        );
        Ok(finish(report.of(run), work, self.monitor))
    }
}

/// What cannot be written to is told before the cluster is touched. Directories of this machine are looked at by the run.
fn can_be_written(to: Option<&Destination>, stores: &Stores) -> Result<(), IoError> {
    let places = to.into_iter().flat_map(Destination::places);
    for place in places.filter(|place| place.as_path().is_none()) {
        let probe = place.join(OsStr::new(PROBE));
        stores.try_to_create(&probe).at_path("write to", place)?;
    }
    Ok(())
}

/// Where a run that broke off has left what it had brought here.
fn tell_files(work: Option<&WorkDirectory>, monitor: &dyn Monitor) {
    for path in work.iter().flat_map(|work| work.files()) {
        monitor.note(&format!("what was brought here lies at {}", path.display()));
    }
}
