//! Judges what the catalogue remembers, without reading a backup: only attributes of files are looked at.

use super::knowledge::Knowledge;
use super::place::KnownObject;
use super::prove::unproven;
use super::{Decrypt, Depth, SurveyError, SurveyOptions};
use crate::backup::Backup;
use crate::catalogue::{Catalogue, CatalogueContents, CatalogueLocation, Content, FileRecord};
use crate::finding::{Code, Finding, Severity};
use crate::judgement::verdict_when_rewritten;
use crate::overview::{DrawnOf, FileSeen, Glance, Looks, Overview, Question, Sight, Stamps, draw};
use crate::parallel;
use crate::selection::{Candidate as _, Scope, Selection, Summary};
use crate::source::{ObjectId, PageCache, Store, Stores};
use chrono::{DateTime, TimeDelta};
use std::collections::BTreeSet;

/// Every backup that the catalogue knows. Backups whose files were rewritten since are `unknown`.
///
/// # Errors
///
/// The catalogue cannot be read.
pub fn recall(catalogue: &Catalogue, options: &SurveyOptions) -> Result<Vec<Backup>, SurveyError> {
    let (mut known, rewritten) = remembered(catalogue.load()?, &options.stores);
    let mut backups = known.judged(options)?;
    for backup in &mut backups {
        mark_rewritten(backup, &rewritten);
    }
    Ok(backups)
}

/// Every backup that the catalogue knows, in short: what [`recall`] finds, in a fraction of the time as long as the
/// overview holds.
///
/// Whether a file was rewritten is asked only for backups that `selection` would show: of more than 5,000 for the newest
/// 5,000, and for those which a choice of what to restore falls on. The others, and what the selection is not about, are
/// counted.
///
/// # Errors
///
/// The catalogue cannot be read.
pub fn glance(
    catalogue: &Catalogue,
    selection: &Selection,
    options: &SurveyOptions,
) -> Result<Glance, SurveyError> {
    glance_or_recall(catalogue, selection, options, Looks::OF_CHOICE)
}

/// The same for a list that leaves choosing to who reads it: unless `selection` has a target, nothing is looked at besides
/// the newest 5,000.
///
/// # Errors
///
/// The catalogue cannot be read.
pub fn glance_to_list(
    catalogue: &Catalogue,
    selection: &Selection,
    options: &SurveyOptions,
) -> Result<Glance, SurveyError> {
    let looks = match selection.valid_for {
        Some(_) => Looks::OF_CHOICE,
        None => Looks::OF_LIST,
    };
    glance_or_recall(catalogue, selection, options, looks)
}

fn glance_or_recall(
    catalogue: &Catalogue,
    selection: &Selection,
    options: &SurveyOptions,
    looks: Looks,
) -> Result<Glance, SurveyError> {
    if let Some(glance) = glance_at(catalogue, selection, options, looks)? {
        return Ok(glance);
    }
    let backups = recall(catalogue, options)?;
    Ok(Glance {
        summaries: parallel::map(&backups, |backup| Summary::from(backup)),
        left_out: 0,
        not_looked_at: 0,
    })
}

/// What [`glance`] finds, if it need not be judged for it.
///
/// # Errors
///
/// The catalogue cannot be read.
pub fn kept_glance(
    catalogue: &Catalogue,
    selection: &Selection,
    options: &SurveyOptions,
) -> Result<Option<Glance>, SurveyError> {
    glance_at(catalogue, selection, options, Looks::OF_CHOICE)
}

/// The same with a look at the files of these.
pub(super) fn glance_at(
    catalogue: &Catalogue,
    selection: &Selection,
    options: &SurveyOptions,
    looks: Looks,
) -> Result<Option<Glance>, SurveyError> {
    let sight = seen(catalogue, selection, options, looks)?;
    let known = sight.map(|sight| sight.believed(catalogue, &options.stores));
    Ok(known.transpose()?.flatten())
}

/// What the overview has to say. Nobody waits for the catalogue while files are looked for.
fn seen(
    catalogue: &Catalogue,
    selection: &Selection,
    options: &SurveyOptions,
    looks: Looks,
) -> Result<Option<Sight>, SurveyError> {
    let question = Question {
        selection,
        as_of: options.as_of,
        accept: &options.accept,
        looks,
        stores: &options.stores,
    };
    let reader = catalogue.reader()?;
    reader.look_over()?;
    Ok(Sight::of(&reader, &question)?)
}

/// Every backup of which a file lies, or lay, within these locations, in short.
///
/// # Errors
///
/// The catalogue cannot be read.
pub fn within(
    catalogue: &Catalogue,
    locations: &[ObjectId],
    options: &SurveyOptions,
) -> Result<Vec<Summary>, SurveyError> {
    let everything = Selection {
        scope: Scope::All,
        ..Selection::default()
    };
    let sight = seen(catalogue, &everything, options, Looks::All)?;
    // A summary names one of the places of a backup: it will do where all of them are asked for.
    let sight = sight.filter(|sight| sight.lies_within(locations));
    let glance = sight.map(|sight| sight.believed(catalogue, &options.stores));
    let glance = glance.transpose()?.flatten();
    if let Some(glance) = glance.filter(|glance| glance.left_out == 0) {
        return Ok(glance.summaries);
    }
    let is_asked = |id: &ObjectId| locations.iter().any(|one| one.contains(id));
    let backups = recall(catalogue, options)?.into_iter();
    let asked = backups.filter(|backup| backup.each_place().any(is_asked));
    Ok(asked.map(|backup| Summary::from(&backup)).collect())
}

