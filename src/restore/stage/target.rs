//! The directory that is filled, and put back as it was unless all went well.

use super::error::StageError;
use crate::names::is_restore_name;
use crate::source::{AtPath as _, rename_new_at};
use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

/// Only the owner: keys of the cluster lie here.
const DIRECTORY_MODE: Mode = Mode::RWXU;
/// Only the owner, as cluster-backup.sh makes them.
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
/// Names listed in a refusal; the rest is counted.
const NAMES_SHOWN: usize = 3;
/// Directories that cluster-restore.sh moves, empties or writes to while it runs.
const TAKEN: [&str; 2] = ["/var/lib/etcd", "/var/lib/etcd-backup"];

/// An empty directory held open. All work in it goes through the descriptor: nobody can swap the path underneath.
///
/// Dropped without [`StageTarget::keep`] it removes every file it made and every directory it created.
#[derive(Debug)]
pub(super) struct StageTarget {
    directory: OwnedFd,
    path: PathBuf,
    /// Directories created for it, outermost first.
    created: Vec<PathBuf>,
    /// Names of files made in it.
    files: Vec<OsString>,
    is_kept: bool,
}

impl StageTarget {
    /// Opens an empty directory, or makes a new one with all above it that is missing.
    pub(super) fn open(path: &Path) -> Result<Self, StageError> {
        // Before anything is created, as far as the words of the path tell; after it by the place they lead to.
        let absolute = std::path::absolute(path).at_path("resolve", path)?;
        check_fit(&absolute)?;
        let created = create(path)?;
        let canonical = std::fs::canonicalize(path);
        let opened = canonical.at_path("resolve", path).and_then(|canonical| {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let directory = rustix::fs::openat(CWD, &canonical, flags, Mode::empty());
            Ok((directory.at_path("open", &canonical)?, canonical))
        });
        let (directory, path) = opened.inspect_err(|_| remove_directories(&created))?;
        let (files, is_kept) = (Vec::new(), false);
        let target = Self {
            directory,
            path,
            created,
            files,
            is_kept,
        };
        check_fit(&target.path)?;
        target.check_holds(&[])?;
        Ok(target)
    }

    /// Absolute and without links.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses anything in the directory but these names.
    pub(super) fn check_holds(&self, expected: &[&str]) -> Result<(), StageError> {
        let mut others = self.names()?;
        others.retain(|name| !expected.iter().any(|expected| *name == *expected));
        if others.is_empty() {
            return Ok(());
        }
        let (path, held) = (self.path.clone(), describe(&others));
        Err(StageError::NotEmpty { path, held })
    }

    fn names(&self) -> Result<Vec<OsString>, StageError> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.directory).at_path("list", &self.path)? {
            let entry = entry.at_path("list", &self.path)?;
            let name = entry.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Bytes that may still be written, blocks kept for root left alone.
    pub(super) fn check_space(&self, needed_bytes: u64) -> Result<(), StageError> {
        let status =
            rustix::fs::fstatvfs(&self.directory).at_path("read free space of", &self.path)?;
        let available_bytes = status.f_bavail.saturating_mul(status.f_frsize);
        // A file system that counts no blocks (some network ones) cannot be asked.
        if status.f_blocks == 0 || available_bytes >= needed_bytes {
            return Ok(());
        }
        let path = self.path.clone();
        Err(StageError::NoSpace {
            path,
            needed_bytes,
            available_bytes,
        })
    }

    /// Makes a hidden file that no glob of the script matches.
    pub(super) fn create(&mut self, half: &str) -> Result<(File, OsString), StageError> {
        let name = OsString::from(format!(
            ".etcd-cat-stage-{}-{half}.part",
            std::process::id()
        ));
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.directory, &name, flags, FILE_MODE);
        let file = File::from(opened.at_path("create", self.path.join(&name))?);
        self.files.push(name.clone());
        // The mask of the caller may have taken bits away from us as well.
        rustix::fs::fchmod(&file, FILE_MODE).at_path("set mode of", self.path.join(&name))?;
        Ok((file, name))
    }

    /// Gives a finished file its final name, never in place of another.
    pub(super) fn rename(&mut self, from: &OsStr, to: &str) -> Result<(), StageError> {
        rename_new_at(&self.directory, from, OsStr::new(to))
            .at_path("create", self.path.join(to))?;
        self.files.retain(|name| name != from);
        self.files.push(OsString::from(to));
        Ok(())
    }

    /// Makes it final: only the owner gets in, and the names survive a power cut.
    pub(super) fn keep(mut self) -> Result<PathBuf, StageError> {
        // A file system without modes (a USB stick) refuses; then its mount options decide who reads.
        let _mode = rustix::fs::fchmod(&self.directory, DIRECTORY_MODE);
        rustix::fs::fsync(&self.directory).at_path("flush", &self.path)?;
        self.check_in_place()?;
        self.is_kept = true;
        Ok(self.path.clone())
    }

    /// What was filled must still be what the path leads to: that is what people type.
    fn check_in_place(&self) -> Result<(), StageError> {
        let found = rustix::fs::lstat(&self.path).at_path("find again", &self.path)?;
        let filled = rustix::fs::fstat(&self.directory).at_path("find again", &self.path)?;
        if (found.st_dev, found.st_ino) == (filled.st_dev, filled.st_ino) {
            return Ok(());
        }
        let reason = "it was replaced while it was filled";
        Err(StageError::UnfitDirectory {
            path: self.path.clone(),
            reason,
        })
    }
}

