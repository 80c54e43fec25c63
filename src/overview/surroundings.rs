//! What lies around one backup, as far as it decides what that comes to.
//!
//! A backup is held against the one before it of its cluster and against those of the same minutes, and its directory is
//! judged by what `cluster-restore.sh` would take there. Nothing else is asked about another backup.

use super::record::{OverviewDirectory, OverviewHead, OverviewRow};
use super::sight::{self, Believed, KnownFiles, at, part_of, parts_in};
use crate::catalogue::CatalogueReader;
use crate::finding::{Code, Severity};
use crate::names::Picks;
use crate::selection::{KnownCluster, Place, Summary};
use crate::source::ObjectId;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Two hosts of one run, or two members at one revision, are no further apart.
const ONE_OCCASION: TimeDelta = TimeDelta::minutes(10);
/// One of so many before it is sound and dated: it is what the backup is held against.
const BEFORE: usize = 8;
/// With more backups than this, judging all is not much slower.
const ROWS: usize = 512;
/// And with more files than this.
const FILES: u64 = 4096;

/// One backup among others.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// The places of the backup, then those of each that decides what it comes to; the one that stands for it first.
    pub(crate) backups: Vec<Vec<ObjectId>>,
    /// What `cluster-restore.sh` would take where the backup lies.
    pub(crate) picks: HashMap<PathBuf, Picks>,
    /// The directories in which backups of the cluster lie, unless they hold too many files.
    pub(crate) directories: Option<Vec<ObjectId>>,
}

impl Surroundings {
    /// Of the backup that was seen as `summary`; `picks_in` says what `cluster-restore.sh` would take from a directory. `None`
    /// without an overview, where the backup is not in it or nobody can tell what would be taken, and where too much lies
    /// around it.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub(crate) fn of(
        reader: &CatalogueReader<'_>,
        summary: &Summary,
        picks_in: impl Fn(&Path) -> Option<Picks>,
    ) -> Believed<Self> {
        let Some(cluster) = summary.cluster.as_deref() else {
            return Ok(None);
        };
        let Some(drawn) = Drawn::load(reader)? else {
            return Ok(None);
        };
        let is_own =
            |known: Option<&KnownCluster>| known.is_some_and(|known| known.agrees_with(cluster));
        let Some(own) = drawn.rows(is_own)? else {
            return Ok(None);
        };
        let Some(place) = drawn.place_of(summary, &own)? else {
            return Ok(None);
        };
        let Some(picks) = picks_beside(&place, picks_in) else {
            return Ok(None);
        };
        let Some(picked) = drawn.picked(summary, &place, picks.values().next())? else {
            return Ok(None);
        };
        let others = match picked.is_empty() {
            true => Some(Vec::new()),
            false => drawn.rows(|known| !is_own(known))?,
        };
        let Some(others) = others else {
            return Ok(None);
        };
        let holds = |row: &&OverviewRow| row.places.iter().any(|place| picked.contains(place));
        let mut rows = near(&own, summary, holds);
        rows.extend(others.iter().filter(holds));
        if rows.len() > ROWS {
            return Ok(None);
        }
        let Some(mut backups) = drawn.places(&rows)? else {
            return Ok(None);
        };
        let is_meant = |places: &Vec<ObjectId>| places.first() == Some(&place);
        let Some(meant) = backups.iter().position(is_meant) else {
            return Ok(None);
        };
        backups.swap(0, meant);
        Ok(Some(Self {
            backups,
            picks,
            directories: drawn.directories_of(&own),
        }))
    }
}

/// What `cluster-restore.sh` would take where a backup lies; `None` when nobody can tell.
fn picks_beside(
    place: &ObjectId,
    picks_in: impl Fn(&Path) -> Option<Picks>,
) -> Option<HashMap<PathBuf, Picks>> {
    let Some(directory) = place.as_path().and_then(Path::parent) else {
        return Some(HashMap::new());
    };
    Some(HashMap::from([(
        directory.to_owned(),
        picks_in(directory)?,
    )]))
}

/// Those of its cluster that decide what a backup comes to, and itself. As far back as anything reaches, none is left out:
/// the one before it is the same among them and among all.
fn near<'r>(
    own: &'r [OverviewRow],
    summary: &Summary,
    is_picked: impl Fn(&&'r OverviewRow) -> bool,
) -> Vec<&'r OverviewRow> {
    let is_itself = |row: &OverviewRow| row.digest == summary.digest;
    let Some(taken_at) = summary.taken_at else {
        let rows = own.iter();
        return rows
            .filter(|row| is_itself(row) || is_picked(row))
            .collect();
    };
    let mut until_then: Vec<DateTime<Utc>> = own
        .iter()
        .filter_map(|row| row.taken_at.filter(|at| *at <= taken_at))
        .collect();
    until_then.sort_unstable_by(|one, other| other.cmp(one));
    until_then.truncate(BEFORE + 1);
    let picked = own.iter().filter(&is_picked).filter_map(|row| row.taken_at);
    let before = taken_at.checked_sub_signed(ONE_OCCASION);
    let reach = until_then.last().copied().into_iter();
    let since = reach.chain(before).chain(picked).min();
    let until = taken_at.checked_add_signed(ONE_OCCASION);
    let is_near = |row: &OverviewRow| row.taken_at >= since && row.taken_at <= until;
    own.iter()
        .filter(|row| is_near(row) || is_itself(row) || is_picked(row))
        .collect()
}

