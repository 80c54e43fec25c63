//! The last part of a run: a backup that was verified here goes to each destination and is remembered there.

use super::deliver::{Carrier, Parcel};
use super::destination::Destination;
use super::examine::{Examined, read};
use super::left_here;
use super::remember::{recalled, record};
use super::report::{TakeOutcome, TakeReport};
use super::work_directory::{LeftDirectory, Taken, WorkDirectory};
use crate::catalogue::Catalogue;
use crate::monitor::Monitor;
use crate::oc::OcError;
use crate::survey::SurveyOptions;

/// Brings a backup that an earlier run had verified here to its destination. The cluster has no part in it.
pub(super) fn resume(
    (left, taken): (LeftDirectory, Taken),
    destinations: &[Destination],
    survey: &SurveyOptions,
    catalogue: &Catalogue,
    monitor: &dyn Monitor,
) -> Result<TakeReport, OcError> {
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
        return Err(OcError::NotVerified(reason));
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
pub(super) fn hand_over(
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
pub(super) fn finish(
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
