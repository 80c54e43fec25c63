//! Draws what was judged together, so that the next list need not judge again.

use super::record::{
    Overview, OverviewDirectory, OverviewFile, OverviewGroup, OverviewHead, OverviewRow,
};
use super::stamp::Stamps;
use crate::backup::{Backup, Version};
use crate::finding::{Code, Finding, Severity};
use crate::judgement::{Calendar, RULES, Successions};
use crate::parallel::{self, PIECE};
use crate::selection::{Candidate, KnownCluster, sort_newest_first};
use crate::source::{ObjectId, ObjectIdentity};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::hash::Hash;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// A file as it was when its backup was judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileSeen<'f> {
    /// Where it lies.
    pub(crate) id: &'f ObjectId,
    /// What it looked like when it was read.
    pub(crate) identity: &'f ObjectIdentity,
    /// Whether it was there.
    pub(crate) is_present: bool,
}

/// Of what an overview is drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct DrawnOf {
    /// How often the catalogue had been written to.
    pub(crate) generation: u64,
    /// Nothing was left to be proven.
    pub(crate) is_settled: bool,
    /// When the first certificate ends that is vital to what `cluster-restore.sh` would take, by directory.
    pub(crate) picked_until: HashMap<PathBuf, DateTime<Utc>>,
}

/// An overview of `backups` and their files, ascending by id, as of one generation of the catalogue. The stamps were taken
/// before the files were looked for.
///
/// The backups must have been judged at the beginning of time, when no certificate had expired: then all their
/// findings hold at any instant, and those on certificates follow from the calendar.
pub(crate) fn draw<'f>(
    mut backups: Vec<Backup>,
    files: impl Iterator<Item = FileSeen<'f>>,
    stamps: &Stamps,
    drawn_of: &DrawnOf,
) -> Overview {
    sort_newest_first(&mut backups);
    let shelves = Shelves::new(files);
    let mut shared = SharedValues::default();
    let mut groups: BTreeMap<(Option<u32>, u32), Vec<OverviewRow>> = BTreeMap::new();
    let sketched = parallel::share(
        backups.chunks(PIECE),
        |successions: &mut Successions, backups| {
            let sketches = backups.iter().map(|backup| {
                let calendar = successions.calendar(backup);
                let calendar = calendar.beside(picked_instead(backup, drawn_of));
                Sketch::new(backup, calendar, &shelves.index)
            });
            sketches.collect::<Vec<Sketch>>()
        },
    );
    parallel::drop_aside(backups);
    for sketch in sketched.into_iter().flatten() {
        let (group, row) = shared.row(sketch);
        groups.entry(group).or_default().push(row);
    }
    let counted = groups
        .iter()
        .map(|((cluster, version), rows)| OverviewGroup {
            cluster: *cluster,
            version: *version,
            rows: crate::bytes::to_u64(rows.len()),
        });
    let head = OverviewHead {
        rules: RULES,
        generation: drawn_of.generation,
        is_settled: drawn_of.is_settled,
        calendars: crate::bytes::to_u64(shared.calendars.list.len()),
        directories: crate::bytes::to_u64(shelves.directories.len()),
        groups: counted.collect(),
        clusters: shared.clusters.list,
        versions: shared.versions.list,
        marks: shared.marks.list,
    };
    let stamped = shelves.directories.iter().zip(&shelves.files);
    let directories = stamped.map(|(id, files)| OverviewDirectory {
        path: id.to_bytes(),
        files: crate::bytes::to_u64(files.len()),
        stamp: stamps.telling(id, files.iter().map(|file| file.name.as_slice())),
    });
    Overview {
        head,
        calendars: shared.calendars.list,
        directories: directories.collect(),
        files: shelves.files,
        rows: groups.into_values().collect(),
    }
}

