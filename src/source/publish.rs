//! Giving finished files their final names: never in place of somebody else's file, and so that a power cut does not undo it.

use rustix::fd::AsFd;
use rustix::fs::{AtFlags, CWD, RenameFlags};
use rustix::io::Errno;
use rustix::path::Arg;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

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

/// Writes a file that everybody may read, whole or not at all, in the place of one that we wrote before.
///
/// `marks` is what each of our files begins with; an empty file counts as ours. Any other file stays: what is given as
/// a place to write to may be somebody's backup.
///
/// # Errors
///
/// The system refuses, or something else lies there.
pub fn replace_own(path: &Path, content: &[u8], marks: &[u8]) -> io::Result<()> {
    // Through a link the file changes that it leads to.
    let path = match std::fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        found => found?,
    };
    if path.symlink_metadata().is_ok() && !is_own(&path, marks)? {
        let message = "something else lies there, and it stays; name another file, or remove it";
        return Err(io::Error::new(ErrorKind::AlreadyExists, message));
    }
    let no_name = || io::Error::new(ErrorKind::InvalidInput, "it names no file");
    let name = path.file_name().ok_or_else(no_name)?.to_string_lossy();
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let temporary = Temporary::write(directory, &name, content, 0o644)?;
    std::fs::rename(&temporary.0, &path)?;
    sync_directory(directory)
}

/// Creates a file for its owner and group that is whole under its name, or not there. What has the name already stays.
///
/// # Errors
///
/// The system refuses, or the name is taken.
pub(crate) fn create_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = Temporary::write(directory, &name, content, 0o640)?;
    rename_new(&temporary.0, path)?;
    sync_directory(directory)
}

/// Removed when it has not got its final name.
pub(super) struct Temporary(PathBuf);

impl Temporary {
    /// Writes a file that will be called `name`.
    fn write(directory: &Path, name: &str, content: &[u8], mode: u32) -> io::Result<Self> {
        let (temporary, mut file) = Self::create(directory, name, mode)?;
        file.write_all(content)?;
        file.sync_all()?;
        Ok(temporary)
    }

    /// Creates a file that will be called `name`. Others may create one for the same name at the same time, perhaps on other
    /// machines with the same process number.
    pub(super) fn create(directory: &Path, name: &str, mode: u32) -> io::Result<(Self, File)> {
        let salt = RandomState::new().hash_one(std::process::id());
        let path = directory.join(format!(".{name}.{salt:016x}.part"));
        let mut options = File::options();
        let file = options
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)?;
        Ok((Self(path), file))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Mostly it is there no more; when it cannot be removed, its name says what it is.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn is_own(path: &Path, marks: &[u8]) -> io::Result<bool> {
    if !path.metadata()?.is_file() {
        return Ok(false);
    }
    let mut beginning = Vec::new();
    let length = u64::try_from(marks.len()).unwrap_or(u64::MAX);
    File::open(path)?.take(length).read_to_end(&mut beginning)?;
    Ok(beginning.is_empty() || beginning == marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_we_wrote_is_replaced() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("x.prom");
        let write = |content: &str| replace_own(&path, content.as_bytes(), b"# mark");
        write("# mark 1")?;
        write("# mark 2")?;
        assert_eq!(std::fs::read(&path)?, b"# mark 2");
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata()?.permissions());
        assert_eq!(mode & 0o600, 0o600);
        for other in ["a backup", "# mar"] {
            std::fs::write(&path, other)?;
            let error = write("# mark 3").expect_err("somebody else's");
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read_to_string(&path)?, other);
        }
        std::fs::write(&path, "")?;
        write("# mark 4")?;
        let names: Vec<_> = std::fs::read_dir(&directory)?.collect::<Result<_, _>>()?;
        assert_eq!(names.len(), 1, "{names:?}");
        let error = replace_own(directory.path(), b"", b"# mark").expect_err("a directory");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        Ok(())
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("target"), "")?;
        std::os::unix::fs::symlink("target", path("link"))?;
        replace_own(&path("link"), b"#1", b"#")?;
        assert_eq!(std::fs::read(path("target"))?, b"#1");
        assert!(path("link").symlink_metadata()?.is_symlink());
        Ok(())
    }

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
