//! What a catalogue says of itself: its layout, how often it was written to, and which versions its records have.

use super::error::CatalogueError;
use super::store::{CatalogueStore, Operation, StoreError, Table};
use super::sums::{self, TableSums};
use std::collections::BTreeMap;
use std::path::Path;

/// The number of the layout: which tables there are and what their keys look like. From 2 on each table says the
/// version of its records; before, all have the first.
const LAYOUT: &str = "2";
/// Layouts that are read; all but the last are made the last by whoever writes.
const LAYOUTS: [&str; 2] = ["1", LAYOUT];
const LAYOUT_KEY: &[u8] = b"layout";
const GENERATION_KEY: &[u8] = b"generation";
/// Before the name of a table.
const VERSION_PREFIX: &[u8] = b"version/";

/// The records of [`Table::About`].
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    layout: Option<String>,
    /// How often the catalogue was written to.
    pub(super) generation: u64,
    /// The highest version that records of a table have, by its name.
    versions: BTreeMap<String, String>,
    /// What the tables were when they were written last; `None` where no program has said so since.
    pub(super) sums: Option<TableSums>,
}

impl About {
    /// Reads all of it.
    pub(super) fn read(store: &dyn CatalogueStore) -> Result<Self, StoreError> {
        let mut about = Self::default();
        let mut sums = None;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        store.scan(Table::About, &[], &mut |key, value| {
            if key == sums::KEY {
                sums = Some(value.to_vec());
            } else if key == LAYOUT_KEY {
                about.layout = Some(text(value));
            } else if key == GENERATION_KEY {
                about.generation = value.try_into().map_or(0, u64::from_be_bytes);
            } else if let Some(table) = key.strip_prefix(VERSION_PREFIX) {
                about.versions.insert(text(table), text(value));
            }
        })?;
        about.sums = sums.and_then(|sums| TableSums::of(&sums, about.generation));
        Ok(about)
    }

    /// A later etcd-cat may keep other tables and other records: they are not to be mixed with ours.
    pub(super) fn check(&self, path: &Path) -> Result<(), CatalogueError> {
        let escaped = |text: &str| text.escape_debug().to_string();
        if let Some(found) = &self.layout
            && !LAYOUTS.contains(&found.as_str())
        {
            return Err(CatalogueError::Layout {
                path: path.to_owned(),
                found: escaped(found),
                expected: LAYOUT,
            });
        }
        for (name, found) in &self.versions {
            let expected = Table::named(name).map_or(0, Table::version);
            if found.parse::<u8>().is_ok_and(|found| found <= expected) {
                continue;
            }
            return Err(CatalogueError::Version {
                path: path.to_owned(),
                table: escaped(name),
                found: escaped(found),
                expected,
            });
        }
        Ok(())
    }

    /// What is to be written beside some operations: the versions of the records they write.
    pub(super) fn beside(&self, operations: &[Operation]) -> Vec<Operation> {
        let mut beside = Vec::new();
        if self.layout.as_deref() != Some(LAYOUT) {
            beside.push(put(LAYOUT_KEY.to_vec(), LAYOUT.as_bytes()));
        }
        let mut tables: Vec<Table> = operations.iter().filter_map(Operation::filled).collect();
        tables.sort_unstable();
        tables.dedup();
        for table in tables {
            let version = table.version().to_string();
            if self.versions.get(table.name()) != Some(&version) {
                let key = [VERSION_PREFIX, table.name().as_bytes()].concat();
                beside.push(put(key, version.as_bytes()));
            }
        }
        beside
    }

    /// False for a catalogue that does not say what it is.
    pub(super) fn has_layout(&self) -> bool {
        self.layout.is_some()
    }

    /// The number of the generation that is written next.
    pub(super) fn next_number(&self) -> u64 {
        self.generation.wrapping_add(1)
    }

    /// What it will say once a batch is written that leaves these sums.
    pub(super) fn once_written(&self, sums: TableSums) -> Self {
        Self {
            generation: self.next_number(),
            sums: Some(sums),
            ..self.clone()
        }
    }

    /// Says that the catalogue was written to once more.
    pub(super) fn next_generation(&self) -> Operation {
        put(GENERATION_KEY.to_vec(), &self.next_number().to_be_bytes())
    }
}

/// What a catalogue says of itself from the beginning: its key and value in [`Table::About`].
pub(super) const FIRST: (&[u8], &[u8]) = (LAYOUT_KEY, LAYOUT.as_bytes());

fn put(key: Vec<u8>, value: &[u8]) -> Operation {
    Operation::Put {
        table: Table::About,
        key,
        value: value.to_vec(),
    }
}
