//! Judges what the catalogue remembers, without reading a backup: only attributes of files are looked at.

use super::book::{Book, places};
use super::overview::draw;
use super::presence::observe;
use super::{Depth, Options, SurveyError};
use crate::backup::{Backup, Verdict};
use crate::catalogue::{Catalogue, CatalogueLocation, Content, Contents};
use crate::discovery::FileIdentity;
use crate::finding::{Code, Finding, Severity};
use crate::source::PageCache;
use chrono::{DateTime, TimeDelta};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Every backup that the catalogue knows. Backups whose files were rewritten since are `unknown`.
///
/// # Errors
///
/// The catalogue cannot be read.
pub fn recall(catalogue: &Catalogue, options: &Options) -> Result<Vec<Backup>, SurveyError> {
    let (mut book, rewritten) = remembered(catalogue.load()?);
    let mut backups = book.judged(options)?;
    for backup in &mut backups {
        mark_rewritten(backup, &rewritten);
    }
    Ok(backups)
}

/// Judges what the catalogue remembers and keeps that for [`glance`](super::glance), unless what is kept is up to date.
///
/// # Errors
///
/// The catalogue cannot be read or written.
pub fn refresh(catalogue: &Catalogue) -> Result<(), SurveyError> {
    // What ends with the process is not asked again.
    if *catalogue.location() == CatalogueLocation::Memory || is_current(catalogue)? {
        return Ok(());
    }
    let (mut book, _) = remembered(catalogue.load()?);
    let beginning = Options {
        depth: Depth::New,
        jobs: 1,
        as_of: DateTime::UNIX_EPOCH - TimeDelta::days(365 * 10_000),
        accept: Vec::new(),
        page_cache: PageCache::Keep,
    };
    let backups = book.judged(&beginning)?;
    Ok(catalogue.keep_overview(draw(&book, backups))?)
}

/// Is what was judged last true still, of whatever instant?
fn is_current(catalogue: &Catalogue) -> Result<bool, SurveyError> {
    let overview = catalogue.reader()?.overview()?;
    Ok(overview.is_some_and(|overview| {
        let nothing = vec![Vec::new(); overview.directories.len()];
        observe(&overview.directories, &nothing).is_some()
    }))
}

/// Everything in the catalogue, and the files that were rewritten since.
fn remembered(contents: Contents) -> (Book, BTreeSet<PathBuf>) {
    let records: Vec<_> = contents
        .files
        .iter()
        .filter(|(_, record)| record.content != Content::NotABackup)
        .map(|(path, record)| (path.clone(), record.clone()))
        .collect();
    let mut book = Book::new(contents);
    let mut rewritten = BTreeSet::new();
    for (path, record) in records {
        let metadata = std::fs::metadata(&path).ok();
        let identity = metadata.map(|metadata| FileIdentity::of(&metadata));
        if identity.is_some_and(|identity| identity != record.identity) {
            rewritten.insert(path.clone());
        }
        book.enter_known(&path, &record, identity.is_some());
    }
    (book, rewritten)
}

fn mark_rewritten(backup: &mut Backup, rewritten: &BTreeSet<PathBuf>) {
    let touched: Vec<PathBuf> = places(backup)
        .into_iter()
        .filter(|place| rewritten.contains(*place))
        .cloned()
        .collect();
    let Some(first) = touched.first() else { return };
    let message = format!("{} was written since it was verified", first.display());
    let remedy = format!("read it again: etcd-cat verify {}", first.display());
    let finding = Finding::new(Code::FileChanged, message)
        .severity(Severity::Warning)
        .remedy(remedy);
    backup
        .findings
        .push(finding.with("path", first.display().to_string()));
    if backup.verdict != Verdict::Invalid {
        backup.verdict = Verdict::Unknown;
    }
}
