//! What a directory looks like while no file comes to it or goes: one question instead of one for each file.
//!
//! A file system that keeps its directories itself gives a directory a new time of change with every name that is entered
//! or taken out; one that stands for something else (a bucket that is mounted, a share of Windows) may not, and is not
//! believed. Where a name is a link, what it leads to lies elsewhere.

use crate::source::{DirectoryEntries, ObjectId};
use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statfs, statx};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// A change so short ago may be followed by another one at the same time, as far as the file system counts.
const GRAIN_SECONDS: i64 = 2;

/// ext, XFS, Btrfs, ZFS, F2FS, tmpfs, overlayfs, NFS: magic numbers of statfs(2).
const KEEPS_TIMES: [u64; 8] = [
    0xef53,
    0x5846_5342,
    0x9123_683e,
    0x2fc1_2fc1,
    0xf2f5_2010,
    0x0102_1994,
    0x794c_7630,
    0x6969,
];

/// Which directory, and when a name was entered or taken out last.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DirectoryStamp {
    /// Device of its file system.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Time of change, whole seconds since 1970.
    pub changed_seconds: i64,
    /// And nanoseconds.
    pub changed_nanoseconds: u32,
}

impl DirectoryStamp {
    /// Of the directory at `path`, as it is now; `None` when there is none.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let wanted = StatxFlags::TYPE | StatxFlags::INO | StatxFlags::CTIME;
        let found = statx(CWD, path, AtFlags::empty(), wanted).ok()?;
        let has_all = StatxFlags::from_bits_retain(found.stx_mask).contains(wanted);
        has_all.then(|| Self {
            device: makedev(found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
            changed_seconds: found.stx_ctime.tv_sec,
            changed_nanoseconds: found.stx_ctime.tv_nsec,
        })
    }
}

/// What directories looked like before the files in them were looked for.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    by_directory: HashMap<ObjectId, Stamped>,
}

#[derive(Debug)]
struct Stamped {
    stamp: DirectoryStamp,
    /// Names of what is no regular file, or may be none.
    irregular: HashSet<Vec<u8>>,
}

impl Stamps {
    /// Looks at the directories of these files.
    pub(crate) fn of<'f>(files: impl IntoIterator<Item = &'f ObjectId>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self::at(
            now.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0)),
            files,
        )
    }

    fn at<'f>(now: i64, files: impl IntoIterator<Item = &'f ObjectId>) -> Self {
        let mut seen: HashMap<ObjectId, Option<Stamped>> = HashMap::new();
        let mut keeps_times = HashMap::new();
        for file in files {
            let Some(directory) = file.as_path().and_then(Path::parent) else {
                continue;
            };
            seen.entry(ObjectId::from(directory)).or_insert_with(|| {
                let stamp = DirectoryStamp::of(directory)?;
                let believed = keeps_times
                    .entry(stamp.device)
                    .or_insert_with(|| is_believed(directory));
                let is_settled = stamp.changed_seconds < now.saturating_sub(GRAIN_SECONDS);
                let irregular = (*believed && is_settled).then(|| irregular(directory));
                Some(Stamped {
                    stamp,
                    irregular: irregular??,
                })
            });
        }
        let seen = seen.into_iter();
        Self {
            by_directory: seen
                .filter_map(|(directory, stamped)| Some((directory, stamped?)))
                .collect(),
        }
    }

    /// The stamp of a directory, if it tells of all these names in it.
    pub(super) fn telling<'n>(
        &self,
        directory: &ObjectId,
        mut names: impl Iterator<Item = &'n [u8]>,
    ) -> Option<DirectoryStamp> {
        let stamped = self.by_directory.get(directory)?;
        let is_regular = names.all(|name| !stamped.irregular.contains(name));
        is_regular.then_some(stamped.stamp)
    }
}

/// Has the file system of this directory times of its own?
fn is_believed(directory: &Path) -> bool {
    let Ok(found) = statfs(directory) else {
        return false;
    };
    u64::try_from(found.f_type).is_ok_and(|kind| KEEPS_TIMES.contains(&kind))
}

/// Names of what is not certainly a regular file; `None` when not all names can be told, or looked at.
fn irregular(directory: &Path) -> Option<HashSet<Vec<u8>>> {
    // Names can be listed without the right to look at the files: then they count as gone.
    std::fs::metadata(directory.join(".")).ok()?;
    let mut names = HashSet::new();
    for entry in DirectoryEntries::of(directory).ok()? {
        let entry = entry.ok()?;
        if !entry.is_file {
            names.insert(entry.name.into_encoded_bytes());
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn telling(stamps: &Stamps, directory: &Path, names: &[&str]) -> Option<DirectoryStamp> {
        let directory = ObjectId::from(directory);
        stamps.telling(&directory, names.iter().map(|name| name.as_bytes()))
    }

    #[test]
    fn a_directory_is_another_one_after_every_name_that_comes_or_goes() -> std::io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path();
        let file = path.join("file");
        std::fs::write(&file, "1")?;
        let before = DirectoryStamp::of(path);
        assert!(before.is_some());
        // The clock of a file system has a grain.
        std::thread::sleep(Duration::from_millis(20));
        std::fs::write(&file, "2")?;
        assert_eq!(DirectoryStamp::of(path), before, "the same names");
        std::fs::rename(&file, path.join("other"))?;
        let renamed = DirectoryStamp::of(path);
        assert_ne!(renamed, before);
        std::thread::sleep(Duration::from_millis(20));
        std::fs::remove_file(path.join("other"))?;
        assert_ne!(DirectoryStamp::of(path), renamed);
        assert_eq!(DirectoryStamp::of(&file), None);
        Ok(())
    }

    #[test]
    fn what_changed_just_now_or_leads_elsewhere_is_asked_for_itself() -> std::io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path();
        let file = path.join("file");
        std::fs::write(&file, "1")?;
        std::os::unix::fs::symlink("file", path.join("link"))?;
        let id = ObjectId::from(file);
        let young = Stamps::of([&id]);
        assert_eq!(
            telling(&young, path, &["file"]),
            None,
            "it may change again"
        );
        let settled = Stamps::at(i64::MAX, [&id]);
        // Whatever file system the tests run on: it is believed, or nothing is.
        let stamp = telling(&settled, path, &["file"]);
        assert_eq!(stamp.is_some(), is_believed(path));
        assert_eq!(telling(&settled, path, &["file", "link"]), None);
        assert_eq!(telling(&settled, Path::new("/elsewhere"), &["file"]), None);
        Ok(())
    }
}
