//! Opening files that anybody may have put there.

use super::reader::FileReader;
use crate::bytes::to_u64;
use crate::source::{
    AtPath as _, Object, ObjectId, ObjectIdentity, OpenError, Pace, PageCache, ReadAt,
};
use rustix::fs::{FileType, Mode, OFlags};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;

/// Opens a regular file, never waiting for anybody: a FIFO put in its place does not hold us up.
///
/// # Errors
///
/// [`OpenError::Io`] when the system refuses, [`OpenError::NotRegular`] for directories, FIFOs, sockets and devices.
pub(super) fn open_regular(id: &ObjectId, path: &Path) -> Result<OpenFile, OpenError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    let file = File::from(opened.at_path("open", id)?);
    let metadata = file.metadata().at_path("open", id)?;
    if !metadata.is_file() {
        return Err(OpenError::NotRegular {
            id: id.clone(),
            found: describe(&metadata),
        });
    }
    Ok(OpenFile {
        file: Arc::new(file),
        identity: (&metadata).into(),
    })
}

/// A regular file, open, as it was when it was opened.
#[derive(Debug)]
pub(super) struct OpenFile {
    file: Arc<File>,
    identity: ObjectIdentity,
}

impl ReadAt for OpenFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(&*self.file, buffer, offset)
    }

    fn part_reader(&self, part: Range<u64>, page_cache: PageCache) -> Option<Box<dyn Read + Send>> {
        let file = Arc::clone(&self.file);
        Some(Box::new(FileReader::of_part(file, part, page_cache)))
    }
}

impl Object for OpenFile {
    fn identity(&self) -> &ObjectIdentity {
        &self.identity
    }

    fn identity_now(&self) -> io::Result<ObjectIdentity> {
        self.file.metadata().map(|metadata| (&metadata).into())
    }

    fn reader(&self, pace: Pace) -> io::Result<Box<dyn Read + Send>> {
        let file = Arc::clone(&self.file);
        Ok(match pace {
            Pace::Ahead(page_cache) => Box::new(FileReader::new(file, page_cache)),
            Pace::OneByOne => Box::new(InOrder { file, position: 0 }),
        })
    }
}

/// Reads as the system has it.
struct InOrder {
    file: Arc<File>,
    position: u64,
}

impl Read for InOrder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = FileExt::read_at(&*self.file, buffer, self.position)?;
        self.position += to_u64(length);
        Ok(length)
    }
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
        let error = open_regular(&path.as_path().into(), &path).expect_err("a FIFO is no file");
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
        let path = Path::new("/nonexistent/snapshot.db");
        let error = open_regular(&path.into(), path).expect_err("is not there");
        assert_eq!(error.to_string(), "cannot open /nonexistent/snapshot.db");
    }
}
