//! Are the files there that were there when they were judged?

use super::record::{OverviewDirectory, OverviewFile};
use super::sight::KnownFiles;
use super::stamp::DirectoryStamp;
use crate::source::{DirectoryEntries, FileIdentity, ObjectId, ObjectIdentity, Store};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Builder;

/// From so many files on whose attributes nobody wants, a listing of the directory is cheaper than asking for each.
const LISTED: usize = 8;

/// One directory as the overview has it, and what is asked about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shelf<'s> {
    pub(super) directory: &'s OverviewDirectory,
    /// All files of it; where no name has come or gone, those that are wanted.
    pub(super) files: &'s KnownFiles,
    /// Files that may have been rewritten, ascending.
    pub(super) wanted: &'s [u32],
    /// No name has come or gone, or that was asked before: only those that are wanted are looked at.
    pub(super) is_unchanged: bool,
}

/// Has each directory looked as it does since before the files in it were looked for?
pub(super) fn are_unchanged(directories: &[OverviewDirectory]) -> Vec<bool> {
    let is_unchanged = |number: usize| {
        let directory = directories.get(number)?;
        let id = ObjectId::from_bytes(&directory.path);
        let now = DirectoryStamp::of(id.as_path()?);
        (directory.stamp.is_some() && directory.stamp == now).then_some(number)
    };
    let mut unchanged = vec![false; directories.len()];
    let found = in_parallel(directories.len(), |number| Some(is_unchanged(number)));
    for number in found.into_iter().flatten().flatten() {
        if let Some(one) = unchanged.get_mut(number) {
            *one = true;
        }
    }
    unchanged
}

/// Looks whether every file is there or gone as it was, and whether those that are wanted are as they were: the ones that
/// are not, by directory and number in it. `None` when a file has gone or come back: what was judged holds no more.
pub(super) fn observe(shelves: &[Shelf<'_>], store: &dyn Store) -> Option<HashSet<(u32, u32)>> {
    let rewritten = in_parallel(shelves.len(), |number| {
        let rewritten = in_directory(shelves.get(number)?, store)?;
        let number = u32::try_from(number).ok()?;
        Some(rewritten.into_iter().map(move |file| (number, file)))
    });
    Some(rewritten?.into_iter().flatten().collect())
}

/// What comes of so many pieces of work, in any order; `None` when one of them comes to nothing.
fn in_parallel<T: Send>(pieces: usize, work: impl Fn(usize) -> Option<T> + Sync) -> Option<Vec<T>> {
    let next = AtomicUsize::new(0);
    let some_of_it = || -> Option<Vec<T>> {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= pieces {
                return Some(done);
            }
            done.push(work(number)?);
        }
    };
    // Waiting for a disk or a server is most of the work: more threads than processors do not harm.
    let threads = pieces.min(4);
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            // Without a thread to be had, this one does the work of all.
            .filter_map(|_| Builder::new().spawn_scoped(scope, some_of_it).ok())
            .collect();
        let own = some_of_it();
        let others = others
            .into_iter()
            .map(|thread| thread.join().ok().flatten());
        others.fold(own, |all, part| {
            let (mut all, part) = all.zip(part)?;
            all.extend(part);
            Some(all)
        })
    })
}

/// Numbers of the wanted files that were rewritten; `None` when a file has gone or come back.
fn in_directory(shelf: &Shelf<'_>, store: &dyn Store) -> Option<Vec<u32>> {
    if shelf.is_unchanged && shelf.wanted.is_empty() {
        return Some(Vec::new());
    }
    let id = ObjectId::from_bytes(&shelf.directory.path);
    let Some(path) = id.as_path() else {
        return in_store(shelf, &id, store);
    };
    let place = OpenDirectory::new(path);
    let mut rewritten = Vec::new();
    if shelf.is_unchanged {
        for number in shelf.wanted {
            let is_rewritten = place.is_rewritten(shelf.files.get(*number)?)?;
            rewritten.extend(is_rewritten.then_some(*number));
        }
        return Some(rewritten);
    }
    shelf.has_all().then_some(())?;
    let rest = shelf.files.len().saturating_sub(shelf.wanted.len());
    let listed = (rest > LISTED).then(|| listing(path)).flatten();
    let mut next_wanted = shelf.wanted.iter().copied().peekable();
    for (number, file) in shelf.files.iter() {
        let is_wanted = next_wanted.next_if_eq(&number).is_some();
        if !is_wanted && let Some(names) = &listed {
            let is_there = names.contains(file.name.as_slice());
            if is_there == file.is_present {
                continue;
            }
        }
        let is_rewritten = place.is_rewritten(file)?;
        rewritten.extend((is_wanted && is_rewritten).then_some(number));
    }
    Some(rewritten)
}

impl Shelf<'_> {
    fn has_all(&self) -> bool {
        u64::try_from(self.files.len()) == Ok(self.directory.files)
    }
}

/// The same where no path leads. What is far is believed.
fn in_store(shelf: &Shelf<'_>, id: &ObjectId, store: &dyn Store) -> Option<Vec<u32>> {
    let mut rewritten = Vec::new();
    if !store.is_near(id) {
        return Some(rewritten);
    }
    (shelf.is_unchanged || shelf.has_all()).then_some(())?;
    for (number, file) in shelf.files.iter() {
        let is_wanted = shelf.wanted.binary_search(&number).is_ok();
        if shelf.is_unchanged && !is_wanted {
            continue;
        }
        let found = store.stat(&id.join(OsStr::from_bytes(&file.name))).ok();
        if found.is_some() != file.is_present {
            return None;
        }
        let is_rewritten = |found: ObjectIdentity| found != file.identity;
        if is_wanted && found.is_some_and(is_rewritten) {
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

    /// Is it another file than it was? `None` when it has gone or come back.
    fn is_rewritten(&self, file: &OverviewFile) -> Option<bool> {
        let identity = self.identity(file);
        (identity.is_some() == file.is_present).then(|| {
            identity.is_some_and(|identity| file.identity != ObjectIdentity::from(identity))
        })
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
