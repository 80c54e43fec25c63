//! Where to look: what was given, else what is remembered.

use super::examine::{absolute, examine_first, examine_from, examine_walked};
use super::news::Origin;
use super::search::walk_all;
use super::unchanged::{Indexed, Unchanged, unchanged};
use super::{Depth, Survey, SurveyError, SurveyOptions, recall};
use crate::backup::Backup;
use crate::catalogue::{Catalogue, CatalogueError, RebuiltCatalogue};
use crate::monitor::Monitor;
use crate::source::ObjectId;
use std::path::Path;

/// Reads what is new below `locations` (without any: below the remembered ones) and remembers them.
///
/// # Errors
///
/// There is no location, `monitor` asked to stop, or the catalogue cannot be read or written.
pub fn index(
    locations: &[ObjectId],
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Survey, SurveyError> {
    remember(locations, catalogue, options)?;
    let (origin, locations) = given_or_remembered(locations, catalogue)?;
    examine_from(origin, &locations, catalogue, &only_new(options), monitor)
}

/// The same, in short where nothing is new and `is_enough`: then no fact is read and nothing judged.
///
/// # Errors
///
/// As [`index`].
pub fn index_in_short(
    locations: &[ObjectId],
    catalogue: &Catalogue,
    options: &SurveyOptions,
    is_enough: impl FnOnce(&Unchanged) -> bool,
    monitor: &dyn Monitor,
) -> Result<Indexed, SurveyError> {
    remember(locations, catalogue, options)?;
    let (origin, locations) = given_or_remembered(locations, catalogue)?;
    let options = only_new(options);
    let locations = absolute(&locations, &options);
    let walks = walk_all(&locations, origin, &options, monitor)?;
    let short = unchanged(origin, &locations, &walks, catalogue, &options, monitor)?;
    if let Some(unchanged) = short.filter(is_enough) {
        return Ok(Indexed::Unchanged(unchanged));
    }
    let survey = examine_walked(origin, &locations, walks, catalogue, &options, monitor)?;
    Ok(Indexed::Whole(Box::new(survey)))
}

/// Reads every byte below `locations` (without any: below the remembered ones).
///
/// What can be verified is verified even when the catalogue cannot be used: see [`Survey::catalogue`].
///
/// # Errors
///
/// There is no location, or `monitor` asked to stop.
pub fn verify(
    locations: &[ObjectId],
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Survey, SurveyError> {
    let (origin, locations) = given_or_remembered(locations, catalogue)?;
    let options = SurveyOptions {
        depth: Depth::Everything,
        ..options.clone()
    };
    examine_from(origin, &locations, catalogue, &options, monitor)
}

/// Reads every byte of some files, for an answer that may need more of them.
pub(super) fn verify_first(
    files: &[ObjectId],
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Survey, SurveyError> {
    let options = SurveyOptions {
        depth: Depth::Everything,
        ..options.clone()
    };
    let files = absolute(files, &options);
    let walks = walk_all(&files, Origin::Named, &options, monitor)?;
    examine_first(Origin::Named, &files, walks, catalogue, &options, monitor)
}

/// Everything in the catalogue, after the remembered locations were searched for what is new or was rewritten, for an answer
/// that may need more.
///
/// # Errors
///
/// `monitor` asked to stop, or the catalogue cannot be read or written.
pub(super) fn update(
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Vec<Backup>, SurveyError> {
    let locations = remembered(catalogue)?;
    if !locations.is_empty() {
        match search_for_new(&locations, catalogue, &only_new(options), monitor) {
            // What can be read may be told although it can no longer be written: told with it.
            Err(SurveyError::Catalogue(error @ CatalogueError::Damaged { .. })) => {
                let backups = recall(catalogue, options)?;
                catalogue.damage().tell(error.to_string());
                return Ok(backups);
            }
            searched => searched?,
        }
    }
    recall(catalogue, options)
}

fn search_for_new(
    locations: &[ObjectId],
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<(), SurveyError> {
    let origin = Origin::Aside;
    let locations = absolute(locations, options);
    let walks = walk_all(&locations, origin, options, monitor)?;
    let unchanged = unchanged(origin, &locations, &walks, catalogue, options, monitor)?;
    if unchanged.is_none() {
        examine_first(origin, &locations, walks, catalogue, options, monitor)?;
    }
    Ok(())
}

/// Makes the catalogue anew, with what of it can be saved, and reads everything at `locations` and at those that were
/// remembered. What was the catalogue before is kept aside.
///
/// # Errors
///
/// As [`index`].
pub fn rebuild(
    locations: &[ObjectId],
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<(RebuiltCatalogue, Survey), SurveyError> {
    let rebuilt = catalogue.rebuild(crate::instant::now())?;
    remember(locations, catalogue, options)?;
    let survey = index(&[], catalogue, options, monitor)?;
    Ok((rebuilt, survey))
}

fn remember(
    locations: &[ObjectId],
    catalogue: &Catalogue,
    options: &SurveyOptions,
) -> Result<(), SurveyError> {
    let now = crate::instant::now();
    for location in locations {
        let absolute = location.absolute();
        let is_there = absolute.as_path().is_none_or(Path::exists);
        if is_there && options.stores.knows(&absolute) {
            catalogue.remember_location(absolute, now)?;
        }
    }
    Ok(())
}

fn only_new(options: &SurveyOptions) -> SurveyOptions {
    SurveyOptions {
        depth: Depth::New,
        ..options.clone()
    }
}

fn given_or_remembered(
    given: &[ObjectId],
    catalogue: &Catalogue,
) -> Result<(Origin, Vec<ObjectId>), SurveyError> {
    if !given.is_empty() {
        return Ok((Origin::Named, given.to_vec()));
    }
    let remembered = remembered(catalogue)?;
    if remembered.is_empty() {
        return Err(SurveyError::NoLocation);
    }
    Ok((Origin::Remembered, remembered))
}

fn remembered(catalogue: &Catalogue) -> Result<Vec<ObjectId>, SurveyError> {
    Ok(catalogue.places()?)
}
