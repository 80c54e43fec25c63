//! How many records each table has, and the sum of their checksums: what has vanished from a table as a whole, or from
//! a page of it, leaves nothing behind whose own checksum could fail.
//!
//! Kept in [`Table::About`], brought up to date with every batch, and held against what is there whenever a whole table
//! is read. It counts only for the generation that it names: a program that knows nothing of it may have written since.

use super::error::CatalogueError;
use super::seal::{seal, unseal};
use super::store::{Operation, Table};
use super::version::Record;
use crate::digest::Crc32c;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(super) const KEY: &[u8] = b"sums";

/// One table.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct TableSum {
    pub(super) records: u64,
    /// Of the checksums of keys and values; the order does not matter.
    sum: u64,
}

impl TableSum {
    /// Counts one record.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.records = self.records.wrapping_add(1);
        self.sum = self.sum.wrapping_add(of_record(key, value));
    }

    /// Counts one record in the place of another.
    pub(super) fn replace(&mut self, before: Option<u64>, now: Option<u64>) {
        let count = |record: Option<u64>| u64::from(record.is_some());
        self.records = (self.records.wrapping_sub(count(before))).wrapping_add(count(now));
        let sum = self.sum.wrapping_sub(before.unwrap_or(0));
        self.sum = sum.wrapping_add(now.unwrap_or(0));
    }
}

/// What one record adds to a sum.
pub(super) fn of_record(key: &[u8], value: &[u8]) -> u64 {
    u64::from(Crc32c::of(key).followed_by(value).value)
}

impl Operation {
    /// What its record adds to a sum, if it leaves one.
    pub(super) fn sum(&self) -> Option<u64> {
        let (_, key) = self.place();
        self.value().map(|value| of_record(key, value))
    }
}

/// All tables, by name.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct TableSums {
    generation: u64,
    tables: BTreeMap<String, TableSum>,
}

impl Record for TableSums {
    const TABLE: Table = Table::About;
}

impl TableSums {
    /// What is kept, if it is of this generation.
    pub(super) fn of(record: &[u8], generation: u64) -> Option<Self> {
        let sums: Self = unseal(KEY, record).ok()?;
        (sums.generation == generation).then_some(sums)
    }

    /// What a table was when it was written last.
    pub(super) fn table(&self, table: Table) -> TableSum {
        self.tables.get(table.name()).copied().unwrap_or_default()
    }

    /// One table, to be brought up to date.
    pub(super) fn table_mut(&mut self, table: Table) -> &mut TableSum {
        self.tables.entry(table.name().to_owned()).or_default()
    }

    /// The operation that keeps them for a generation.
    pub(super) fn kept(mut self, generation: u64) -> Result<Operation, CatalogueError> {
        self.generation = generation;
        let table = Table::About;
        let value = seal(table, KEY, &self).map_err(|source| CatalogueError::Record {
            table: table.name(),
            source,
        })?;
        let key = KEY.to_vec();
        Ok(Operation::Put { table, key, value })
    }
}

/// True for tables whose records are counted. No answer about a backup is drawn from what came of the last runs.
pub(super) fn is_counted(table: Table) -> bool {
    !matches!(table, Table::About | Table::Overview | Table::Runs)
}
