//! Every regular file under a location, by looking at directories and attributes alone.

use super::open::{FileIdentity, describe};
use crate::monitor::Monitor;
use crate::names::BackupName;
use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Kernel file systems: their "files" have no length, may block for ever, and are no backups.
///
/// Magic numbers of `linux/magic.h`.
const KERNEL_FILE_SYSTEMS: [(u64, &str); 9] = [
    (0x9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x0027_e0eb, "cgroup"),
    (0x6367_7270, "cgroup2"),
    (0x1cd1, "devpts"),
    (0x7363_6673, "securityfs"),
    (0xcafe_4a11, "bpf"),
];

/// A regular file that may be half of a backup.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// Where it was found; for a symbolic link the path of the link.
    pub path: PathBuf,
    /// What its name says; for a link with a name that says nothing, the name of its target.
    pub name: Option<BackupName>,
    /// Attributes of the file itself, links resolved.
    pub identity: FileIdentity,
}

/// Something that was not looked into.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// Where.
    pub path: PathBuf,
    /// Why: lower case, no final period, with the system's words where the system refused.
    pub reason: String,
    /// It should have been readable: the run is incomplete.
    pub is_error: bool,
}

/// What lies under a location.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Walk {
    /// Regular files, ascending by the bytes of their path.
    pub candidates: Vec<Candidate>,
    /// All that was left out, ascending by the bytes of its path.
    pub skipped: Vec<Skipped>,
    /// The monitor asked to stop; the lists hold what was found until then.
    pub is_interrupted: bool,
}

/// Lists the regular files under `location`, or the one file that it is. Opens none of them.
///
/// Directories are entered once however many ways lead there. Symbolic links are followed, after everything that needs
/// no link, so that a file keeps its own path; a link to a file that was found already adds nothing. FIFOs, sockets,
/// devices and kernel file systems are skipped. A location that is not there is in [`Walk::skipped`].
pub fn walk(location: &Path, monitor: &dyn Monitor) -> Walk {
    let mut walker = Walker::default();
    match std::fs::symlink_metadata(location) {
        // The location itself is what the user means: a link there is no detour.
        Ok(metadata) if metadata.is_symlink() => walker.follow(location),
        Ok(metadata) => walker.add(location, &metadata, None),
        Err(error) => walker.refuse(location, "read", &error),
    }
    walker.run(monitor);
    walker.finish()
}

#[derive(Default)]
struct Walker {
    /// Directories still to be read, the next one last.
    directories: Vec<Directory>,
    /// Links found on the way, ascending once sorted; followed when nothing else is left.
    links: Vec<PathBuf>,
    /// Device and inode of every directory entered.
    entered: HashSet<(u64, u64)>,
    /// Device and inode of every file found.
    found: HashSet<(u64, u64)>,
    /// Device and inode of the files found through a link to the file itself.
    linked: HashSet<(u64, u64)>,
    walk: Walk,
}

struct Directory {
    path: PathBuf,
    /// Device of the directory above: a change means another file system.
    parent_device: Option<u64>,
    device: u64,
}

impl Walker {
    fn run(&mut self, monitor: &dyn Monitor) {
        loop {
            if monitor.is_interrupted() {
                self.walk.is_interrupted = true;
                return;
            }
            if let Some(directory) = self.directories.pop() {
                self.read(&directory);
            } else if self.links.is_empty() {
                return;
            } else {
                let mut links = std::mem::take(&mut self.links);
                links.sort();
                links.iter().for_each(|link| self.follow(link));
            }
        }
    }

    fn read(&mut self, directory: &Directory) {
        if directory.parent_device != Some(directory.device)
            && let Some(name) = kernel_file_system(&directory.path)
        {
            let reason = format!("kernel file system {name}");
            return self.skip(&directory.path, reason, false);
        }
        let entries = match std::fs::read_dir(&directory.path) {
            Ok(entries) => entries,
            Err(error) => return self.refuse(&directory.path, "read directory", &error),
        };
        for entry in entries {
            match entry {
                Ok(entry) => self.look(&entry.path(), directory.device),
                // The directory stream is broken: what follows cannot be trusted to be complete.
                Err(error) => return self.refuse(&directory.path, "read directory", &error),
            }
        }
    }

