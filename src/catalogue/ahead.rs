//! A store as it will be once a batch has landed: what is on its way to the disk can be read meanwhile.

use super::store::{CatalogueStore, Operation, StoreError, Table, Visit};
use std::io;
use std::path::Path;

/// Operations, in order of tables and keys, on top of a store. It is read only.
pub(super) struct StoreAhead<'s> {
    below: &'s dyn CatalogueStore,
    operations: &'s [Operation],
}

impl<'s> StoreAhead<'s> {
    pub(super) fn new(below: &'s dyn CatalogueStore, operations: &'s [Operation]) -> Self {
        Self { below, operations }
    }

    /// The operations on one table, from this key on.
    fn from(&self, table: Table, key: &[u8]) -> &'s [Operation] {
        let is_before = |one: &Operation| one.place() < (table, key);
        let first = self.operations.partition_point(is_before);
        let rest = self.operations.get(first..).unwrap_or_default();
        let of_table = rest.partition_point(|one| one.table() == table);
        rest.get(..of_table).unwrap_or_default()
    }
}

/// The key of an operation.
fn key(operation: &Operation) -> &[u8] {
    operation.place().1
}

/// Those of each key, of which the last one counts.
fn by_key(operations: &[Operation]) -> impl Iterator<Item = &Operation> {
    let of_keys = operations.chunk_by(|one, next| key(one) == key(next));
    of_keys.filter_map(<[Operation]>::last)
}

impl CatalogueStore for StoreAhead<'_> {
    fn get(&self, table: Table, wanted: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let first = by_key(self.from(table, wanted)).next();
        match first.filter(|first| key(first) == wanted) {
            Some(own) => Ok(own.value().map(<[u8]>::to_vec)),
            None => self.below.get(table, wanted),
        }
    }

    fn scan(&self, table: Table, prefix: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        let own = self.from(table, prefix);
        let within = own.partition_point(|one| key(one).starts_with(prefix));
        let mut own = by_key(own.get(..within).unwrap_or_default()).peekable();
        self.below.scan(table, prefix, &mut |there, value| {
            while let Some(before) = own.next_if(|one| key(one) < there) {
                show(before, visit);
            }
            match own.next_if(|one| key(one) == there) {
                Some(instead) => show(instead, visit),
                None => visit(there, value),
            }
        })?;
        own.for_each(|one| show(one, visit));
        Ok(())
    }

    fn apply(&mut self, _: Vec<Operation>) -> Result<(), StoreError> {
        let source = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
        Err(StoreError::io("write", Path::new("in memory"), source))
    }
}

fn show(operation: &Operation, visit: Visit<'_>) {
    if let Some(value) = operation.value() {
        visit(key(operation), value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::MemoryStore;
    use super::*;
    use proptest::prelude::*;

    const TABLES: [Table; 2] = [Table::Files, Table::Snapshots];

    fn operation() -> impl Strategy<Value = Operation> {
        let key = proptest::collection::vec(0..3_u8, 0..4);
        let value = proptest::option::of(any::<[u8; 1]>());
        (0..TABLES.len(), key, value).prop_map(|(table, key, value)| {
            let table = TABLES.get(table).copied().unwrap_or(Table::Files);
            match value {
                Some(value) => Operation::Put {
                    table,
                    key,
                    value: value.to_vec(),
                },
                None => Operation::Delete { table, key },
            }
        })
    }

    fn all(store: &dyn CatalogueStore, table: Table, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found = Vec::new();
        let read = store.scan(table, prefix, &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
        });
        read.expect("memory can be read");
        found
    }

    proptest! {
        #[test]
        fn what_is_read_ahead_is_what_will_be_there(
            before in proptest::collection::vec(operation(), 0..40),
            mut batch in proptest::collection::vec(operation(), 0..40),
            prefix in proptest::collection::vec(0..3_u8, 0..3),
        ) {
            batch.sort_by(|one, other| one.place().cmp(&other.place()));
            let mut store = MemoryStore::default();
            store.apply(before).expect("memory takes everything");
            let mut landed = MemoryStore::default();
            for table in TABLES {
                let puts = all(&store, table, &[]).into_iter();
                let puts = puts.map(|(key, value)| Operation::Put { table, key, value });
                landed.apply(puts.collect()).expect("memory takes everything");
            }
            landed.apply(batch.clone()).expect("memory takes everything");
            let ahead = StoreAhead::new(&store, &batch);
            for table in TABLES {
                prop_assert_eq!(all(&ahead, table, &prefix), all(&landed, table, &prefix));
                let (seen, there) = (ahead.get(table, &prefix), landed.get(table, &prefix));
                prop_assert_eq!(seen.expect("memory"), there.expect("memory"));
            }
        }
    }
}
