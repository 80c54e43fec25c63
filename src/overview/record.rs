//! What was judged last, in short: enough for a list without loading a fact or pairing anything again.
//!
//! It is drawn from the rest of the catalogue and from the files as they were then. It says for which generation of
//! the catalogue and which files that was, and whoever reads it checks both: what is out of date is never believed.
//!
//! | key | record |
//! |---|---|
//! | `h` | [`Head`] |
//! | `d`, number (big-endian) | up to [`DIRECTORY_FILES`] files by [`Directory`] |
//! | `r`, number (big-endian) | up to [`ROWS`] [`Row`]s |

use super::error::CatalogueError;
use super::reader::Reader;
use super::seal::{RecordError, seal, unseal};
use super::store::{Operation, Table};
use crate::backup::Version;
use crate::digest::Sha256Digest;
use crate::discovery::FileIdentity;
use crate::finding::{Code, Severity};
use crate::judgement::Calendar;
use crate::selection::KnownCluster;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// This etcd-cat.
pub(crate) const JUDGE: &str = env!("CARGO_PKG_VERSION");

const HEAD_KEY: &[u8] = b"h";
/// Rows in one record: some 64 KiB.
const ROWS: usize = 1024;
/// Files in one record, from which on a new record is begun.
const DIRECTORY_FILES: usize = 1024;

/// Everything judged at one moment. Indexes point into the lists of [`Head`] and into `directories`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    /// What rows share.
    pub head: Head,
    /// The files.
    pub directories: Vec<Directory>,
    /// One for each backup, newest first.
    pub rows: Vec<Row>,
}

/// What rows share, each value once.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Head {
    /// The etcd-cat that judged: another one may judge otherwise.
    pub judged_by: String,
    /// How often the catalogue had been written to.
    pub generation: u64,
    /// How many rows there are.
    pub rows: u64,
    /// How many directories there are.
    pub directories: u64,
    /// Clusters.
    pub clusters: Vec<KnownCluster>,
    /// Versions.
    pub versions: Vec<Version>,
    /// Code and severity of findings that no clock changes.
    pub marks: Vec<Vec<(Code, Severity)>>,
    /// When certificates end.
    pub calendars: Vec<Calendar>,
}

/// One directory with files that the catalogue knows.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Directory {
    /// The bytes of its path.
    pub path: Vec<u8>,
    /// Its files.
    pub files: Vec<KnownFile>,
}

/// One file as it was when it was judged.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct KnownFile {
    /// The bytes of its name.
    pub name: Vec<u8>,
    /// Whether it was there.
    pub is_present: bool,
    /// What it looked like when it was read.
    pub identity: FileIdentity,
}

/// One backup.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Row {
    /// What its id is the beginning of.
    pub digest: Option<Sha256Digest>,
    /// Whether the snapshot was there; `None` without one.
    pub snapshot: Option<bool>,
    /// Whether the kuberesources was there; `None` without one.
    pub kuberesources: Option<bool>,
    /// Index of the cluster.
    pub cluster: Option<u32>,
    /// Index of the version.
    pub version: u32,
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
}

impl Overview {
    /// The operations that put this overview in the place of another one.
    pub(super) fn operations(self, before: &Reader<'_>) -> Result<Vec<Operation>, CatalogueError> {
        let table = Table::Overview;
        let mut operations = Vec::new();
        before.scan(table, &[], &mut |key, _| {
            let key = key.to_vec();
            operations.push(Operation::Delete { table, key });
        })?;
        let mut put = |key: Vec<u8>, value: Result<Vec<u8>, RecordError>| {
            let value = value.map_err(|source| CatalogueError::Record {
                table: table.name(),
                source,
            })?;
            operations.push(Operation::Put { table, key, value });
            Ok(())
        };
        put(HEAD_KEY.to_vec(), seal(HEAD_KEY, &self.head))?;
        for (number, part) in (0..).zip(parts(&self.directories)) {
            let key = part_key(b'd', number);
            put(key.clone(), seal(&key, &part))?;
        }
        for (number, rows) in (0..).zip(self.rows.chunks(ROWS)) {
            let key = part_key(b'r', number);
            put(key.clone(), seal(&key, &rows))?;
        }
        Ok(operations)
    }

    /// The overview, unless there is none, it is damaged, or the catalogue was written to since.
    pub(super) fn read(reader: &Reader<'_>) -> Result<Option<Self>, CatalogueError> {
        let Some(head) = reader.one::<Head>(Table::Overview, HEAD_KEY)? else {
            return Ok(None);
        };
        if head.judged_by != JUDGE || head.generation != reader.generation()? {
            return Ok(None);
        }
        let directories = read_parts::<Directory>(reader, b'd', head.directories)?;
        let rows = read_parts::<Row>(reader, b'r', head.rows)?;
        Ok(directories.zip(rows).map(|(directories, rows)| Self {
            head,
            directories,
            rows,
        }))
    }
}

/// All records of one kind; `None` when one of them is of no use, or when they are not as many as there should be.
fn read_parts<T: serde::de::DeserializeOwned>(
    reader: &Reader<'_>,
    kind: u8,
    expected: u64,
) -> Result<Option<Vec<T>>, CatalogueError> {
    let mut found = Vec::new();
    let mut is_whole = true;
    reader.scan(
        Table::Overview,
        &[kind],
        &mut |key, value| match unseal::<Vec<T>>(key, value) {
            Ok(part) => found.extend(part),
            Err(_damaged) => is_whole = false,
        },
    )?;
    let is_whole = is_whole && u64::try_from(found.len()) == Ok(expected);
    Ok(is_whole.then_some(found))
}

/// Whole directories, many small ones or one large one at a time.
fn parts(directories: &[Directory]) -> impl Iterator<Item = &[Directory]> {
    let mut files = 0;
    directories.chunk_by(move |before, _| {
        files += before.files.len();
        let is_full = files >= DIRECTORY_FILES;
        if is_full {
            files = 0;
        }
        !is_full
    })
}

fn part_key(kind: u8, number: u32) -> Vec<u8> {
    [[kind].as_slice(), &number.to_be_bytes()].concat()
}
