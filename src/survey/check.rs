//! Is there a backup that will restore this version? Answered only from what was read for the answer.

use super::locations::{update, verify_first};
use super::{Survey, SurveyError, SurveyOptions, recall, refresh, verify};
use crate::backup::Backup;
use crate::catalogue::{Catalogue, CatalogueError};
use crate::monitor::Monitor;
use crate::restore::{ClusterUnclear, RestoreCheck};
use crate::selection::{Selection, TargetVersion};
use crate::source::ObjectId;
use std::collections::BTreeSet;

/// The choice, and what was read for it.
#[derive(Debug)]
pub struct Checked {
    /// Which backup, and how to restore it.
    pub check: RestoreCheck,
    /// What was read; its backups are the candidates of `check`.
    pub survey: Survey,
}

/// Why a check has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// Nothing could be looked at.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// It is not clear which cluster is to be restored.
    #[error(transparent)]
    Cluster(#[from] ClusterUnclear),
}

/// Chooses among what lies at these locations, every byte of which is read first.
///
/// # Errors
///
/// The locations cannot be read, or it is not clear which cluster is meant.
pub fn check_locations(
    locations: &[ObjectId],
    version: &TargetVersion,
    selection: &Selection,
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Checked, CheckError> {
    let mut survey = verify(locations, catalogue, options, monitor)?;
    let backups = std::mem::take(&mut survey.backups);
    let check = RestoreCheck::new(backups, version.clone(), selection.clone(), options.as_of)?;
    Ok(Checked { check, survey })
}

/// Chooses among what the catalogue holds and the remembered locations have got since.
///
/// The files of the choice are read again. When it does not hold any more, the next best is tried.
///
/// # Errors
///
/// The catalogue cannot be read, or it is not clear which cluster is meant.
pub fn check_remembered(
    version: &TargetVersion,
    selection: &Selection,
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Checked, CheckError> {
    let checked = check_each(version, selection, catalogue, options, monitor);
    if monitor.is_interrupted() {
        return checked;
    }
    // Once for all that was read, also where it is no answer.
    let kept = refresh(catalogue, &options.stores);
    let mut checked = checked?;
    match kept {
        // What was read could not be remembered either.
        Err(SurveyError::Catalogue(_)) if checked.survey.catalogue.is_some() => {}
        Err(SurveyError::Catalogue(error @ CatalogueError::Damaged { .. })) => {
            catalogue.damage().tell(error.to_string());
        }
        Err(SurveyError::Catalogue(error)) => checked.survey.catalogue = Some(error),
        kept => kept?,
    }
    Ok(checked)
}

/// The best of all, and the next best while one does not hold.
fn check_each(
    version: &TargetVersion,
    selection: &Selection,
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Checked, CheckError> {
    let mut backups = update(catalogue, options, monitor)?;
    let mut survey = Survey::default();
    let mut proven: BTreeSet<ObjectId> = BTreeSet::new();
    loop {
        let check = RestoreCheck::new(
            backups.clone(),
            version.clone(),
            selection.clone(),
            options.as_of,
        )?;
        let chosen = check.chosen.as_ref().map(|one| files(&one.backup));
        let chosen = chosen.unwrap_or_default();
        if chosen.iter().all(|id| proven.contains(id)) {
            return Ok(Checked { check, survey });
        }
        let read = verify_first(&chosen, catalogue, options, monitor)?;
        survey.skipped.extend(read.skipped);
        survey.files = survey.files.saturating_add(read.files);
        survey.bytes = survey.bytes.saturating_add(read.bytes);
        match read.catalogue {
            None => backups = recall(catalogue, options)?,
            // What was read now could not be remembered, so it must be carried over by hand.
            Some(error) => {
                survey.catalogue = Some(error);
                backups.retain(|backup| !files(backup).iter().any(|id| chosen.contains(id)));
                backups.extend(read.backups);
            }
        }
        proven.extend(chosen);
    }
}

/// The files that a restore would be made from.
fn files(backup: &Backup) -> Vec<ObjectId> {
    let snapshot = backup.snapshot.as_ref().map(|half| &half.path);
    let kuberesources = backup.kuberesources.as_ref().map(|half| &half.path);
    snapshot.into_iter().chain(kuberesources).cloned().collect()
}
