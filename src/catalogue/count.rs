//! Counts what tables hold: what is kept with every batch.

use super::contents::SkippedRecord;
use super::error::CatalogueError;
use super::reader::CatalogueReader;
use super::seal::is_damaged;
use super::store::{Operation, Table};
use super::sums::{TableSum, TableSums, is_counted, of_record};
use crate::parallel;

/// What lies under a key before some operations on it.
struct Stored {
    /// What it adds to the sum of its table.
    sum: Option<u64>,
    /// The same after each of the operations.
    sums_after: Vec<Option<u64>>,
    /// Nothing changes by these operations.
    is_same: bool,
}

/// Records that are looked up together: of many, all values would lie in memory twice.
const AT_A_TIME: usize = 1024;

/// About a thousand backups: some 30 ms.
const LOOKED_OVER_BYTES: u64 = 32 << 20;

impl CatalogueReader<'_> {
    /// Takes out of these operations, which are in order of tables and keys, what changes nothing; the sums after the rest.
    pub(super) fn settle(
        &self,
        before: &TableSums,
        operations: &mut Vec<Operation>,
    ) -> Result<TableSums, CatalogueError> {
        let mut sums = before.clone();
        let mut is_needed = Vec::with_capacity(operations.len());
        for of_table in operations.chunk_by(|one, next| one.table() == next.table()) {
            let of_keys: Vec<_> = of_table
                .chunk_by(|one, next| one.place() == next.place())
                .collect();
            let stored = self.stored(&of_keys)?;
            for (of_key, stored) in of_keys.into_iter().zip(stored) {
                let table = of_key.first().map(Operation::table);
                let mut before = stored.sum;
                for now in stored.sums_after {
                    if let Some(table) = table.filter(|table| is_counted(*table)) {
                        sums.table_mut(table).replace(before, now);
                    }
                    before = now;
                }
                // All of them, or what is written in between would be left.
                is_needed.extend(of_key.iter().map(|_| !stored.is_same));
            }
        }
        let mut is_needed = is_needed.into_iter();
        operations.retain(|_| is_needed.next().unwrap_or(true));
        Ok(sums)
    }

    /// What the store holds under the keys of some operations on one table.
    fn stored(&self, of_keys: &[&[Operation]]) -> Result<Vec<Stored>, CatalogueError> {
        let stored = parallel::share(of_keys.chunks(AT_A_TIME), |(), of_keys| {
            let firsts = of_keys.iter().filter_map(|of_key| of_key.first());
            let table = firsts.clone().map(Operation::table).next();
            let keys: Vec<Vec<u8>> = firsts.map(|one| one.place().1.to_vec()).collect();
            let found = table.map(|table| self.bytes_of_each(table, &keys));
            let found = found.transpose()?.unwrap_or_default();
            let each = of_keys.iter().zip(keys).zip(found);
            let stored = each.map(|((of_key, key), found)| Stored {
                sum: found.as_ref().map(|value| of_record(&key, value)),
                sums_after: of_key.iter().map(Operation::sum).collect(),
                is_same: of_key.iter().all(|one| one.value() == found.as_deref()),
            });
            Ok(stored.collect::<Vec<Stored>>())
        });
        let stored: Result<Vec<Vec<Stored>>, CatalogueError> = stored.into_iter().collect();
        Ok(stored?.into_iter().flatten().collect())
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
