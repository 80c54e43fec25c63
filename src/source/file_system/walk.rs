//! Every regular file under a location, by looking at directories and attributes alone.

use super::entries::DirectoryEntries;
use super::open::describe;
use crate::monitor::Monitor;
use crate::source::{Cause, LeftOut, Listed, Listing};
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

/// Names of what [`is_furniture`], but for two beginnings.
const FURNITURE: [&str; 3] = ["lost+found", "System Volume Information", "@eaDir"];

/// Lists the regular files under `location`, or the one file that it is. Opens none of them.
///
/// Directories are entered once however many ways lead there. Symbolic links are followed, after everything that needs
/// no link, so that a file keeps its own path; a link to a file that was found already adds nothing. FIFOs, sockets,
/// devices and kernel file systems are left out. So is a location that is not there.
pub(super) fn walk(location: &Path, monitor: &dyn Monitor) -> Listing {
    let mut walker = Walker::default();
    match std::fs::symlink_metadata(location) {
        // The location itself is what the user means: a link there is no detour.
        Ok(metadata) if metadata.is_symlink() => walker.follow(location),
        Ok(metadata) => walker.add(location, &metadata, None),
        Err(error) => walker.refuse(location, "read", &error),
    }
    walker.run(monitor);
    walker.listing
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
    listing: Listing,
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
                self.listing.is_interrupted = true;
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
            return self.leave_out(&directory.path, reason, Cause::NoObject);
        }
        let entries = match DirectoryEntries::of(&directory.path) {
            Ok(entries) => entries,
            Err(error) => return self.refuse(&directory.path, "read directory", &error),
        };
        for entry in entries {
            match entry {
                Ok(entry) => self.look(&directory.path.join(entry.name), directory.device),
                // The directory stream is broken: what follows cannot be trusted to be complete.
                Err(error) => return self.refuse(&directory.path, "read directory", &error),
            }
        }
    }

    fn look(&mut self, path: &Path, parent_device: u64) {
        if path.file_name().is_some_and(is_furniture) {
            return;
        }
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
                self.add_file(path, metadata, None);
            }
        } else {
            let reason = format!("{}, not a regular file", describe(metadata));
            self.leave_out(path, reason, Cause::NoObject);
        }
    }

    fn add_file(&mut self, path: &Path, metadata: &Metadata, target_name: Option<OsString>) {
        self.listing.objects.push(Listed {
            id: path.into(),
            identity: metadata.into(),
            target_name,
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
            let target = std::fs::canonicalize(link).ok();
            let name = target.and_then(|path| Some(path.file_name()?.to_owned()));
            self.add_file(link, &metadata, name);
        }
    }

    fn refuse_link(&mut self, link: &Path, error: &io::Error) {
        let cause = if error.kind() == io::ErrorKind::PermissionDenied {
            Cause::Refused(error.kind())
        } else {
            Cause::LeadsNowhere
        };
        self.leave_out(link, format!("cannot follow symbolic link: {error}"), cause);
    }

    fn refuse(&mut self, path: &Path, action: &str, error: &io::Error) {
        let cause = Cause::Refused(error.kind());
        self.leave_out(path, format!("cannot {action}: {error}"), cause);
    }

    fn leave_out(&mut self, path: &Path, reason: String, cause: Cause) {
        let id = path.into();
        self.listing.left_out.push(LeftOut { id, reason, cause });
    }
}

/// What file systems and desktops keep for themselves beside the files of their users: never somebody's backup, and
/// often not to be read.
fn is_furniture(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let is_named = FURNITURE.iter().any(|known| known.as_bytes() == name);
    is_named || name.starts_with(b".Trash-") || name.starts_with(b"._")
}

fn kernel_file_system(path: &Path) -> Option<&'static str> {
    let magic = u64::try_from(rustix::fs::statfs(path).ok()?.f_type).ok()?;
    let known = BTreeMap::from(KERNEL_FILE_SYSTEMS);
    known.get(&magic).copied()
}
