//! Counts what tables hold: what is kept with every batch.

use super::contents::SkippedRecord;
use super::error::CatalogueError;
use super::reader::CatalogueReader;
use super::seal::is_damaged;
use super::store::{Operation, Table};
use super::sums::{TableSum, TableSums, is_counted, of_record};
use crate::parallel;
use std::collections::HashMap;

/// About a thousand backups: some 30 ms.
const LOOKED_OVER_BYTES: u64 = 32 << 20;

impl CatalogueReader<'_> {
    /// The sums after some operations.
    pub(super) fn sums_after(
        &self,
        before: &TableSums,
        operations: &[Operation],
    ) -> Result<TableSums, CatalogueError> {
        let mut sums = before.clone();
        let mut written: HashMap<(Table, &[u8]), Option<u64>> = HashMap::new();
        for operation in operations {
            let (table, key, now) = match operation {
                Operation::Put { table, key, value } => {
                    (*table, key.as_slice(), Some(of_record(key, value)))
                }
                Operation::Delete { table, key } => (*table, key.as_slice(), None),
            };
            if !is_counted(table) {
                continue;
            }
            let stored = match written.get(&(table, key)) {
                Some(stored) => *stored,
                None => {
                    let stored = self.bytes(table, key)?;
                    stored.map(|value| of_record(key, &value))
                }
            };
            written.insert((table, key), now);
            sums.table_mut(table).replace(stored, now);
        }
        Ok(sums)
    }

    /// Looks at every record for an answer that needs few of them, and tells of those that are not as they were written;
    /// a catalogue so large that this would be felt is left to answers that need all of it.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged.
    pub(crate) fn look_over(&self) -> Result<(), CatalogueError> {
        let length = std::fs::metadata(&self.path).map(|metadata| metadata.len());
        if !length.is_ok_and(|length| length <= LOOKED_OVER_BYTES) {
            return Ok(());
        }
        self.look_at_all()
    }

    /// The same, however large the catalogue is.
    ///
    /// # Errors
    ///
    /// As [`look_over`](Self::look_over).
    pub(crate) fn look_at_all(&self) -> Result<(), CatalogueError> {
        let tables: Vec<Table> = Table::ALL
            .into_iter()
            .filter(|table| is_counted(*table))
            .collect();
        let looked = parallel::share(tables.into_iter(), |(), table| self.look_at(table));
        looked.into_iter().collect()
    }

    fn look_at(&self, table: Table) -> Result<(), CatalogueError> {
        let mut sum = TableSum::default();
        self.scan(table, &[], &mut |key, record| {
            sum.add(key, record);
            if is_damaged(table, key, record) {
                let reason = "it is not as it was written";
                let record = SkippedRecord::new(table, key, reason);
                self.damage.tell_record(&record);
            }
        })?;
        self.hold_against(table, sum);
        Ok(())
    }

    /// The sums of what is there.
    pub(super) fn counted(&self) -> Result<TableSums, CatalogueError> {
        let mut sums = TableSums::default();
        for table in Table::ALL.into_iter().filter(|table| is_counted(*table)) {
            let sum = sums.table_mut(table);
            self.scan(table, &[], &mut |key, value| sum.add(key, value))?;
        }
        Ok(sums)
    }
}