/// The overview without its backups and files.
struct Drawn<'d, 'c> {
    reader: &'d CatalogueReader<'c>,
    head: OverviewHead,
    directories: Vec<OverviewDirectory>,
}

impl<'d, 'c> Drawn<'d, 'c> {
    fn load(reader: &'d CatalogueReader<'c>) -> Believed<Self> {
        let Some(head) = OverviewHead::load(reader)? else {
            return Ok(None);
        };
        let directories = sight::directories(reader, &head)?;
        Ok(directories.map(|directories| Self {
            reader,
            head,
            directories,
        }))
    }

    /// The backups of clusters that are asked for, and of none where that is.
    fn rows(&self, is_asked: impl Fn(Option<&KnownCluster>) -> bool) -> Believed<Vec<OverviewRow>> {
        let groups = (0..).zip(&self.head.groups);
        let asked = groups.filter(|(_, group)| {
            let cluster = group.cluster;
            is_asked(cluster.and_then(|number| at(&self.head.clusters, number)))
        });
        let asked: Vec<u32> = asked.map(|(number, _)| number).collect();
        let rows = sight::rows(self.reader, &self.head, &asked)?;
        Ok(rows.map(|rows| rows.into_iter().map(|(_, row)| row).collect()))
    }

    /// The place that stands for a backup, out of these. It may not have been read.
    fn place_of(&self, summary: &Summary, rows: &[OverviewRow]) -> Believed<ObjectId> {
        if let Some(place) = summary.place.as_ref().and_then(Place::path) {
            return Ok(Some(place));
        }
        let mut same = rows.iter().filter(|row| row.digest == summary.digest);
        let (Some(row), None) = (same.next(), same.next()) else {
            return Ok(None);
        };
        let places = self.places(&[row])?;
        let first = |mut places: Vec<Vec<ObjectId>>| places.pop()?.into_iter().next();
        Ok(places.and_then(first))
    }

    /// What `cluster-restore.sh` would take in the place of a backup, where it matters whose that is: it would do harm.
    fn picked(
        &self,
        summary: &Summary,
        place: &ObjectId,
        picks: Option<&Picks>,
    ) -> Believed<BTreeSet<(u32, u32)>> {
        let mut picked = BTreeSet::new();
        let harm = (Code::RestorePicksOther, Severity::Warning);
        if !summary.outcome.marks.contains(&harm) {
            return Ok(Some(picked));
        }
        let path = place.parent().map(|parent| parent.to_bytes());
        let mut numbers = (0..).zip(&self.directories);
        let found = numbers.find(|(_, directory)| Some(&directory.path) == path.as_ref());
        let Some((number, directory)) = found else {
            return Ok(None);
        };
        let mut parts = vec![BTreeSet::new(); self.directories.len()];
        for (_, parts) in (0..).zip(&mut parts).filter(|(other, _)| *other == number) {
            parts.extend(0..u32::try_from(parts_in(directory)).unwrap_or(u32::MAX));
        }
        let Some(files) = sight::files(self.reader, &self.directories, &parts)? else {
            return Ok(None);
        };
        let names = picks
            .into_iter()
            .flat_map(|picks| [&picks.snapshot, &picks.kuberesources]);
        let names: Vec<&[u8]> = names.flatten().map(|name| name.as_bytes()).collect();
        let files = at(&files, number).into_iter().flat_map(KnownFiles::iter);
        let files = files.filter(|(_, file)| names.contains(&file.name.as_slice()));
        picked.extend(files.map(|(file, _)| (number, file)));
        Ok(Some(picked))
    }

    /// The places of each of these, by name.
    fn places(&self, rows: &[&OverviewRow]) -> Believed<Vec<Vec<ObjectId>>> {
        let mut parts = vec![BTreeSet::new(); self.directories.len()];
        for (directory, file) in rows.iter().flat_map(|row| &row.places) {
            let list = usize::try_from(*directory).ok();
            let Some(list) = list.and_then(|list| parts.get_mut(list)) else {
                return Ok(None);
            };
            list.insert(part_of(*file));
        }
        let Some(files) = sight::files(self.reader, &self.directories, &parts)? else {
            return Ok(None);
        };
        let place = |(directory, file): &(u32, u32)| {
            let name = &at(&files, *directory)?.get(*file)?.name;
            let path = &at(&self.directories, *directory)?.path;
            Some(ObjectId::from_bytes(path).join(OsStr::from_bytes(name)))
        };
        let places = rows
            .iter()
            .map(|row| row.places.iter().map(place).collect());
        Ok(places.collect())
    }

    /// The directories in which these lie, unless they hold too many files.
    fn directories_of(&self, rows: &[OverviewRow]) -> Option<Vec<ObjectId>> {
        let places = rows.iter().flat_map(|row| &row.places);
        let numbers: BTreeSet<u32> = places.map(|(directory, _)| *directory).collect();
        let around = numbers.iter().map(|number| at(&self.directories, *number));
        let around = around.collect::<Option<Vec<&OverviewDirectory>>>()?;
        let files = around.iter().map(|directory| directory.files);
        let is_small = files.fold(0, u64::saturating_add) <= FILES;
        let paths = around.iter().map(|one| ObjectId::from_bytes(&one.path));
        is_small.then(|| paths.collect())
    }
}
