//! Are the files there that were there when they were judged?

use super::record::{OverviewDirectory, OverviewFile};
use crate::source::{DirectoryEntries, FileIdentity, ObjectId, ObjectIdentity, Store};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Builder;

/// From so many files on whose attributes nobody wants, a listing of the directory is cheaper than asking for each.
const LISTED: usize = 8;

/// The attributes of some files were asked for.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// Files that were written since, by directory and number in it.
    pub(super) rewritten: HashSet<(u32, u32)>,
}

/// Looks whether every file is there or gone as it was, and whether those in `wanted` are as they were.
/// `None` when a file has gone or come back: what was judged holds no more.
pub(super) fn observe(
    directories: &[OverviewDirectory],
    wanted: &[Vec<u32>],
    store: &dyn Store,
) -> Option<Observed> {
    let next = AtomicUsize::new(0);
    let work = || -> Option<Observed> {
        let mut observed = Observed::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((directory, wanted)) = directories.get(number).zip(wanted.get(number)) else {
                return Some(observed);
            };
            let number = u32::try_from(number).ok()?;
            let rewritten = in_directory(directory, wanted, store)?;
            observed
                .rewritten
                .extend(rewritten.into_iter().map(|file| (number, file)));
        }
    };
    // Waiting for a disk or a server is most of the work: more threads than processors do not harm.
    let threads = directories.len().min(4);
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            // Without a thread to be had, this one does the work of all.
            .filter_map(|_| Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        let own = work();
        let others = others
            .into_iter()
            .map(|thread| thread.join().ok().flatten());
        others.fold(own, |all, part| {
            let (mut all, part) = all.zip(part)?;
            all.rewritten.extend(part.rewritten);
            Some(all)
        })
    })
}

/// Numbers of the wanted files that were rewritten; `None` when a file has gone or come back.
fn in_directory(
    directory: &OverviewDirectory,
    wanted: &[u32],
    store: &dyn Store,
) -> Option<Vec<u32>> {
    let id = ObjectId::from_bytes(&directory.path);
    let Some(path) = id.as_path() else {
        return in_store(directory, wanted, &id, store);
    };
    let place = OpenDirectory::new(path);
    let rest = directory.files.len().saturating_sub(wanted.len());
    let listed = (rest > LISTED).then(|| listing(path)).flatten();
    let mut rewritten = Vec::new();
    let mut next_wanted = wanted.iter().copied().peekable();
    for (number, file) in (0..).zip(&directory.files) {
        let is_wanted = next_wanted.next_if_eq(&number).is_some();
        if !is_wanted && let Some(names) = &listed {
            let is_there = names.contains(file.name.as_slice());
            if is_there && file.is_present {
                continue;
            }
            if !is_there && !file.is_present {
                continue;
            }
        }
        let identity = place.identity(file);
        if identity.is_some() != file.is_present {
            return None;
        }
        if is_wanted && identity.is_some_and(|identity| file.identity != identity.into()) {
            rewritten.push(number);
        }
    }
    Some(rewritten)
}

/// The same where no path leads. What is far is believed.
fn in_store(
    directory: &OverviewDirectory,
    wanted: &[u32],
    id: &ObjectId,
    store: &dyn Store,
) -> Option<Vec<u32>> {
    let mut rewritten = Vec::new();
    if !store.is_near(id) {
        return Some(rewritten);
    }
    for (number, file) in (0..).zip(&directory.files) {
        let found = store.stat(&id.join(OsStr::from_bytes(&file.name))).ok();
        if found.is_some() != file.is_present {
            return None;
        }
        let is_rewritten = |found: ObjectIdentity| found != file.identity;
        if wanted.contains(&number) && found.is_some_and(is_rewritten) {
            rewritten.push(number);
        }
    }
    Some(rewritten)
}

/// Names of what certainly is a regular file. The target of a link, or a file of unknown kind, may not be there.
fn listing(path: &Path) -> Option<HashSet<Vec<u8>>> {
    // Names can be listed without the right to look at the files: then they count as gone.
    std::fs::metadata(path.join(".")).ok()?;
    let mut names = HashSet::new();
    for entry in DirectoryEntries::of(path).ok()? {
        let entry = entry.ok()?;
        if entry.is_file {
            names.insert(entry.name.into_encoded_bytes());
        }
    }
    Some(names)
}

/// A directory through which attributes are asked for without walking its path each time.
struct OpenDirectory {
    path: PathBuf,
    directory: Option<rustix::fd::OwnedFd>,
}

impl OpenDirectory {
    fn new(path: &Path) -> Self {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Self {
            directory: rustix::fs::open(path, flags, Mode::empty()).ok(),
            path: path.to_owned(),
        }
    }

    fn identity(&self, file: &OverviewFile) -> Option<FileIdentity> {
        use rustix::fs::{AtFlags, StatxFlags, makedev, statx};
        let name = OsStr::from_bytes(&file.name);
        let flags = StatxFlags::INO | StatxFlags::SIZE | StatxFlags::MTIME;
        let asked = self
            .directory
            .as_ref()
            .and_then(|directory| statx(directory, name, AtFlags::empty(), flags).ok());
        let Some(found) = asked else {
            // Gone; or an old kernel without this call.
            let metadata = std::fs::metadata(self.path.join(name)).ok()?;
            return Some(FileIdentity::of(&metadata));
        };
        Some(FileIdentity {
            device: makedev(found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
            size_bytes: found.stx_size,
            modified_seconds: found.stx_mtime.tv_sec,
            modified_nanoseconds: found.stx_mtime.tv_nsec,
        })
    }
}
