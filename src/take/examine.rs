//! Verifies what was brought here, in a catalogue of its own: the real one learns of it only when it is believed.

use super::cross_check::{LearntFacts, Mismatch, cross_check};
use super::remember::{holds, provenance};
use super::work_directory::Taken;
use crate::backup::Backup;
use crate::catalogue::{Catalogue, CatalogueContents, CatalogueLocation};
use crate::discovery::Skipped;
use crate::finding::{Code, Finding};
use crate::judgement::add_findings;
use crate::monitor::{Monitor, Step};
use crate::oc::{BackupRun, ReasonCode, VerificationResult};
use crate::source::ObjectId;
use crate::survey::{self, Depth, Survey};

/// A new backup, judged, and everything that was learnt of it.
pub(super) struct Examined {
    pub(super) backup: Backup,
    pub(super) contents: CatalogueContents,
}

/// Verifies the two files as any others, then holds what the script and the cluster said against them.
pub(super) fn examine(
    run: &BackupRun,
    options: &survey::SurveyOptions,
    monitor: &dyn Monitor,
) -> (VerificationResult, Option<Examined>) {
    monitor.note("verifying what was brought here");
    let _step = Step::begin(monitor, "the proof of what was brought here");
    match read(&taken(run), options, monitor) {
        Err(reason) => (VerificationResult::Unfinished(reason), None),
        Ok(mut examined) => {
            doubt(&mut examined.backup, run);
            let verification = if examined.backup.verdict.is_usable() {
                VerificationResult::Passed
            } else {
                VerificationResult::Failed
            };
            (verification, Some(examined))
        }
    }
}

/// The same for files that an earlier run has verified and held against what the cluster said.
pub(super) fn read(
    taken: &Taken,
    options: &survey::SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Examined, String> {
    let catalogue = Catalogue::new(CatalogueLocation::Memory);
    let locations = [&taken.snapshot, &taken.kuberesources].map(ObjectId::from);
    let options = survey::SurveyOptions {
        depth: Depth::Everything,
        accept: taken.accepted.clone(),
        ..options.clone()
    };
    let survey = survey::examine(&locations, &catalogue, &options, monitor)
        .map_err(|error| error.to_string())?;
    if let Some(unread) = unread(&survey, &locations) {
        return Err(format!("{}: {}", unread.id, unread.reason));
    }
    let contents = catalogue.load().map_err(|error| error.to_string())?;
    let backup = survey
        .backups
        .into_iter()
        .find(|backup| holds(backup, &ObjectId::from(&taken.snapshot)));
    let backup = backup.ok_or_else(|| {
        let path = taken.snapshot.display();
        format!("{path}: the file is not there any more")
    })?;
    Ok(Examined { backup, contents })
}

/// What was overridden before the backup makes it invalid no more: it was asked for, and it is recorded.
fn accepted(run: &BackupRun) -> Vec<Code> {
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

/// What a run has brought here, and how it was taken.
pub(super) fn taken(run: &BackupRun) -> Taken {
    Taken {
        snapshot: run.snapshot.path.clone(),
        kuberesources: run.kuberesources.path.clone(),
        provenance: provenance(run),
        accepted: accepted(run),
    }
}

/// One of our own files that could not be read: nothing is proven then, and nothing refuted.
fn unread<'s>(survey: &'s Survey, locations: &[ObjectId]) -> Option<&'s Skipped> {
    let mut skipped = survey.skipped.iter();
    skipped.find(|one| one.is_error && locations.contains(&one.id))
}

/// Adds a finding for each fact on which the two sides disagree.
fn doubt(backup: &mut Backup, run: &BackupRun) {
    let Some(snapshot) = &backup.snapshot else {
        return;
    };
    let facts = &snapshot.facts;
    let archive = backup.kuberesources.as_ref().map(|half| &half.facts);
    let learnt = LearntFacts {
        status: facts.status,
        live_keys: facts.live_keys,
        storage_version: facts.storage_version.clone(),
        version: backup.version.openshift.clone(),
        cluster_id: facts.cluster.id.clone(),
        revisions: archive
            .map(|facts| facts.revisions.clone())
            .unwrap_or_default(),
        node: archive.and_then(|facts| facts.node.clone()),
    };
    let mismatches = cross_check(run, &learnt);
    if mismatches.is_empty() {
        return;
    }
    add_findings(backup, mismatches.iter().map(finding));
}

fn finding(mismatch: &Mismatch) -> Finding {
    Finding::new(Code::ProvenanceMismatch, mismatch.to_string())
        .with("field", mismatch.field.clone())
        .with("expected", mismatch.expected.clone())
        .with("found", mismatch.found.clone())
}
