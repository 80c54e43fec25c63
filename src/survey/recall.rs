//! Judges what the catalogue remembers, without reading a backup: only attributes of files are looked at.

use super::book::{Book, places};
use super::{Options, SurveyError};
use crate::backup::{Backup, Verdict};
use crate::catalogue::{Catalogue, Content};
use crate::discovery::FileIdentity;
use crate::finding::{Code, Finding, Severity};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Every backup that the catalogue knows. Backups whose files were rewritten since are `unknown`.
///
/// # Errors
///
/// The catalogue cannot be read.
pub fn recall(catalogue: &Catalogue, options: &Options) -> Result<Vec<Backup>, SurveyError> {
    let contents = catalogue.load()?;
    let records: Vec<_> = contents
        .files
        .iter()
        .map(|(path, record)| (path.clone(), record.clone()))
        .collect();
    let mut book = Book::new(contents);
    let mut rewritten = BTreeSet::new();
    for (path, record) in records {
        if record.content == Content::NotABackup {
            continue;
        }
        let identity = std::fs::metadata(&path)
            .ok()
            .map(|metadata| FileIdentity::of(&metadata));
        if identity.is_some_and(|identity| identity != record.identity) {
            rewritten.insert(path.clone());
        }
        book.enter_known(&path, &record, identity.is_some());
    }
    let mut backups = book.judged(options)?;
    for backup in &mut backups {
        mark_rewritten(backup, &rewritten);
    }
    Ok(backups)
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