/// Until when that can be restored that `cluster-restore.sh` would take in the place of this one, where it can at all.
fn picked_instead(backup: &Backup, drawn_of: &DrawnOf) -> Option<DateTime<Utc>> {
    let path = backup.snapshot.as_ref()?.path.as_path()?;
    let is_passed_by = |finding: &Finding| finding.code == Code::RestorePicksOther;
    backup.findings.iter().find(|one| is_passed_by(one))?;
    drawn_of.picked_until.get(path.parent()?).copied()
}

/// Where each file is found in the directories.
type FileIndex<'f> = HashMap<&'f ObjectId, (u32, u32)>;

/// Files by directory.
#[derive(Default)]
struct Shelves<'f> {
    directories: Vec<ObjectId>,
    files: Vec<Vec<OverviewFile>>,
    index: FileIndex<'f>,
}

impl<'f> Shelves<'f> {
    /// Sorting by path leaves subdirectories between the files of one directory.
    fn new(files: impl Iterator<Item = FileSeen<'f>>) -> Self {
        let mut shelves = Self::default();
        let mut numbers: HashMap<ObjectId, usize> = HashMap::new();
        for file in files {
            let parent = file.id.parent().unwrap_or_else(|| file.id.clone());
            let entry = numbers.entry(parent);
            let directory = entry.key().clone();
            let number = *entry.or_insert_with(|| {
                shelves.directories.push(directory);
                shelves.files.push(Vec::new());
                shelves.files.len() - 1
            });
            if let Some(shelf) = shelves.files.get_mut(number) {
                let place = (ordinal(number), ordinal(shelf.len()));
                shelves.index.insert(file.id, place);
                shelf.push(overview_file(&file));
            }
        }
        shelves
    }
}

fn overview_file(file: &FileSeen<'_>) -> OverviewFile {
    let name = file.id.file_name().map(OsStr::as_bytes);
    OverviewFile {
        name: name.unwrap_or_default().to_vec(),
        is_present: file.is_present,
        identity: file.identity.clone(),
    }
}

/// Indexes are far smaller than this; one that is not fits nowhere and is refused when it is read.
fn ordinal(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A row whose values are not shared yet.
struct Sketch {
    cluster: Option<KnownCluster>,
    version: Version,
    marks: Vec<(Code, Severity)>,
    calendar: Calendar,
    row: OverviewRow,
}

impl Sketch {
    fn new(backup: &Backup, calendar: Calendar, index: &FileIndex<'_>) -> Self {
        let halves = backup.halves();
        Self {
            cluster: KnownCluster::of(backup),
            version: backup.version.clone(),
            marks: backup.marks().into_owned(),
            calendar,
            row: OverviewRow {
                digest: backup.digest,
                snapshot: halves.snapshot,
                kuberesources: halves.kuberesources,
                marks: 0,
                calendar: 0,
                taken_at: backup.taken_at,
                size_bytes: backup.size_bytes(),
                places: places_of(backup, index),
                revision: backup.revision(),
                verified_as: backup.verifications.last().map(|last| last.verdict),
            },
        }
    }
}

/// Values that rows share.
#[derive(Default)]
struct SharedValues {
    clusters: Interned<KnownCluster>,
    versions: Interned<Version>,
    marks: Interned<Vec<(Code, Severity)>>,
    calendars: Interned<Calendar>,
}

impl SharedValues {
    /// Cluster and version, and the row among their backups.
    fn row(&mut self, sketch: Sketch) -> ((Option<u32>, u32), OverviewRow) {
        let cluster = sketch.cluster;
        let group = (
            cluster.map(|cluster| self.clusters.number(cluster)),
            self.versions.number(sketch.version),
        );
        let row = OverviewRow {
            marks: self.marks.number(sketch.marks),
            calendar: self.calendars.number(sketch.calendar),
            ..sketch.row
        };
        (group, row)
    }
}

fn places_of(backup: &Backup, index: &FileIndex<'_>) -> Vec<(u32, u32)> {
    let places = backup.places_in_order().into_iter();
    places
        .filter_map(|place| index.get(place).copied())
        .collect()
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
