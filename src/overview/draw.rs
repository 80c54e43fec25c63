//! Draws what was judged together, so that the next list need not judge again.

use super::book::{Book, Entry, places};
use crate::backup::Backup;
use crate::catalogue::{Directory, Head, JUDGE, KnownFile, Overview, Row};
use crate::judgement::{Calendar, Successions};
use crate::selection::{Candidate, KnownCluster, sort_newest_first};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::hash::Hash;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// An overview of everything in the book.
///
/// The backups must have been judged at the beginning of time, when no certificate had expired: then all their
/// findings hold at any instant, and those on certificates follow from the calendar.
pub(super) fn draw(book: &Book, mut backups: Vec<Backup>) -> Overview {
    sort_newest_first(&mut backups);
    let (directories, index) = directories(book);
    let mut shared = Shared::default();
    let rows: Vec<Row> = backups
        .iter()
        .map(|backup| shared.row(backup, &index))
        .collect();
    let head = Head {
        judged_by: JUDGE.to_owned(),
        generation: book.contents.generation,
        rows: crate::bytes::to_u64(rows.len()),
        directories: crate::bytes::to_u64(directories.len()),
        clusters: shared.clusters.list,
        versions: shared.versions.list,
        marks: shared.marks.list,
        calendars: shared.calendars.list,
    };
    Overview {
        head,
        directories,
        rows,
    }
}

/// Where each file is found in the directories.
type Index<'b> = HashMap<&'b Path, (u32, u32)>;

/// Files by directory. Sorting by path leaves subdirectories between the files of one directory.
fn directories(book: &Book) -> (Vec<Directory>, Index<'_>) {
    let mut index = Index::new();
    let mut numbers: HashMap<&Path, usize> = HashMap::new();
    let mut directories: Vec<Directory> = Vec::new();
    for (path, entry) in &book.files {
        let parent = path.parent().unwrap_or(path);
        let number = *numbers.entry(parent).or_insert_with(|| {
            directories.push(Directory {
                path: parent.as_os_str().as_bytes().to_vec(),
                files: Vec::new(),
            });
            directories.len() - 1
        });
        if let Some(directory) = directories.get_mut(number) {
            index.insert(path, (ordinal(number), ordinal(directory.files.len())));
            directory.files.push(known_file(path, entry));
        }
    }
    (directories, index)
}

fn known_file(path: &Path, entry: &Entry) -> KnownFile {
    let name = path.file_name().map(OsStr::as_bytes);
    KnownFile {
        name: name.unwrap_or_default().to_vec(),
        is_present: entry.is_present,
        identity: entry.identity,
    }
}

/// Indexes are far smaller than this; one that is not fits nowhere and is refused when it is read.
fn ordinal(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Values that rows share.
#[derive(Default)]
struct Shared {
    clusters: Interned<KnownCluster>,
    versions: Interned<crate::backup::Version>,
    marks: Interned<Vec<(crate::finding::Code, crate::finding::Severity)>>,
    calendars: Interned<Calendar>,
    successions: Successions,
}

impl Shared {
    fn row(&mut self, backup: &Backup, index: &Index<'_>) -> Row {
        let halves = backup.halves();
        let cluster = KnownCluster::of(backup);
        Row {
            digest: backup.digest,
            snapshot: halves.snapshot,
            kuberesources: halves.kuberesources,
            cluster: cluster.map(|cluster| self.clusters.number(cluster)),
            version: self.versions.number(backup.version.clone()),
            marks: self.marks.number(backup.marks().into_owned()),
            calendar: self.calendars.number(self.successions.calendar(backup)),
            taken_at: backup.taken_at,
            size_bytes: backup.size_bytes(),
            places: places_of(backup, index),
        }
    }
}

/// The place that stands for the backup, then the others.
fn places_of(backup: &Backup, index: &Index<'_>) -> Vec<(u32, u32)> {
    let first = backup.path();
    let others = places(backup)
        .into_iter()
        .filter(|place| Some(*place) != first);
    let find = |place: &PathBuf| index.get(place.as_path()).copied();
    first.into_iter().chain(others).filter_map(find).collect()
}

/// A list without repetition.
struct Interned<T> {
    list: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            numbers: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Interned<T> {
    fn number(&mut self, value: T) -> u32 {
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        let number = ordinal(self.list.len());
        self.list.push(value.clone());
        self.numbers.insert(value, number);
        number
    }
}
