//! What a question needs of the overview that is kept: parts of it, read while others wait, and no more.

use super::record::{
    CALENDARS, CALENDARS_KEY, DIRECTORIES_KEY, FILES, FILES_KEY, Overview, OverviewDirectory,
    OverviewFile, OverviewHead, OverviewRow, ROWS_KEY, key, numbers,
};
use crate::catalogue::{CatalogueError, CatalogueReader, Record};
use crate::judgement::Calendar;
use std::collections::{BTreeSet, HashMap};

/// From one in so many parts on, going through all of them is cheaper than looking for each.
const SCANNED: usize = 4;

/// Room for so many rows is made before they are read.
const MANY: usize = 1 << 20;

/// A part of the overview is missing, damaged or leads nowhere: none of it is believed.
pub(super) type Believed<T> = Result<Option<T>, CatalogueError>;

impl Overview {
    /// All of what is kept; `None` when there is none, it is damaged or judged by other rules, or the catalogue was written
    /// to since.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub fn load(reader: &CatalogueReader<'_>) -> Result<Option<Self>, CatalogueError> {
        let Some(head) = OverviewHead::load(reader)? else {
            return Ok(None);
        };
        let Some(directories) = directories(reader, &head)? else {
            return Ok(None);
        };
        let all = |directory| {
            let parts = u32::try_from(parts_in(directory)).unwrap_or(u32::MAX);
            (0..parts).collect()
        };
        let parts: Vec<BTreeSet<u32>> = directories.iter().map(all).collect();
        let files = files(reader, &directories, &parts)?;
        let groups = u32::try_from(head.groups.len()).unwrap_or(u32::MAX);
        let groups: Vec<u32> = (0..groups).collect();
        let found = rows(reader, &head, &groups)?;
        let mut calendars = Vec::new();
        let mut take = |_: &[u8], part: Vec<Calendar>| calendars.extend(part);
        let is_whole = reader.each_derived(&[CALENDARS_KEY], &|_| true, &mut take)?;
        let is_whole = is_whole && u64::try_from(calendars.len()) == Ok(head.calendars);
        let Some((files, found)) = files.zip(found).filter(|_| is_whole) else {
            return Ok(None);
        };
        let mut rows = vec![Vec::new(); head.groups.len()];
        for (group, row) in found {
            if let Some(list) = usize::try_from(group).ok().and_then(|n| rows.get_mut(n)) {
                list.push(row);
            }
        }
        let bare = |files: KnownFiles| files.0.into_iter().map(|(_, file)| file).collect();
        Ok(Some(Self {
            head,
            calendars,
            directories,
            files: files.into_iter().map(bare).collect(),
            rows,
        }))
    }
}

/// The directories.
pub(super) fn directories(
    reader: &CatalogueReader<'_>,
    head: &OverviewHead,
) -> Believed<Vec<OverviewDirectory>> {
    let mut found = Vec::new();
    let is_whole = reader.each_derived(&[DIRECTORIES_KEY], &|_| true, &mut |_,
                                                                             part: Vec<
        OverviewDirectory,
    >| {
        found.extend(part);
    })?;
    let is_whole = is_whole && u64::try_from(found.len()) == Ok(head.directories);
    Ok(is_whole.then_some(found))
}

/// The backups of these groups, in the order of groups.
pub(super) fn rows(
    reader: &CatalogueReader<'_>,
    head: &OverviewHead,
    groups: &[u32],
) -> Believed<Vec<(u32, OverviewRow)>> {
    let wanted: BTreeSet<u32> = groups.iter().copied().collect();
    let expected = wanted
        .iter()
        .filter_map(|group| at(&head.groups, *group))
        .fold(0, |sum: u64, group| sum.saturating_add(group.rows));
    let room = usize::try_from(expected).unwrap_or_default();
    let mut found = Vec::with_capacity(room.min(MANY));
    let mut take = |group: u32, rows: Vec<OverviewRow>| {
        found.extend(rows.into_iter().map(|row| (group, row)));
    };
    let mut is_whole = true;
    if wanted.len() > head.groups.len() / SCANNED {
        is_whole =
            reader.each_derived(&[ROWS_KEY], &|key| is_of(&wanted, key), &mut |key, rows| {
                take(first(key), rows);
            })?;
    } else {
        for group in &wanted {
            let prefix = key(ROWS_KEY, &[*group]);
            is_whole &=
                reader.each_derived(&prefix, &|_| true, &mut |_, rows| take(*group, rows))?;
        }
    }
    let is_whole = is_whole && u64::try_from(found.len()) == Ok(expected);
    Ok(is_whole.then_some(found))
}

/// Calendars by number.
pub(super) type Calendars = HashMap<u32, Calendar, foldhash::fast::RandomState>;

/// The calendars that these rows have.
pub(super) fn calendars<'r>(
    reader: &CatalogueReader<'_>,
    head: &OverviewHead,
    rows: impl Iterator<Item = &'r OverviewRow>,
) -> Believed<Calendars> {
    let size = u32::try_from(CALENDARS).unwrap_or(1);
    let parts: BTreeSet<u32> = rows.map(|row| row.calendar / size).collect();
    let mut found = Calendars::default();
    let all = usize::try_from(head.calendars).map_or(0, |all| all.div_ceil(CALENDARS));
    let mut take = |part: u32, calendars: Vec<Calendar>| {
        let first = part.saturating_mul(size);
        found.extend((first..).zip(calendars));
    };
    let is_whole = parts_of(reader, CALENDARS_KEY, &[], &parts, all, &mut take)?;
    Ok(is_whole.then_some(found))
}