    fn look(&mut self, path: &Path, parent_device: u64) {
        match std::fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_symlink() => self.links.push(path.to_owned()),
            Ok(metadata) => self.add(path, &metadata, Some(parent_device)),
            // Gone between listing and looking: as if it had never been there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.refuse(path, "read attributes", &error),
        }
    }

    fn add(&mut self, path: &Path, metadata: &Metadata, parent_device: Option<u64>) {
        let key = (metadata.dev(), metadata.ino());
        if metadata.is_dir() {
            if self.entered.insert(key) {
                let (path, device) = (path.to_owned(), metadata.dev());
                self.directories.push(Directory {
                    path,
                    parent_device,
                    device,
                });
            }
        } else if metadata.is_file() {
            // A directory that was reached through a link may hold what a link showed before.
            if !self.linked.contains(&key) {
                self.found.insert(key);
                self.add_file(path, metadata, path.file_name());
            }
        } else {
            let reason = format!("{}, not a regular file", describe(metadata));
            self.skip(path, reason, false);
        }
    }

    fn add_file(&mut self, path: &Path, metadata: &Metadata, name: Option<&OsStr>) {
        self.walk.candidates.push(Candidate {
            path: path.to_owned(),
            name: name.and_then(BackupName::parse),
            identity: FileIdentity::of(metadata),
        });
    }

    fn follow(&mut self, link: &Path) {
        let metadata = match std::fs::metadata(link) {
            Ok(metadata) => metadata,
            Err(error) => return self.refuse_link(link, &error),
        };
        if !metadata.is_file() {
            return self.add(link, &metadata, None);
        }
        let key = (metadata.dev(), metadata.ino());
        if self.found.insert(key) {
            self.linked.insert(key);
            let name = name_behind(link);
            self.add_file(link, &metadata, name.as_deref());
        }
    }

    /// A link that leads nowhere matters only if a backup should be behind it.
    fn refuse_link(&mut self, link: &Path, error: &io::Error) {
        let is_backup = link.file_name().and_then(BackupName::parse).is_some();
        let is_denied = error.kind() == io::ErrorKind::PermissionDenied;
        let reason = format!("cannot follow symbolic link: {error}");
        self.skip(link, reason, is_backup || is_denied);
    }

    fn refuse(&mut self, path: &Path, action: &str, error: &io::Error) {
        self.skip(path, format!("cannot {action}: {error}"), true);
    }

    fn skip(&mut self, path: &Path, reason: String, is_error: bool) {
        let path = path.to_owned();
        self.walk.skipped.push(Skipped {
            path,
            reason,
            is_error,
        });
    }

    fn finish(mut self) -> Walk {
        // By bytes, not by components: `a-b/x` before `a/x`, as a sorted listing shows it.
        let by_path = |path: &Path| path.as_os_str().to_owned();
        self.walk
            .candidates
            .sort_by_cached_key(|candidate| by_path(&candidate.path));
        self.walk
            .skipped
            .sort_by_cached_key(|skipped| by_path(&skipped.path));
        self.walk
    }
}

/// The name that tells more: the link's own, unless only the target's is that of a backup.
fn name_behind(link: &Path) -> Option<OsString> {
    let own = link.file_name().map(OsStr::to_owned);
    if own
        .as_deref()
        .and_then(BackupName::parse)
        .is_some_and(|name| name.stamp.is_some())
    {
        return own;
    }
    let target = std::fs::canonicalize(link).ok();
    let target = target.and_then(|path| path.file_name().map(OsStr::to_owned));
    target
        .filter(|name| BackupName::parse(name).is_some())
        .or(own)
}

fn kernel_file_system(path: &Path) -> Option<&'static str> {
    let magic = u64::try_from(rustix::fs::statfs(path).ok()?.f_type).ok()?;
    let known = BTreeMap::from(KERNEL_FILE_SYSTEMS);
    known.get(&magic).copied()
}

#[cfg(test)]
mod tests;
