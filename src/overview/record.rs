//! The judged list as it is kept: its types, and how they lie in a table of the catalogue.
//!
//! It says for which generation of the catalogue, by which rules and of which files it was drawn, and whoever reads it
//! checks all three: what is out of date is never believed. It is kept in parts, so that a question reads those that it is
//! about: backups by cluster and version, files by directory.
//!
//! | key | record |
//! |---|---|
//! | `h` | [`OverviewHead`] |
//! | `c`, part | up to [`CALENDARS`] [`Calendar`]s |
//! | `d`, part | up to [`DIRECTORIES`] [`OverviewDirectory`]s |
//! | `f`, directory, part | up to [`FILES`] [`OverviewFile`]s of the directory |
//! | `r`, group, part | up to [`ROWS`] [`OverviewRow`]s of the group |
//!
//! Numbers are big-endian, of 4 bytes, and begin with 0.

use super::stamp::DirectoryStamp;
use crate::backup::{Verdict, Version};
use crate::catalogue::{Catalogue, CatalogueError, CatalogueReader, Record, SealedRecord, Table};
use crate::digest::Sha256Digest;
use crate::finding::{Code, Severity};
use crate::judgement::{Calendar, RULES};
use crate::selection::KnownCluster;
use crate::source::ObjectIdentity;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub(super) const HEAD_KEY: &[u8] = b"h";
pub(super) const CALENDARS_KEY: u8 = b'c';
pub(super) const DIRECTORIES_KEY: u8 = b'd';
pub(super) const FILES_KEY: u8 = b'f';
pub(super) const ROWS_KEY: u8 = b'r';

/// Calendars in one record.
pub(super) const CALENDARS: usize = 64;
/// Directories in one record.
pub(super) const DIRECTORIES: usize = 512;
/// Files in one record: some 4 KiB.
pub(super) const FILES: usize = 64;
/// Rows in one record: some 64 KiB.
const ROWS: usize = 1024;

/// Everything judged at one moment. Indexes point into the lists of [`OverviewHead`] and into those here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    /// What rows share.
    pub head: OverviewHead,
    /// When certificates end.
    pub calendars: Vec<Calendar>,
    /// Where files lie.
    pub directories: Vec<OverviewDirectory>,
    /// The files of each directory.
    pub files: Vec<Vec<OverviewFile>>,
    /// The backups of each group, newest first.
    pub rows: Vec<Vec<OverviewRow>>,
}

/// What rows share, each value once.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct OverviewHead {
    /// The [`RULES`] it was judged by.
    pub rules: u32,
    /// How often the catalogue had been written to.
    pub generation: u64,
    /// Nothing was left to be proven.
    pub is_settled: bool,
    /// How many calendars there are.
    pub calendars: u64,
    /// How many directories there are.
    pub directories: u64,
    /// Clusters.
    pub clusters: Vec<KnownCluster>,
    /// Versions.
    pub versions: Vec<Version>,
    /// Code and severity of findings that no clock changes.
    pub marks: Vec<Vec<(Code, Severity)>>,
    /// Backups of one cluster and version each.
    pub groups: Vec<OverviewGroup>,
}

/// The backups of one cluster and version.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OverviewGroup {
    /// Index of the cluster.
    pub cluster: Option<u32>,
    /// Index of the version.
    pub version: u32,
    /// How many backups.
    pub rows: u64,
}

/// One directory with files that the catalogue knows.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct OverviewDirectory {
    /// The bytes of its path.
    #[serde(with = "as_bytes")]
    pub path: Vec<u8>,
    /// How many of its files the catalogue knows.
    pub files: u64,
    /// What it looked like before they were looked for: while it looks so, none has come or gone. `None` where that cannot
    /// be told from the directory.
    pub stamp: Option<DirectoryStamp>,
}

/// One file as it was when it was judged.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct OverviewFile {
    /// The bytes of its name.
    #[serde(with = "as_bytes")]
    pub name: Vec<u8>,
    /// Whether it was there.
    pub is_present: bool,
    /// What it looked like when it was read.
    pub identity: ObjectIdentity,
}