/// Some files of one directory, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownFiles(Vec<(u32, OverviewFile)>);

impl KnownFiles {
    pub(super) fn get(&self, number: u32) -> Option<&OverviewFile> {
        // All of them are known more often than not.
        let at_its_place = usize::try_from(number).ok().and_then(|n| self.0.get(n));
        if let Some((found, file)) = at_its_place
            && *found == number
        {
            return Some(file);
        }
        let place = self.0.binary_search_by_key(&number, |(found, _)| *found);
        self.0.get(place.ok()?).map(|(_, file)| file)
    }

    /// Adds what was read besides.
    pub(super) fn merge(&mut self, read: Self) {
        if self.0.is_empty() {
            *self = read;
        } else if !read.0.is_empty() {
            self.0.extend(read.0);
            self.0.sort_unstable_by_key(|(number, _)| *number);
            self.0.dedup_by_key(|(number, _)| *number);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &OverviewFile)> {
        self.0.iter().map(|(number, file)| (*number, file))
    }
}

/// Of each directory the files with these numbers, and others that lie in the same parts.
pub(super) fn files(
    reader: &CatalogueReader<'_>,
    directories: &[OverviewDirectory],
    wanted: &[BTreeSet<u32>],
) -> Believed<Vec<KnownFiles>> {
    let mut found = vec![KnownFiles::default(); directories.len()];
    let all: usize = directories.iter().map(parts_in).sum();
    let few: usize = wanted.iter().map(BTreeSet::len).sum();
    let mut take = |directory: u32, part: u32, files: Vec<OverviewFile>| {
        let first = part.saturating_mul(u32::try_from(FILES).unwrap_or(1));
        let list = usize::try_from(directory).ok();
        if let Some(known) = list.and_then(|list| found.get_mut(list)) {
            known.0.extend((first..).zip(files));
        }
    };
    let is_whole;
    if few > all / SCANNED {
        let is_wanted = |key: &[u8]| {
            let Some((directory, part)) = two(key) else {
                return false;
            };
            at(wanted, directory).is_some_and(|parts| parts.contains(&part))
        };
        let mut scanned = 0;
        let is_sound = reader.each_derived(&[FILES_KEY], &is_wanted, &mut |key, files| {
            if let Some((directory, part)) = two(key) {
                scanned += 1;
                take(directory, part, files);
            }
        })?;
        is_whole = is_sound && scanned == few;
    } else {
        let places = (0..).zip(wanted);
        let places: Vec<[u32; 2]> = places
            .flat_map(|(directory, parts)| parts.iter().map(move |part| [directory, *part]))
            .collect();
        let keys: Vec<Vec<u8>> = places.iter().map(|place| key(FILES_KEY, place)).collect();
        let read = reader.derived_each(&keys)?;
        is_whole = read.is_some();
        for ([directory, part], files) in places.into_iter().zip(read.into_iter().flatten()) {
            take(directory, part, files);
        }
    }
    Ok(is_whole.then_some(found))
}

/// How many parts the files of a directory make.
pub(super) fn parts_in(directory: &OverviewDirectory) -> usize {
    usize::try_from(directory.files).map_or(0, |files| files.div_ceil(FILES))
}

/// The part that a file lies in.
pub(super) fn part_of(file: u32) -> u32 {
    u32::try_from(FILES).map_or(0, |size| file / size)
}

/// Parts of one kind below some numbers, out of as many as there are; false when one of them is of no use.
fn parts_of<T>(
    reader: &CatalogueReader<'_>,
    kind: u8,
    below: &[u32],
    wanted: &BTreeSet<u32>,
    all: usize,
    take: &mut dyn FnMut(u32, Vec<T>),
) -> Result<bool, CatalogueError>
where
    Vec<T>: Record,
{
    if wanted.len() > all / SCANNED {
        let mut found = 0;
        let is_whole = reader.each_derived(
            &key(kind, below),
            &|key| last(key).is_some_and(|part| wanted.contains(&part)),
            &mut |key, part| {
                found += 1;
                take(last(key).unwrap_or_default(), part);
            },
        )?;
        return Ok(is_whole && found == wanted.len());
    }
    for number in wanted {
        let key = key(kind, &[below, &[*number]].concat());
        match reader.derived(&key)? {
            Some(part) => take(*number, part),
            None => return Ok(false),
        }
    }
    Ok(true)
}

fn is_of(wanted: &BTreeSet<u32>, key: &[u8]) -> bool {
    wanted.contains(&first(key))
}

fn two(key: &[u8]) -> Option<(u32, u32)> {
    match numbers(key).as_slice() {
        [first, second] => Some((*first, *second)),
        _ => None,
    }
}

fn first(key: &[u8]) -> u32 {
    numbers(key).first().copied().unwrap_or(u32::MAX)
}

fn last(key: &[u8]) -> Option<u32> {
    numbers(key).last().copied()
}

pub(super) fn at<T>(list: &[T], number: u32) -> Option<&T> {
    list.get(usize::try_from(number).ok()?)
}