impl Drop for StageTarget {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        for name in &self.files {
            // Nothing better can be done on the way out of a failure.
            let _removed = rustix::fs::unlinkat(&self.directory, name, AtFlags::empty());
        }
        remove_directories(&self.created);
    }
}

fn check_fit(path: &Path) -> Result<(), StageError> {
    let is_taken = TAKEN.iter().any(|taken| path.starts_with(taken));
    let has_line_break = path.as_os_str().as_bytes().contains(&b'\n');
    let reason = if is_taken {
        "cluster-restore.sh moves and empties it while it runs"
    } else if has_line_break {
        "cluster-restore.sh cannot use a path with a line break"
    } else {
        return Ok(());
    };
    let path = path.to_owned();
    Err(StageError::UnfitDirectory { path, reason })
}

/// Creates what is missing of `path` and lists it, outermost first.
fn create(path: &Path) -> Result<Vec<PathBuf>, StageError> {
    let mut created = Vec::new();
    // `a/../b` would create `a` only to leave it.
    let has_parent = path.components().any(|part| part == Component::ParentDir);
    let ancestors = path.ancestors().filter(|part| !part.as_os_str().is_empty());
    let mut missing: Vec<&Path> = ancestors
        .take_while(|part| part.symlink_metadata().is_err())
        .collect();
    if has_parent {
        missing.truncate(1);
    }
    for part in missing.into_iter().rev() {
        let made = rustix::fs::mkdirat(CWD, part, DIRECTORY_MODE);
        made.at_path("create", part)
            .inspect_err(|_| remove_directories(&created))?;
        created.push(part.to_owned());
    }
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(created),
        Ok(_) => Err(StageError::NotADirectory {
            path: path.to_owned(),
        }),
        Err(error) => Ok(Err(error).at_path("open", path)?),
    }
}

fn remove_directories(created: &[PathBuf]) {
    for path in created.iter().rev() {
        // Fails, as it should, when somebody put something there.
        let _removed = std::fs::remove_dir(path);
    }
}

/// The first names, those that would mislead the script first.
fn describe(names: &[OsString]) -> String {
    let (mut shown, others): (Vec<_>, Vec<_>) =
        names.iter().partition(|name| is_restore_name(name));
    let effect = if shown.is_empty() {
        ""
    } else {
        ", which cluster-restore.sh might take instead"
    };
    shown.extend(others);
    let rest = shown.len().saturating_sub(NAMES_SHOWN);
    shown.truncate(NAMES_SHOWN);
    // `Debug` escapes line breaks and what a terminal would obey.
    let mut text = shown
        .iter()
        .map(|name| format!("{name:?}"))
        .collect::<Vec<_>>()
        .join(", ");
    if rest > 0 {
        text.push_str(&format!(" and {rest} more"));
    }
    text + effect
}
