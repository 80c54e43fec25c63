//! One survey while it is made, and what it found.

use super::hosted_keys::HostedKeys;
use super::knowledge::Knowledge;
use super::news::{BackupNews, SearchedLocation};
use super::options::SurveyOptions;
use super::prove::KeyRings;
use super::recorded::RecordedChecksums;
use super::recorder::Recorder;
use crate::backup::Backup;
use crate::catalogue::{CatalogueChange, CatalogueContents, CatalogueError, Content};
use crate::discovery::{FoundObject, Skipped};
use crate::judgement::RestoreChoice;
use crate::monitor::Monitor;
use crate::source::{ObjectId, ObjectSet, Store, Stores};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What a survey found.
#[derive(Debug, Default)]
pub struct Survey {
    /// Backups of which at least one half lies at the locations asked for.
    pub backups: Vec<Backup>,
    /// What was not looked into, ascending by path.
    pub skipped: Vec<Skipped>,
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Files that were known already and not read again.
    pub unchanged: u64,
    /// Backups whose files somebody removed since the last survey.
    pub gone: Vec<Backup>,
    /// Backups that are gone, and of which that was told before.
    pub gone_before: Vec<Backup>,
    /// What was searched, and what was found of it.
    pub locations: Vec<SearchedLocation>,
    /// Only what was new was read: what was known is not told again.
    pub is_new_only: bool,
    /// What is new in each backup.
    pub news: BackupNews,
    /// What `cluster-restore.sh` would take from each directory asked for that holds a snapshot of OpenShift.
    pub restore_choices: BTreeMap<PathBuf, RestoreChoice>,
    /// What of the catalogue was not as it was written, one line each.
    pub catalogue_damage: Vec<String>,
    /// Why not all of it is remembered.
    pub catalogue: Option<CatalogueError>,
}

impl Survey {
    /// Counts backups whose files are gone among the others.
    pub fn include_gone(&mut self) {
        let gone = std::mem::take(&mut self.gone_before);
        self.backups.extend(gone);
        self.backups.extend(self.gone.iter().cloned());
    }
}

/// A survey while it is made.
pub(super) struct Examination<'e> {
    pub(super) known: Knowledge,
    pub(super) stores: &'e Stores,
    pub(super) rings: KeyRings,
    pub(super) hosted_keys: HostedKeys,
    pub(super) recorder: Arc<Recorder<'e>>,
    pub(super) options: &'e SurveyOptions,
    pub(super) monitor: &'e dyn Monitor,
    /// What was asked for.
    pub(super) locations: &'e [ObjectId],
    /// Files that the locations cover, and locations themselves.
    pub(super) asked: ObjectSet,
    /// Files that were met at the locations.
    pub(super) met: ObjectSet,
    pub(super) survey: Survey,
    /// Checksums of files that lie beside them.
    pub(super) recorded: RecordedChecksums,
    pub(super) read_now: ObjectSet,
    pub(super) now: DateTime<Utc>,
}

impl<'e> Examination<'e> {
    /// Of some locations, with what the catalogue remembers.
    pub(super) fn new(
        contents: CatalogueContents,
        recorder: Recorder<'e>,
        locations: &'e [ObjectId],
        options: &'e SurveyOptions,
        monitor: &'e dyn Monitor,
    ) -> Self {
        Self {
            known: Knowledge::new(contents, &options.stores),
            stores: &options.stores,
            rings: KeyRings::default(),
            hosted_keys: HostedKeys::default(),
            recorder: Arc::new(recorder),
            options,
            monitor,
            locations,
            asked: ObjectSet::default(),
            met: ObjectSet::default(),
            survey: Survey::default(),
            recorded: RecordedChecksums::default(),
            read_now: ObjectSet::default(),
            now: crate::instant::now(),
        }
    }
}

/// What is to be remembered of a file that was read.
pub(super) fn file_change(
    object: &FoundObject,
    content: Content,
    now: DateTime<Utc>,
    store: &dyn Store,
) -> CatalogueChange {
    CatalogueChange::File {
        path: object.id.clone(),
        identity: object.identity.clone(),
        content,
        read_at: now,
        custody: store.custody(&object.id).map(Box::new),
    }
}
