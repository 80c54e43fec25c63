//! All that is known of one backup, without judging the rest of the catalogue.
//!
//! What a backup comes to depends on a few others ([`Surroundings`]): these are judged with it. Where that may not be all,
//! everything in the directories of its cluster is; and where that may not be either, there is no answer from here. An
//! answer counts when each of those that were judged has the files that it had when all were, and the backup came to
//! what was found then.

use super::knowledge::picks_in;
use super::place::all_lie_beside;
use super::recall::{mark_rewritten, remembered};
use super::{SurveyError, SurveyOptions};
use crate::backup::Backup;
use crate::catalogue::{Catalogue, CatalogueContents};
use crate::finding::{Code, Finding};
use crate::overview::Surroundings;
use crate::selection::Summary;
use crate::source::ObjectId;
use std::collections::HashSet;

/// What may be told in other words where more is known: of files that may lie anywhere.
const OF_ELSEWHERE: [Code; 6] = [
    Code::PairAmbiguous,
    Code::PairMismatch,
    Code::KuberesourcesMissing,
    Code::SnapshotMissing,
    Code::StillArriving,
    Code::CompletionMarkMissing,
];

/// The backup that was seen as `summary` by [`glance`](super::glance); `None` where only [`recall`](super::recall) can tell.
///
/// # Errors
///
/// The catalogue cannot be read.
pub fn recall_one(
    catalogue: &Catalogue,
    summary: &Summary,
    options: &SurveyOptions,
) -> Result<Option<Backup>, SurveyError> {
    let mut marks = summary.outcome.marks.iter();
    if marks.any(|(code, _)| OF_ELSEWHERE.contains(code)) {
        return Ok(None);
    }
    let Some(digest) = summary.digest else {
        return Ok(None);
    };
    let reader = catalogue.reader()?;
    let Some(seen) = Surroundings::of(&reader, summary, picks_in)? else {
        return Ok(None);
    };
    let near = reader.load_files(seen.backups.iter().flatten(), digest)?;
    drop(reader);
    let by_neighbours = told(near, summary, &seen, options)?;
    if let Some(backup) = by_neighbours.filter(is_placed_by_itself) {
        return Ok(Some(backup));
    }
    let Some(directories) = &seen.directories else {
        return Ok(None);
    };
    let around = catalogue.reader()?.load_directories(directories, digest)?;
    told(around, summary, &seen, options)
}

/// The backup as judged among these, if all that was seen around it is seen again.
fn told(
    contents: Option<CatalogueContents>,
    summary: &Summary,
    seen: &Surroundings,
    options: &SurveyOptions,
) -> Result<Option<Backup>, SurveyError> {
    let Some(contents) = contents else {
        return Ok(None);
    };
    let (mut known, rewritten) = remembered(contents, &options.stores);
    let backups = known.judged_by(seen.picks.clone(), options)?;
    let judged: HashSet<Vec<&ObjectId>> = backups.iter().map(Backup::places_in_order).collect();
    let is_seen_again =
        |places: &Vec<ObjectId>| judged.contains(&places.iter().collect::<Vec<_>>());
    if !seen.backups.iter().all(is_seen_again) {
        return Ok(None);
    }
    let meant = seen.backups.first().and_then(|places| places.first());
    let mut meant = backups.into_iter().find(|backup| backup.path() == meant);
    if let Some(backup) = &mut meant {
        mark_rewritten(backup, &rewritten);
    }
    Ok(meant.filter(|backup| summary.again(backup) == *summary && has_all_its_words(backup)))
}

/// What lay in the place of one of several copies before is compared with what lies anywhere.
fn has_all_its_words(backup: &Backup) -> bool {
    let is_changed = |finding: &Finding| finding.code == Code::FileChanged;
    let copies = backup.snapshot.as_ref().map(|half| half.copies.len());
    copies.is_none_or(|copies| copies == 0) || !backup.findings.iter().any(is_changed)
}

/// Which copy of its kuberesources is shown does not depend on whose snapshots lie beside them.
fn is_placed_by_itself(backup: &Backup) -> bool {
    let both = backup.snapshot.as_ref().zip(backup.kuberesources.as_ref());
    both.is_none_or(|(snapshot, kuberesources)| {
        kuberesources.copies.is_empty()
            || (snapshot.is_present && all_lie_beside(kuberesources.places(), snapshot.places()))
    })
}
