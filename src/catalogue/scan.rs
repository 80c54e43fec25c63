//! Going through a table on all processors: one thread reads the store, and what lies in it is worked on meanwhile.

use super::error::CatalogueError;
use super::reader::CatalogueReader;
use super::store::Table;
use crate::parallel;

/// Bytes of records that one thread is handed.
const SHARE_BYTES: usize = 32 << 10;

/// Keys and records as they lie in the store, one after the other: threads that give back each other's small pieces of
/// memory wait for each other.
#[derive(Default)]
struct Records {
    bytes: Vec<u8>,
    /// Of each key, and of its record.
    ends: Vec<(usize, usize)>,
}

impl Records {
    fn push(&mut self, key: &[u8], record: &[u8]) {
        self.bytes.extend_from_slice(key);
        let end_of_key = self.bytes.len();
        self.bytes.extend_from_slice(record);
        self.ends.push((end_of_key, self.bytes.len()));
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |(end_of_key, end)| {
            let key = self.bytes.get(start..*end_of_key);
            let record = self.bytes.get(*end_of_key..*end);
            start = *end;
            (key.unwrap_or_default(), record.unwrap_or_default())
        })
    }
}

impl CatalogueReader<'_> {
    /// Shows every record whose key begins with `prefix` and is `wanted` to `work`, and what comes of each to `take`,
    /// ascending.
    pub(super) fn scan_shared<T: Send>(
        &self,
        table: Table,
        prefix: &[u8],
        wanted: &dyn Fn(&[u8]) -> bool,
        work: &(dyn Fn(&[u8], &[u8]) -> T + Sync),
        take: &mut dyn FnMut(&[u8], T),
    ) -> Result<(), CatalogueError> {
        let bring = |give: &mut dyn FnMut(Records)| {
            let mut records = Records::default();
            self.scan(table, prefix, &mut |key, record| {
                if wanted(key) {
                    records.push(key, record);
                }
                if records.bytes.len() >= SHARE_BYTES {
                    give(std::mem::take(&mut records));
                }
            })?;
            if !records.ends.is_empty() {
                give(records);
            }
            Ok(())
        };
        let work_on_all = |records: Records| {
            let done = records.iter().map(|(key, record)| work(key, record));
            let done: Vec<T> = done.collect();
            (records, done)
        };
        let take_all = |(records, done): (Records, Vec<T>)| {
            let all = records.iter().zip(done);
            all.for_each(|((key, _), one)| take(key, one));
        };
        parallel::as_they_come(bring, work_on_all, take_all)
    }
}
