//! A store that ends with the process: for `--no-catalogue`.

use super::store::{CatalogueStore, Operation, StoreError, Table, Visit};
use std::collections::BTreeMap;

/// Ordered tables in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(BTreeMap<(Table, Vec<u8>), Vec<u8>>);

impl CatalogueStore for MemoryStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&(table, key.to_vec())).cloned())
    }

    fn scan(&self, table: Table, prefix: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        let from = (table, prefix.to_vec());
        self.0
            .range(from..)
            .take_while(|((at, key), _)| *at == table && key.starts_with(prefix))
            .for_each(|((_, key), value)| visit(key, value));
        Ok(())
    }

    fn apply(&mut self, batch: Vec<Operation>) -> Result<(), StoreError> {
        for operation in batch {
            match operation {
                Operation::Put { table, key, value } => self.0.insert((table, key), value),
                Operation::Delete { table, key } => self.0.remove(&(table, key)),
            };
        }
        Ok(())
    }
}