/// Judges what the catalogue remembers and keeps that for [`glance`], unless what is kept is up to date.
///
/// # Errors
///
/// The catalogue cannot be read or written.
pub fn refresh(catalogue: &Catalogue, stores: &Stores) -> Result<(), SurveyError> {
    // What ends with the process is not asked again.
    if *catalogue.location() == CatalogueLocation::Memory || is_current(catalogue, stores)? {
        return Ok(());
    }
    Ok(drawn(catalogue.load()?, stores)?.keep(catalogue)?)
}

/// Everything in the catalogue, judged as [`glance`] wants it.
///
/// # Errors
///
/// The catalogue cannot be read.
pub(crate) fn drawn(contents: CatalogueContents, stores: &Stores) -> Result<Overview, SurveyError> {
    // Before the files are looked for: what comes or goes meanwhile changes them.
    let stamps = Stamps::of(contents.files.keys());
    let (mut known, _) = remembered(contents, stores);
    let beginning = SurveyOptions {
        depth: Depth::New,
        decrypt: Decrypt::Sample,
        jobs: 1,
        as_of: DateTime::UNIX_EPOCH - TimeDelta::days(365 * 10_000),
        accept: Vec::new(),
        page_cache: PageCache::Keep,
        stores: stores.clone(),
        shard: None,
    };
    let is_settled = unproven(&known).is_empty() && !known.has_untried_hosted();
    let backups = known.judged(&beginning)?;
    let files = known.files.iter().map(|(id, entry)| FileSeen {
        id,
        identity: &entry.identity,
        is_present: entry.is_present,
    });
    let drawn_of = DrawnOf {
        generation: known.contents.generation,
        is_settled,
        picked_until: known.picked_until(&backups),
    };
    Ok(draw(backups, files, &stamps, &drawn_of))
}

/// Is what was judged last true still, of whatever instant?
fn is_current(catalogue: &Catalogue, stores: &Stores) -> Result<bool, SurveyError> {
    let sight = Sight::of_files(&catalogue.reader()?)?;
    let files = sight.map(|sight| sight.believed(catalogue, stores));
    Ok(files.transpose()?.flatten().is_some())
}

/// Everything in the catalogue, and the files that were rewritten since.
pub(super) fn remembered(
    contents: CatalogueContents,
    stores: &Stores,
) -> (Knowledge, BTreeSet<ObjectId>) {
    let mut files: Vec<(&ObjectId, &FileRecord)> = contents
        .files
        .iter()
        .filter(|(_, record)| record.content != Content::NotABackup)
        .collect();
    files.sort_unstable_by_key(|(id, _)| *id);
    let seen = parallel::map(&files, |(id, record)| {
        let identity = if stores.is_near(id) {
            stores.stat(id).ok()
        } else {
            Some(record.identity.clone())
        };
        let known = KnownObject::of(record, identity.is_some());
        let is_rewritten = identity.is_some_and(|identity| identity != record.identity);
        ((*id).clone(), known, is_rewritten)
    });
    let mut rewritten = BTreeSet::new();
    let known = seen.into_iter().map(|(id, known, is_rewritten)| {
        if is_rewritten {
            rewritten.insert(id.clone());
        }
        (id, known)
    });
    let known: Vec<(ObjectId, KnownObject)> = known.collect();
    let known = Knowledge::of_remembered(contents, known, stores);
    (known, rewritten)
}

pub(super) fn mark_rewritten(backup: &mut Backup, rewritten: &BTreeSet<ObjectId>) {
    let touched: Vec<ObjectId> = backup
        .places()
        .into_iter()
        .filter(|place| rewritten.contains(*place))
        .cloned()
        .collect();
    let Some(first) = touched.first() else { return };
    let is_mended = backup.is_mended();
    // A copy that is as it was is as good as it was.
    let is_touched = |place: &ObjectId| rewritten.contains(place);
    let snapshot = backup.snapshot.as_ref();
    let archive = backup.kuberesources.as_ref();
    let is_lost = snapshot.is_some_and(|half| half.places().all(is_touched))
        || archive.is_some_and(|half| half.places().all(is_touched))
        || backup.unreadable_path.as_ref().is_some_and(is_touched);
    let message = format!("{first} was written since it was verified");
    let remedy = format!("read it again: etcd-cat verify {first}");
    let finding = Finding::new(Code::FileChanged, message)
        .severity(if is_lost {
            Severity::Warning
        } else {
            Severity::Info
        })
        .remedy(remedy);
    backup
        .findings
        .push(finding.with("path", first.to_string()));
    if is_lost {
        backup.verdict = verdict_when_rewritten(backup.verdict, is_mended);
    }
}
