//! Verifies what was brought here, in a catalogue of its own: the real one learns of it only when it is believed.

use crate::engine::Request;
use etcd_cat::backup::Backup;
use etcd_cat::catalogue::{Catalogue, CatalogueContents, CatalogueLocation};
use etcd_cat::discovery::Skipped;
use etcd_cat::finding::{Code, Finding};
use etcd_cat::judgement::add_findings;
use etcd_cat::monitor::Monitor;
use etcd_cat::oc::{self, ReasonCode, Verification};
use etcd_cat::survey::{self, Depth, Survey};
use etcd_cat::take::{LearntFacts, Mismatch, cross_check};
use std::path::PathBuf;

/// A new backup, judged, and everything that was learnt of it.
pub(super) struct Examined {
    pub(super) backup: Backup,
    pub(super) contents: CatalogueContents,
}

/// Verifies the two files as any others, then holds what the script and the cluster said against them.
pub(super) fn examine(
    request: &Request<'_>,
    run: &oc::BackupRun,
    monitor: &dyn Monitor,
) -> (Verification, Option<Examined>) {
    monitor.note("verifying what was brought here");
    match read(request, run, monitor) {
        Err(reason) => (Verification::Unfinished(reason), None),
        Ok(mut examined) => {
            doubt(&mut examined.backup, run);
            let verification = if examined.backup.verdict.is_usable() {
                Verification::Passed
            } else {
                Verification::Failed
            };
            (verification, Some(examined))
        }
    }
}

fn read(
    request: &Request<'_>,
    run: &oc::BackupRun,
    monitor: &dyn Monitor,
) -> Result<Examined, String> {
    let catalogue = Catalogue::new(CatalogueLocation::Memory);
    let locations = [run.snapshot.path.clone(), run.kuberesources.path.clone()];
    let request = Request {
        accept: &accepted(run),
        ..*request
    };
    let options = request.options(Depth::Everything);
    let survey = survey::examine(&locations, &catalogue, &options, monitor)
        .map_err(|error| error.to_string())?;
    if let Some(unread) = unread(&survey, &locations) {
        return Err(format!("{}: {}", unread.path.display(), unread.reason));
    }
    let contents = catalogue.load().map_err(|error| error.to_string())?;
    let backup = survey
        .backups
        .into_iter()
        .find(|backup| holds(backup, &run.snapshot.path));
    let backup = backup.ok_or_else(|| {
        let path = run.snapshot.path.display();
        format!("{path}: the file is not there any more")
    })?;
    Ok(Examined { backup, contents })
}

/// What was overridden before the backup makes it invalid no more: it was asked for, and it is recorded.
pub(super) fn accepted(run: &oc::BackupRun) -> Vec<Code> {
    let code = |code| match code {
        ReasonCode::UpgradeInProgress => Some(Code::UpgradeInProgress),
        ReasonCode::TooYoung => Some(Code::TakenBeforeRotation),
        _ => None,
    };
    run.forced
        .iter()
        .filter_map(|reason| code(reason.code))
        .collect()
}

/// One of our own files that could not be read: nothing is proven then, and nothing refuted.
fn unread<'s>(survey: &'s Survey, locations: &[PathBuf]) -> Option<&'s Skipped> {
    let mut skipped = survey.skipped.iter();
    skipped.find(|one| one.is_error && locations.contains(&one.path))
}

pub(super) fn holds(backup: &Backup, path: &PathBuf) -> bool {
    let half = backup.snapshot.as_ref();
    half.is_some_and(|half| half.places().any(|place| place == path))
}

/// Adds a finding for each fact on which the two sides disagree.
fn doubt(backup: &mut Backup, run: &oc::BackupRun) {
    let Some(half) = &backup.snapshot else {
        return;
    };
    let facts = &half.facts;
    let learnt = LearntFacts {
        status: facts.status,
        live_keys: facts.live_keys,
        storage_version: facts.storage_version.clone(),
        version: backup.version.openshift.clone(),
        cluster_id: facts.cluster.id.clone(),
    };
    let mismatches = cross_check(run, &learnt);
    if mismatches.is_empty() {
        return;
    }
    add_findings(backup, mismatches.iter().map(finding));
}

fn finding(mismatch: &Mismatch) -> Finding {
    Finding::new(Code::ProvenanceMismatch, mismatch.to_string())
        .with("field", mismatch.field)
        .with("expected", mismatch.expected.clone())
        .with("found", mismatch.found.clone())
}
