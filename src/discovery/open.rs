//! Opening files that anybody may have put there.

use crate::source::{AtPath as _, IoError};
use chrono::{DateTime, Utc};
use rustix::fs::{FileType, Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What tells that a file is the one that was read before, without opening it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct FileIdentity {
    /// Device that holds it.
    pub device: u64,
    /// Inode on that device.
    pub inode: u64,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Modification time: seconds since 1970, may be negative.
    pub modified_seconds: i64,
    /// Modification time: nanoseconds of that second.
    pub modified_nanoseconds: u32,
}

impl FileIdentity {
    /// Taken from the attributes of a file.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.size(),
            modified_seconds: metadata.mtime(),
            modified_nanoseconds: u32::try_from(metadata.mtime_nsec()).unwrap_or_default(),
        }
    }

    /// The modification time; `None` past the calendar's end.
    pub fn modified_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.modified_seconds, self.modified_nanoseconds)
    }
}

/// A file could not be opened for reading.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] IoError),
    /// Not something that can be read to its end.
    #[error("{path} is {found}, expected a regular file", path = path.display())]
    NotRegular {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
}

/// Opens a regular file for reading, never waiting for anybody: a FIFO put in its place does not hold us up.
///
/// # Errors
///
/// [`IoError`] when the system refuses, [`OpenError::NotRegular`] for directories, FIFOs, sockets and devices.
pub fn open_regular(path: &Path) -> Result<(File, FileIdentity), OpenError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    let file = File::from(opened.at_path("open", path)?);
    let metadata = file.metadata().at_path("open", path)?;
    if !metadata.is_file() {
        let path = path.to_owned();
        let found = describe(&metadata);
        return Err(OpenError::NotRegular { path, found });
    }
    Ok((file, FileIdentity::of(&metadata)))
}

/// What a directory entry is, in words.
pub(super) fn describe(metadata: &Metadata) -> &'static str {
    match FileType::from_raw_mode(metadata.mode()) {
        FileType::RegularFile => "a regular file",
        FileType::Directory => "a directory",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice => "a character device",
        FileType::BlockDevice => "a block device",
        FileType::Unknown => "of an unknown type",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_fifo_is_refused_at_once() -> Result<(), Box<dyn std::error::Error>> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("snapshot_2024-11-02_030000.db");
        rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, Mode::RUSR, 0)?;
        let started = Instant::now();
        let error = open_regular(&path).expect_err("a FIFO is no file");
        assert!(
            error
                .to_string()
                .ends_with("is a FIFO, expected a regular file"),
            "{error}"
        );
        assert!(started.elapsed() < Duration::from_secs(5));
        Ok(())
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = open_regular(Path::new("/nonexistent/snapshot.db")).expect_err("is not there");
        assert_eq!(error.to_string(), "cannot open /nonexistent/snapshot.db");
    }
}
