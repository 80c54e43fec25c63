//! The judged list as it is kept: its types, and how they lie in a table of the catalogue.
//!
//! It says for which generation of the catalogue, by which rules and of which files it was drawn, and whoever reads it
//! checks all three: what is out of date is never believed.
//!
//! | key | record |
//! |---|---|
//! | `h` | [`OverviewHead`] |
//! | `d`, number (big-endian) | up to [`DIRECTORY_FILES`] files by [`OverviewDirectory`] |
//! | `r`, number (big-endian) | up to [`ROWS`] [`OverviewRow`]s |

use crate::backup::Version;
use crate::catalogue::{Catalogue, CatalogueError, CatalogueReader, Record, SealedRecord, Table};
use crate::digest::Sha256Digest;
use crate::finding::{Code, Severity};
use crate::judgement::{Calendar, RULES};
use crate::selection::KnownCluster;
use crate::source::ObjectIdentity;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

const HEAD_KEY: &[u8] = b"h";
const DIRECTORIES: u8 = b'd';
/// Files in one record, from which on a new record is begun.
const DIRECTORY_FILES: usize = 1024;
const ROWS_KEY: u8 = b'r';
/// Rows in one record: some 64 KiB.
const ROWS: usize = 1024;

/// Everything judged at one moment. Indexes point into the lists of [`OverviewHead`] and into `directories`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    /// What rows share.
    pub head: OverviewHead,
    /// The files.
    pub directories: Vec<OverviewDirectory>,
    /// One for each backup, newest first.
    pub rows: Vec<OverviewRow>,
}

/// What rows share, each value once.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct OverviewHead {
    /// The [`RULES`] it was judged by.
    pub rules: u32,
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
pub struct OverviewDirectory {
    /// The bytes of its path.
    pub path: Vec<u8>,
    /// Its files.
    pub files: Vec<OverviewFile>,
}

/// One file as it was when it was judged.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct OverviewFile {
    /// The bytes of its name.
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
    /// Revision of etcd.
    pub revision: Option<i64>,
}

/// An overview of another version is none: it is drawn again.
impl Record for OverviewHead {
    const TABLE: Table = Table::Overview;
}

impl Record for Vec<OverviewDirectory> {
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

    /// What is kept; `None` when there is none, it is damaged or judged by other rules, or the catalogue was written
    /// to since.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub fn load(reader: &CatalogueReader<'_>) -> Result<Option<Self>, CatalogueError> {
        let Some(head) = reader.derived::<OverviewHead>(HEAD_KEY)? else {
            return Ok(None);
        };
        if head.rules != RULES || head.generation != reader.generation() {
            return Ok(None);
        }
        let directories = load_parts::<OverviewDirectory>(reader, DIRECTORIES, head.directories)?;
        let rows = load_parts::<OverviewRow>(reader, ROWS_KEY, head.rows)?;
        Ok(directories.zip(rows).map(|(directories, rows)| Self {
            head,
            directories,
            rows,
        }))
    }

    fn records(&self) -> Result<Vec<SealedRecord>, CatalogueError> {
        let table = Table::Overview;
        let mut records = vec![SealedRecord::new(table, HEAD_KEY.to_vec(), &self.head)?];
        for (number, part) in (0..).zip(parts(&self.directories)) {
            records.push(SealedRecord::new(
                table,
                part_key(DIRECTORIES, number),
                &part,
            )?);
        }
        for (number, rows) in (0..).zip(self.rows.chunks(ROWS)) {
            records.push(SealedRecord::new(table, part_key(ROWS_KEY, number), &rows)?);
        }
        Ok(records)
    }
}

/// All parts of one kind; `None` when one of them is of no use, or when they are not as many as there should be.
fn load_parts<T>(
    reader: &CatalogueReader<'_>,
    kind: u8,
    expected: u64,
) -> Result<Option<Vec<T>>, CatalogueError>
where
    Vec<T>: Record,
{
    let mut found = Vec::new();
    let is_whole = reader.each_derived(&[kind], &mut |part: Vec<T>| found.extend(part))?;
    let is_whole = is_whole && u64::try_from(found.len()) == Ok(expected);
    Ok(is_whole.then_some(found))
}

/// Whole directories, many small ones or one large one at a time.
fn parts(directories: &[OverviewDirectory]) -> impl Iterator<Item = &[OverviewDirectory]> {
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