/// One backup.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct OverviewRow {
    /// What its id is the beginning of.
    pub digest: Option<Sha256Digest>,
    /// Whether the snapshot was there; `None` without one.
    pub snapshot: Option<bool>,
    /// Whether the kuberesources was there; `None` without one.
    pub kuberesources: Option<bool>,
    /// Index of the marks.
    pub marks: u32,
    /// Index of the calendar.
    pub calendar: u32,
    /// When it was taken.
    #[serde(with = "crate::instant::option")]
    pub taken_at: Option<DateTime<Utc>>,
    /// Length of the snapshot, else of the kuberesources, in bytes.
    pub size_bytes: Option<u64>,
    /// Its files, the one that stands for it first: index of the directory, index of the file in it.
    pub places: Vec<(u32, u32)>,
    /// Revision of etcd.
    pub revision: Option<i64>,
    /// What it came to when it was verified last.
    pub verified_as: Option<Verdict>,
}

/// An overview of another version is none: it is drawn again.
impl Record for OverviewHead {
    const TABLE: Table = Table::Overview;
}

impl Record for Vec<Calendar> {
    const TABLE: Table = Table::Overview;
}

impl Record for Vec<OverviewDirectory> {
    const TABLE: Table = Table::Overview;
}

impl Record for Vec<OverviewFile> {
    const TABLE: Table = Table::Overview;
}

impl Record for Vec<OverviewRow> {
    const TABLE: Table = Table::Overview;
}

impl Overview {
    /// Keeps it in the place of another one, unless the catalogue was written to since the facts were loaded that it
    /// was judged by: then whoever wrote will judge again.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be written.
    pub fn keep(&self, catalogue: &Catalogue) -> Result<(), CatalogueError> {
        catalogue.keep_derived(Table::Overview, self.head.generation, self.records()?)
    }

    fn records(&self) -> Result<Vec<SealedRecord>, CatalogueError> {
        let mut records = vec![sealed(HEAD_KEY.to_vec(), &self.head)?];
        for (number, part) in (0..).zip(self.calendars.chunks(CALENDARS)) {
            records.push(sealed(key(CALENDARS_KEY, &[number]), &part)?);
        }
        for (number, part) in (0..).zip(self.directories.chunks(DIRECTORIES)) {
            records.push(sealed(key(DIRECTORIES_KEY, &[number]), &part)?);
        }
        for (directory, files) in (0..).zip(&self.files) {
            for (number, part) in (0..).zip(files.chunks(FILES)) {
                records.push(sealed(key(FILES_KEY, &[directory, number]), &part)?);
            }
        }
        for (group, rows) in (0..).zip(&self.rows) {
            for (number, part) in (0..).zip(rows.chunks(ROWS)) {
                records.push(sealed(key(ROWS_KEY, &[group, number]), &part)?);
            }
        }
        Ok(records)
    }
}

impl OverviewHead {
    /// The head of what is kept; `None` when there is none, it is damaged or judged by other rules, or the catalogue was
    /// written to since.
    pub(super) fn load(reader: &CatalogueReader<'_>) -> Result<Option<Self>, CatalogueError> {
        let head = reader.derived::<Self>(HEAD_KEY)?;
        Ok(head.filter(|head| head.rules == RULES && head.generation == reader.generation()))
    }
}

/// Bytes at once: one after the other, as the elements of any list, they look the same and take much longer to read.
mod as_bytes {
    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_bytes(Bytes)
    }

    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }
}

fn sealed(key: Vec<u8>, value: &impl Serialize) -> Result<SealedRecord, CatalogueError> {
    SealedRecord::new(Table::Overview, key, value)
}

pub(super) fn key(kind: u8, numbers: &[u32]) -> Vec<u8> {
    let mut key = vec![kind];
    for number in numbers {
        key.extend_from_slice(&number.to_be_bytes());
    }
    key
}

/// The numbers of a key.
pub(super) fn numbers(key: &[u8]) -> Vec<u32> {
    let numbers = key.get(1..).unwrap_or_default().chunks_exact(4);
    numbers
        .filter_map(|bytes| bytes.try_into().ok().map(u32::from_be_bytes))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_as_lists_of_them_are() -> Result<(), postcard::Error> {
        #[derive(Debug, Deserialize, PartialEq, Serialize)]
        struct Listed {
            path: Vec<u8>,
            files: u64,
            stamp: Option<DirectoryStamp>,
        }
        let path: Vec<u8> = (0..=255).collect();
        let directory = OverviewDirectory {
            path: path.clone(),
            files: 7,
            stamp: None,
        };
        let listed = Listed {
            path,
            files: 7,
            stamp: None,
        };
        let kept = postcard::to_stdvec(&directory)?;
        assert_eq!(kept, postcard::to_stdvec(&listed)?);
        assert_eq!(postcard::from_bytes::<OverviewDirectory>(&kept)?, directory);
        Ok(())
    }
}
