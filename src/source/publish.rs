//! Giving finished files their final names: never in place of another file, and so that a power cut does not undo it.

use rustix::fd::AsFd;
use rustix::fs::{AtFlags, CWD, RenameFlags};
use rustix::io::Errno;
use rustix::path::Arg;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Renames a file; whatever has the new name already stays, and the error says that it exists.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    rename_new_at(CWD, from, to)
}

/// The same with names in an open directory.
pub(crate) fn rename_new_at(
    directory: impl AsFd + Copy,
    from: impl Arg + Copy,
    to: impl Arg + Copy,
) -> io::Result<()> {
    let renamed = rustix::fs::renameat_with(directory, from, directory, to, RenameFlags::NOREPLACE);
    match renamed {
        // Not every file system knows the flag; a hard link refuses to replace just as well.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => link_new_at(directory, from, to),
        outcome => Ok(outcome?),
    }
}

fn link_new_at(
    directory: impl AsFd + Copy,
    from: impl Arg + Copy,
    to: impl Arg + Copy,
) -> io::Result<()> {
    match rustix::fs::linkat(directory, from, directory, to, AtFlags::empty()) {
        Ok(()) => Ok(rustix::fs::unlinkat(directory, from, AtFlags::empty())?),
        // Nor does every one have hard links: then the look just before has to do.
        Err(Errno::PERM | Errno::NOSYS | Errno::NOTSUP) => {
            if rustix::fs::statat(directory, to, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                return Err(Errno::EXIST.into());
            }
            Ok(rustix::fs::renameat(directory, from, directory, to)?)
        }
        Err(errno) => Err(errno.into()),
    }
}

/// Makes new names in a directory outlive a power cut.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        // Some network file systems cannot; the files themselves are safe.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_stays_with_its_file() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = |name: &str| directory.path().join(name);
        for rename in [rename_new, |from: &Path, to: &Path| {
            link_new_at(CWD, from, to)
        }] {
            std::fs::write(path("new.part"), "new")?;
            std::fs::write(path("taken"), "old")?;
            let error = rename(&path("new.part"), &path("taken")).expect_err("is taken");
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read(path("taken"))?, b"old");
            rename(&path("new.part"), &path("free"))?;
            assert_eq!(std::fs::read(path("free"))?, b"new");
            assert!(!path("new.part").exists());
            std::fs::remove_file(path("free"))?;
        }
        sync_directory(directory.path())
    }
}
