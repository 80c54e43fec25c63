//! The catalogue in a sled directory: the second store, behind the feature `store-sled`, which is on by default.
//!
//! sled knows one kind of opening, for writing, and keeps threads of its own, whose panics no fence can catch.

use super::fence::fenced;
use super::store::{Access, CatalogueStore, Operation, RETIRED, StoreError, Table, Visit};
use std::path::{Path, PathBuf};

/// Memory for pages, in bytes.
const CACHE_BYTES: u64 = 16 << 20;

/// All tables in one tree, so that a batch over several of them is one: table name, a zero byte, key.
#[derive(Debug)]
pub struct SledStore {
    path: PathBuf,
    tree: sled::Db,
}

impl SledStore {
    /// Opens the directory; `None` when it is to be read and is not there.
    ///
    /// # Errors
    ///
    /// Another process has it open; it cannot be read or created; it is damaged.
    pub fn open(path: &Path, access: Access) -> Result<Option<Self>, StoreError> {
        if access == Access::Read && !path.is_dir() {
            return Ok(None);
        }
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES);
        let tree = fenced(|| config.open().map_err(|error| opening_error(path, error)))?;
        let path = path.to_owned();
        Ok(Some(Self { path, tree }))
    }
}

impl CatalogueStore for SledStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        fenced(|| {
            let value = self.tree.get(full_key(table.name(), key));
            let value = value.map_err(|e| store_error(&self.path, e))?;
            Ok(value.map(|value| value.to_vec()))
        })
    }

    fn scan(&self, table: Table, prefix: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        let table_bytes = table.name().len() + 1;
        fenced(|| {
            for entry in self.tree.scan_prefix(full_key(table.name(), prefix)) {
                let (key, value) = entry.map_err(|e| store_error(&self.path, e))?;
                visit(key.get(table_bytes..).unwrap_or_default(), &value);
            }
            Ok(())
        })
    }

    fn apply(&mut self, operations: Vec<Operation>) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for operation in operations {
            match operation {
                Operation::Put { table, key, value } => {
                    batch.insert(full_key(table.name(), &key), value);
                }
                Operation::Delete { table, key } => batch.remove(full_key(table.name(), &key)),
            }
        }
        fenced(|| {
            for name in RETIRED {
                for key in self.tree.scan_prefix(full_key(name, &[])).keys() {
                    batch.remove(key.map_err(|e| store_error(&self.path, e))?);
                }
            }
            let applied = self.tree.apply_batch(batch);
            let flushed = applied.and_then(|()| self.tree.flush());
            flushed.map_err(|e| store_error(&self.path, e))?;
            Ok(())
        })
    }
}

fn full_key(table: &str, key: &[u8]) -> Vec<u8> {
    let mut full = table.as_bytes().to_vec();
    full.push(0);
    full.extend_from_slice(key);
    full
}

/// Quirk: sled 0.34 reports its lock as an I/O error of kind `Other` whose text names the lock.
fn opening_error(path: &Path, error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(source) if source.to_string().contains("could not acquire lock") => {
            StoreError::Busy
        }
        error => store_error(path, error),
    }
}

fn store_error(path: &Path, error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(source) => StoreError::io("use", path, source),
        other => StoreError::Damaged(other.to_string()),
    }
}
