//! The door for a room above that keeps something in a table of its own: records drawn from all others, which are worth
//! nothing once one of those has changed.

use super::error::CatalogueError;
use super::reader::CatalogueReader;
use super::seal::{seal, unseal};
use super::store::{Operation, Table};
use super::version::Record;
use crate::parallel;
use serde::Serialize;

/// Records that are in memory as they lie in the store; each is up to some 64 KiB.
const UNSEALED: usize = 512;
/// And those that one thread unseals at a time.
const SHARE: usize = 8;

/// A record as it is written.
pub(crate) struct SealedRecord {
    table: Table,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl SealedRecord {
    /// Writes a value down.
    ///
    /// # Errors
    ///
    /// It cannot be written down.
    pub(crate) fn new(
        table: Table,
        key: Vec<u8>,
        value: &impl Serialize,
    ) -> Result<Self, CatalogueError> {
        let sealed = seal(table, &key, value).map_err(|source| CatalogueError::Record {
            table: table.name(),
            source,
        })?;
        Ok(Self {
            table,
            key,
            value: sealed,
        })
    }

    /// The operation that writes it.
    pub(super) fn into_put(self) -> Operation {
        Operation::Put {
            table: self.table,
            key: self.key,
            value: self.value,
        }
    }
}

impl CatalogueReader<'_> {
    /// A record that is drawn from the rest; `None` when it is not there, damaged or of another version.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged.
    pub(crate) fn derived<R: Record>(&self, key: &[u8]) -> Result<Option<R>, CatalogueError> {
        let record = self.bytes(R::TABLE, key)?;
        Ok(record.and_then(|record| unseal(key, &record).ok()))
    }

    /// Shows every such record whose key begins with `prefix` and is `wanted`, ascending; false when one of them is of no
    /// use.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged.
    pub(crate) fn each_derived<R: Record + Send>(
        &self,
        prefix: &[u8],
        wanted: &dyn Fn(&[u8]) -> bool,
        visit: &mut dyn FnMut(&[u8], R),
    ) -> Result<bool, CatalogueError> {
        let mut is_whole = true;
        let mut waiting: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut unseal_all = |waiting: Vec<(Vec<u8>, Vec<u8>)>| {
            let unsealed = parallel::share(waiting.chunks(SHARE), |(), records| {
                let records = records.iter();
                let unsealed = records.map(|(key, record)| unseal(key, record).ok());
                unsealed.collect::<Vec<Option<R>>>()
            });
            for ((key, _), record) in waiting.iter().zip(unsealed.into_iter().flatten()) {
                match record {
                    Some(record) => visit(key, record),
                    None => is_whole = false,
                }
            }
        };
        self.scan(R::TABLE, prefix, &mut |key, record| {
            if wanted(key) {
                waiting.push((key.to_vec(), record.to_vec()));
            }
            if waiting.len() >= UNSEALED {
                unseal_all(std::mem::take(&mut waiting));
            }
        })?;
        unseal_all(waiting);
        Ok(is_whole)
    }
}
