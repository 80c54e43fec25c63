//! From the question whether a backup is due to one that is verified and remembered.

use super::deliver::{Carrier, Parcel};
use super::destination::Destination;
use super::due::{self, DueOptions};
use super::examine::{Examined, examine, read, taken};
use super::left_here;
use super::remember::{recalled, record};
use super::report::{TakeOutcome, TakeReport};
use super::work_directory::{LeftDirectory, Taken, WorkDirectory};
use crate::catalogue::Catalogue;
use crate::monitor::Monitor;
use crate::oc::{self, BackupFailure, BackupOptions, BackupTask, Oc, OcError, RunOutcome};
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
    let is_clean = backup.task == BackupTask::Clean;
    let destinations: Vec<Destination> = to.into_iter().chain(also).collect();
    let is_all_here = destinations.iter().all(Destination::is_here);
    let mut work = (!is_all_here).then(|| {
        let root = work_directory.unwrap_or_else(|| oc::own_directory("work"));
        WorkDirectory::new(&root, crate::instant::now())
    });
    if let Some(to) = destinations.first() {
        let aside = work.as_ref().map_or(Path::new(""), WorkDirectory::path);
        let here = |place: &ObjectId| place.as_path().unwrap_or(aside).to_owned();
        backup.to = here(&to.snapshot);
        backup.keys_to = Some(here(&to.kuberesources)).filter(|keys| *keys != backup.to);
    }
    if let Some(work) = work.as_ref().filter(|_| !is_dry_run && !is_clean) {
        if backup.task == BackupTask::Resume
            && let Some(left) = left_here::resumable(work.root())
        {
            return resume(left, &destinations, &survey, catalogue, monitor);
        }
        left_here::tidy(work.root(), &survey.stores, monitor);
        can_be_written(destinations.first(), &survey.stores)?;
    }
    let mut plan = oc::plan(oc, backup, survey.as_of, monitor)?;
    if is_dry_run {
        return Ok(TakeReport::planned(&plan, &destinations));
    }
    for reason in &plan.forced {
        monitor.note(&format!("overridden: {reason}"));
    }
    if is_clean {
        let removed = oc::clean(oc, &mut plan, monitor)?;
        return Ok(TakeReport::cleaned(&plan, &removed));
    }
    if let Some(work) = &mut work {
        work.make()?;
    }
    let mut examined = None;
    let run = oc::run(oc, &plan, monitor, &mut |run| {
        let (verification, found) = examine(run, &survey, monitor);
        examined = found;
        verification
    });
    let run = match run {
        Err(failure) if failure.is_already_here() => {
            return Ok(finish(
                TakeReport::skipped(failure.to_string()),
                work,
                monitor,
            ));
        }
        run => run.inspect_err(|_| tell_files(work.as_ref(), monitor))?,
    };
    Ok(match examined {
        Some(examined) if run.outcome == RunOutcome::Verified => {
            let carrier = Carrier {
                survey: &survey,
                work: work.as_ref(),
                monitor,
                may_be_there: run.policy.is_some(),
            };
            let report = hand_over(&taken(&run), examined, &destinations, &carrier, catalogue);
            finish(report.of(run), work, monitor)
        }
        examined => TakeReport::rejected(run, examined.map(|found| found.backup)),
    })
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

/// Brings a backup that an earlier run had verified here to its destination. The cluster has no part in it.
fn resume(
    (left, taken): (LeftDirectory, Taken),
    destinations: &[Destination],
    survey: &SurveyOptions,
    catalogue: &Catalogue,
    monitor: &dyn Monitor,
) -> Result<TakeReport, TakeError> {
    let shown = left.path.display();
    monitor.note(&format!(
        "verifying what an earlier run had verified in {shown}"
    ));
    left_here::give_up(&left, &survey.stores, monitor);
    let work = left.take_up();
    let examined = read(&taken, survey, monitor).map_err(OcError::NotVerified)?;
    if !examined.backup.verdict.is_usable() {
        let reason = format!(
            "{}: it is no longer what was verified",
            taken.snapshot.display()
        );
        return Err(OcError::NotVerified(reason).into());
    }
    let carrier = Carrier {
        survey,
        work: Some(&work),
        monitor,
        may_be_there: true,
    };
    let report = hand_over(&taken, examined, destinations, &carrier, catalogue);
    Ok(finish(report, Some(work), monitor))
}

/// Brings it to each destination, and remembers it wherever it is proven to lie. Each succeeds or fails on its own.
fn hand_over(
    taken: &Taken,
    examined: Examined,
    destinations: &[Destination],
    carrier: &Carrier<'_>,
    catalogue: &Catalogue,
) -> TakeReport {
    let Examined { backup, contents } = examined;
    if let Some(work) = carrier.work {
        // Without it the next run says less of the files, and cannot go on with them.
        let _ = work.verified(taken.clone());
    }
    let parcel = Parcel {
        snapshot: &taken.snapshot,
        kuberesources: &taken.kuberesources,
        contents: &contents,
    };
    let (mut deliveries, mut unremembered, mut shown) = (Vec::new(), None, None);
    for destination in destinations {
        let arrived = carrier.deliver(&parcel, destination);
        let ids = arrived.delivery.ids();
        if let Some(contents) = &arrived.contents {
            match record(taken, &ids, contents, catalogue) {
                Ok(()) => {
                    let [snapshot, _] = &ids;
                    shown.get_or_insert_with(|| snapshot.clone());
                }
                Err(error) => unremembered = unremembered.or(Some(error)),
            }
        }
        deliveries.push(arrived.delivery);
    }
    let shown = shown.and_then(|id| recalled(taken, &id, catalogue, carrier.survey));
    let is_nowhere = deliveries.iter().all(|one| one.failure.is_some());
    TakeReport {
        outcome: if is_nowhere {
            TakeOutcome::Undelivered
        } else {
            TakeOutcome::Taken
        },
        node: Some(taken.provenance.node.clone()),
        forced: taken.provenance.forced.clone(),
        backup: Some(shown.unwrap_or(backup)),
        deliveries,
        catalogue: unremembered,
        ..TakeReport::default()
    }
}

/// The files here go once the backup is proven to lie at every destination, and never before.
fn finish(
    mut report: TakeReport,
    work: Option<WorkDirectory>,
    monitor: &dyn Monitor,
) -> TakeReport {
    let Some(work) = work else {
        return report;
    };
    let is_everywhere = report.deliveries.iter().all(|one| one.failure.is_none());
    let path = work.path().to_owned();
    if is_everywhere {
        if let Err(error) = work.remove() {
            monitor.note(&format!("{error}: {}; remove it", error.source));
            report.kept = Some(path);
        }
    } else if !work.files().is_empty() {
        report.kept = Some(path);
    }
    report
}
