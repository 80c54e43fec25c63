//! The door for a room above that keeps something in a table of its own: records drawn from all others, which are worth
//! nothing once one of those has changed.

use super::error::CatalogueError;
use super::reader::CatalogueReader;
use super::seal::{seal, unseal};
use super::store::{Operation, Table};
use super::version::Record;
use crate::parallel;
use serde::Serialize;

/// Records that are looked up and unsealed by one thread at a time; each is up to some 64 KiB.
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

    /// Such records under `keys`, in their order; `None` when one of them is of no use.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged.
    pub(crate) fn derived_each<R: Record>(
        &self,
        keys: &[Vec<u8>],
    ) -> Result<Option<Vec<R>>, CatalogueError> {
        let read = parallel::share(keys.chunks(SHARE), |(), keys| {
            let records = self.bytes_of_each(R::TABLE, keys)?;
            let unsealed = keys.iter().zip(records);
            let unsealed = unsealed.map(|(key, record)| unseal(key, &record?).ok());
            Ok(unsealed.collect::<Option<Vec<R>>>())
        });
        let mut found = Vec::with_capacity(keys.len());
        for part in read {
            match part? {
                Some(records) => found.extend(records),
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// Shows every such record whose key begins with `prefix` and is `wanted`, ascending; false when one of them is of no
    /// use.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged.
    pub(crate) fn each_derived<R: Record>(
        &self,
        prefix: &[u8],
        wanted: &dyn Fn(&[u8]) -> bool,
        visit: &mut dyn FnMut(&[u8], R),
    ) -> Result<bool, CatalogueError> {
        let mut is_whole = true;
        let read = |key: &[u8], record: &[u8]| unseal(key, record).ok();
        self.scan_shared(
            R::TABLE,
            prefix,
            wanted,
            &read,
            &mut |key, record| match record {
                Some(record) => visit(key, record),
                None => is_whole = false,
            },
        )?;
        Ok(is_whole)
    }
}
