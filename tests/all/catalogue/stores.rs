//! Rules that every store keeps.

use crate::catalogue::TestResult;
use etcd_cat::catalogue::{
    Access, CatalogueStore, MemoryStore, Operation, RedbStore, StoreError, Table,
};
use std::path::Path;

fn put(table: Table, key: &[u8], value: &[u8]) -> Operation {
    let (key, value) = (key.to_vec(), value.to_vec());
    Operation::Put { table, key, value }
}

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

fn scan(store: &dyn CatalogueStore, table: Table, prefix: &[u8]) -> Result<Entries, StoreError> {
    let mut found = Vec::new();
    store.scan(table, prefix, &mut |key, value| {
        found.push((key.to_vec(), value.to_vec()));
    })?;
    Ok(found)
}

fn entries(entries: &[(&[u8], &[u8])]) -> Entries {
    entries
        .iter()
        .map(|(key, value)| (key.to_vec(), value.to_vec()))
        .collect()
}

/// Tables apart, prefixes exact, batches in order, ascending scans.
fn keeps_ordered_tables(store: &mut dyn CatalogueStore) -> TestResult {
    assert_eq!(store.get(Table::Files, b"a")?, None, "never written");
    assert_eq!(
        scan(store, Table::Files, b"")?,
        entries(&[]),
        "never written"
    );
    store.apply(vec![
        put(Table::Files, b"b", b"2"),
        put(Table::Overview, b"a", b"other table"),
        put(Table::Files, b"a\xff", b"1"),
        put(Table::Files, b"a", b"0"),
        put(Table::Files, b"b", b"3"),
    ])?;
    assert_eq!(
        store.get(Table::Files, b"b")?.as_deref(),
        Some(b"3".as_slice())
    );
    assert_eq!(
        scan(store, Table::Files, b"")?,
        entries(&[(b"a", b"0"), (b"a\xff", b"1"), (b"b", b"3")])
    );
    assert_eq!(
        scan(store, Table::Files, b"a")?,
        entries(&[(b"a", b"0"), (b"a\xff", b"1")])
    );
    let keys = ["b", "c", "", "a"].map(|key| key.as_bytes().to_vec());
    let found = store.get_each(Table::Files, &keys)?;
    let text = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(found, [text("3"), None, None, text("0")]);
    assert_eq!(store.get_each(Table::Runs, &keys)?, vec![None; 4]);
    let (table, key) = (Table::Files, b"a".to_vec());
    let gone = (Table::Files, b"never there".to_vec());
    store.apply(vec![
        Operation::Delete { table, key },
        Operation::Delete {
            table: gone.0,
            key: gone.1,
        },
    ])?;
    assert_eq!(
        scan(store, Table::Files, b"a")?,
        entries(&[(b"a\xff", b"1")])
    );
    assert_eq!(
        scan(store, Table::Overview, b"")?,
        entries(&[(b"a", b"other table")])
    );
    Ok(())
}

type Open = fn(&Path, Access) -> Result<Option<Box<dyn CatalogueStore>>, StoreError>;

fn boxed(store: impl CatalogueStore + 'static) -> Box<dyn CatalogueStore> {
    Box::new(store)
}

fn open_redb(path: &Path, access: Access) -> Result<Option<Box<dyn CatalogueStore>>, StoreError> {
    Ok(RedbStore::open(path, access)?.map(boxed))
}

#[cfg(feature = "store-sled")]
fn open_sled(path: &Path, access: Access) -> Result<Option<Box<dyn CatalogueStore>>, StoreError> {
    let store = etcd_cat::catalogue::SledStore::open(path, access)?;
    Ok(store.map(boxed))
}

const STORES: &[(&str, Open)] = &[
    ("redb", open_redb),
    #[cfg(feature = "store-sled")]
    ("sled", open_sled),
];

#[test]
fn every_store_keeps_ordered_tables() -> TestResult {
    keeps_ordered_tables(&mut MemoryStore::default())?;
    for (name, open) in STORES {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("store");
        assert!(
            open(&path, Access::Read)?.is_none(),
            "{name}: nothing there"
        );
        assert!(!path.exists(), "{name}: reading creates nothing");
        keeps_ordered_tables(open(&path, Access::Write)?.expect(name).as_mut())?;
        let reopened = open(&path, Access::Read)?.expect(name);
        assert_eq!(
            scan(reopened.as_ref(), Table::Files, b"")?,
            entries(&[(b"a\xff", b"1"), (b"b", b"3")]),
            "{name}"
        );
    }
    Ok(())
}

#[test]
fn a_store_in_use_is_busy() -> TestResult {
    for (name, open) in STORES {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("store");
        let held = open(&path, Access::Write)?;
        for access in [Access::Read, Access::Write] {
            let second = open(&path, access).map(|_| ());
            assert!(
                matches!(second, Err(StoreError::Busy)),
                "{name} {access:?}: {second:?}"
            );
        }
        drop(held);
        assert!(open(&path, Access::Write)?.is_some(), "{name}");
    }
    Ok(())
}
