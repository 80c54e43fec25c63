//! Counts what tables hold: what is kept with every batch.

use super::error::CatalogueError;
use super::reader::CatalogueReader;
use super::store::{Operation, Table};
use super::sums::{TableSums, is_counted, of_record};
use std::collections::HashMap;

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
