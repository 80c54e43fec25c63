//! The entries of a directory.
//!
//! The standard library's own reader of directories panics where closing one fails, as on a network that has gone.

use rustix::fs::{Dir, FileType, Mode, OFlags};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// The entries of an open directory, in no order.
#[derive(Debug)]
pub(crate) struct DirectoryEntries(Dir);

/// One of them.
#[derive(Debug)]
pub(crate) struct DirectoryEntry {
    /// Its name.
    pub(crate) name: OsString,
    /// It is a regular file. False for links, and where the file system does not say.
    pub(crate) is_file: bool,
}

impl DirectoryEntries {
    /// Opens a directory.
    pub(crate) fn of(directory: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = rustix::fs::open(directory, flags, Mode::empty())?;
        Ok(Self(Dir::new(open)?))
    }
}

impl Iterator for DirectoryEntries {
    type Item = io::Result<DirectoryEntry>;

    fn next(&mut self) -> Option<io::Result<DirectoryEntry>> {
        loop {
            let entry = match self.0.read()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error.into())),
            };
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                return Some(Ok(DirectoryEntry {
                    name: OsStr::from_bytes(name).to_owned(),
                    is_file: entry.file_type() == FileType::RegularFile,
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DirectoryEntries;

    #[test]
    fn entries_come_with_their_kind() -> std::io::Result<()> {
        let directory = tempfile::tempdir()?;
        std::fs::write(directory.path().join("file"), "")?;
        std::fs::create_dir(directory.path().join("directory"))?;
        let mut entries = Vec::new();
        for entry in DirectoryEntries::of(directory.path())? {
            let entry = entry?;
            entries.push((entry.name.into_string().unwrap_or_default(), entry.is_file));
        }
        entries.sort();
        let expected = [("directory".to_owned(), false), ("file".to_owned(), true)];
        assert_eq!(entries, expected);
        let file = directory.path().join("file");
        assert!(DirectoryEntries::of(&file).is_err());
        Ok(())
    }
}
