//! A catalogue made anew in the place of a damaged one, with what of it can be saved.
//!
//! What files hold is learnt again from the files. Saved is what no file tells: where to look, since when a file is
//! known, when a backup was verified and how it was taken.

use super::about::About;
use super::error::CatalogueError;
use super::lock::{LockTurn, LockWait};
use super::open::Catalogue;
use super::record::{Content, FileRecord};
use super::seal::{is_intact, seal, unseal};
use super::store::{Access, CatalogueStore, Operation, StoreError, Table};
use crate::instant::compact;
use crate::source::{ObjectId, rename_new, sync_directory};
use chrono::{DateTime, Utc};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What is learnt again from the files, or from the rest.
const LEARNT_AGAIN: [Table; 6] = [
    Table::About,
    Table::Overview,
    Table::Snapshots,
    Table::Kuberesources,
    Table::CertificateSets,
    Table::Proofs,
];

/// What became of a catalogue that was made anew.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RebuiltCatalogue {
    /// Where the one before lies now; `None` when there was none.
    pub kept_aside: Option<PathBuf>,
    /// Records that were saved.
    pub saved: usize,
    /// Locations among them.
    pub locations: Vec<ObjectId>,
}

/// What was saved of a catalogue.
#[derive(Default)]
struct Salvage {
    operations: Vec<Operation>,
    locations: Vec<ObjectId>,
}

impl Catalogue {
    /// Makes it anew with what can be saved; the one before is kept beside it under another name. Its files are to be
    /// read again.
    ///
    /// # Errors
    ///
    /// Another process holds it, or the system refuses.
    pub fn rebuild(&self, now: DateTime<Utc>) -> Result<RebuiltCatalogue, CatalogueError> {
        let Some(path) = self.location().path() else {
            return Ok(RebuiltCatalogue {
                kept_aside: None,
                saved: 0,
                locations: Vec::new(),
            });
        };
        let mut wait = LockWait::new(path, self.waits_for());
        let turn = LockTurn::take(Access::Write, &mut wait)?;
        let salvage = match self.open_store(path, Access::Read) {
            Ok(Some(store)) => salvage(store.as_ref()),
            Ok(None) | Err(StoreError::Damaged(_)) => Salvage::default(),
            Err(error) => return Err(CatalogueError::of(path, error)),
        };
        let kept_aside = put_aside(path, now)?;
        let opened = self.open_store(path, Access::Write);
        let Salvage {
            mut operations,
            locations,
        } = salvage;
        let saved = operations.len();
        operations.extend(About::default().beside(&operations));
        let store = opened.map_err(|error| CatalogueError::of(path, error))?;
        if let Some(mut store) = store {
            let applied = store.apply(operations);
            applied.map_err(|error| CatalogueError::of(path, error))?;
        }
        drop(turn);
        Ok(RebuiltCatalogue {
            kept_aside,
            saved,
            locations,
        })
    }
}

/// Every record that is as it was written, as far as the store can be read.
fn salvage(store: &dyn CatalogueStore) -> Salvage {
    let mut salvage = Salvage::default();
    for table in Table::ALL {
        if LEARNT_AGAIN.contains(&table) {
            continue;
        }
        // A table that breaks off has shown what comes before the break.
        let _ = store.scan(table, &[], &mut |key, record| {
            salvage.take(table, key, record);
        });
    }
    salvage
}

impl Salvage {
    fn take(&mut self, table: Table, key: &[u8], record: &[u8]) {
        let value = match table {
            Table::Files => match unread(key, record) {
                Some(value) => value,
                None => return,
            },
            _ if is_intact(table, key, record) => record.to_vec(),
            _ => return,
        };
        if table == Table::Locations {
            self.locations.push(ObjectId::from_bytes(key));
        }
        let key = key.to_vec();
        self.operations.push(Operation::Put { table, key, value });
    }
}

/// The record of a file that is there, as one that is to be read again.
fn unread(key: &[u8], record: &[u8]) -> Option<Vec<u8>> {
    let id = ObjectId::from_bytes(key);
    let is_there = id.as_path().is_some_and(Path::exists);
    let record: FileRecord = unseal(key, record).ok().filter(|_| is_there)?;
    let record = FileRecord {
        content: Content::Unreadable {
            reason: "not read since the catalogue was made anew".to_owned(),
            offset: None,
        },
        ..record
    };
    seal(Table::Files, key, &record).ok()
}

/// Gives what lies there a name of its own.
fn put_aside(path: &Path, now: DateTime<Utc>) -> Result<Option<PathBuf>, CatalogueError> {
    if std::fs::symlink_metadata(path).is_err() {
        return Ok(None);
    }
    let mut aside = OsString::from(path);
    aside.push(format!(".damaged-{}", compact(now)));
    let aside = PathBuf::from(aside);
    let error = |source| CatalogueError::of(path, StoreError::io("put aside", path, source));
    rename_new(path, &aside).map_err(error)?;
    if let Some(directory) = path.parent().filter(|one| !one.as_os_str().is_empty()) {
        sync_directory(directory).map_err(error)?;
    }
    Ok(Some(aside))
}
