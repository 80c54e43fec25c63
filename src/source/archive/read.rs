//! The files of an archive, one after the other, as they come by in a stream.

use super::step::{ArchiveStep, file};
use super::tar::{TarDefect, TarLimits, TarReader, TarStep};
use super::tar_header::{HEADER_BYTES, SoundHeader, TarMember, TarMemberKind};
use super::zip::{self, ZipReader};
use std::ffi::OsStr;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// Unpacked bytes that wait for the walk.
const BUFFER_BYTES: usize = 128 << 10;
/// A bundle of backups, or what else may lie beside them: a source tree, an archive of logs.
const LIMITS: TarLimits = TarLimits {
    max_members: 1_000_000,
    max_name_bytes: 8 << 10,
};
/// First bytes of an archive that tell.
pub(super) const HEAD_BYTES: usize = HEADER_BYTES;
/// How sparse files are called in a pax archive: what follows is a map of the file, and not the file.
const SPARSE_DIRECTORY: &[u8] = b"GNUSparseFile";

/// A kind of archive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ArchiveKind {
    /// tar, not compressed.
    Tar,
    /// zip.
    Zip,
}

impl ArchiveKind {
    /// By the first bytes; `None`: no archive.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        if zip::is_zip(head) {
            return Some(Self::Zip);
        }
        let block = head.first_chunk::<HEADER_BYTES>()?;
        SoundHeader::parse(block).map(|_| Self::Tar)
    }
}

/// Walks over the files of an archive. It reads as the file that it has come to.
pub(crate) enum ArchiveReader<R: Read> {
    Tar(TarReader<BufReader<R>>),
    Zip(ZipReader<BufReader<R>>),
}

impl<R: Read> ArchiveReader<R> {
    pub(crate) fn new(archive: R, kind: ArchiveKind) -> Self {
        let buffered = BufReader::with_capacity(BUFFER_BYTES, archive);
        match kind {
            ArchiveKind::Tar => Self::Tar(TarReader::new(buffered, LIMITS)),
            ArchiveKind::Zip => Self::Zip(ZipReader::new(buffered, LIMITS)),
        }
    }

    /// Goes to the next file, passing over what is left of this one.
    ///
    /// # Errors
    ///
    /// The stream cannot be read on.
    pub(crate) fn step(&mut self) -> io::Result<ArchiveStep> {
        match self {
            Self::Tar(tar) => loop {
                match tar.step()? {
                    TarStep::End => return Ok(ArchiveStep::End),
                    TarStep::Defect(defect) => return Ok(of_defect(defect)),
                    TarStep::Member(member) => {
                        if let Some(step) = of_member(&member) {
                            return Ok(step);
                        }
                    }
                }
            },
            Self::Zip(zip) => zip.step(),
        }
    }
}

impl<R: Read> Read for ArchiveReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tar(tar) => tar.read_member(out),
            Self::Zip(zip) => zip.read_member(out),
        }
    }
}

/// `None`: nothing that anybody would miss.
fn of_member(member: &TarMember) -> Option<ArchiveStep> {
    let name = PathBuf::from(OsStr::from_bytes(&member.path));
    match &member.kind {
        TarMemberKind::File => {}
        TarMemberKind::Directory
        | TarMemberKind::SymbolicLink { .. }
        | TarMemberKind::HardLink { .. } => return None,
        TarMemberKind::Special(kind) => {
            let reason = format!(
                "a member of kind {:?}, not a regular file",
                char::from(*kind)
            );
            return Some(ArchiveStep::PassedOver { path: name, reason });
        }
    }
    let is_sparse = member
        .path
        .split(|byte| *byte == b'/')
        .any(|part| part.starts_with(SPARSE_DIRECTORY));
    if is_sparse {
        let reason = "a sparse file, which only tar puts together".to_owned();
        return Some(ArchiveStep::PassedOver { path: name, reason });
    }
    Some(file(name, Some(member.size_bytes)))
}

fn of_defect(defect: TarDefect) -> ArchiveStep {
    let is_incomplete = !matches!(defect, TarDefect::BehindEnd { .. });
    let reason = match defect {
        TarDefect::Header { offset } => format!("no tar header at byte {offset} of the tar"),
        TarDefect::Truncated { offset } => {
            format!("the tar ends inside a member, at byte {offset} of it")
        }
        TarDefect::EndMissing { offset } => {
            format!("the tar ends at byte {offset} without its two end blocks")
        }
        TarDefect::BehindEnd { offset } => {
            format!("bytes behind the end of the tar, from byte {offset} of it: not looked at")
        }
        TarDefect::Name { offset, size_bytes } => {
            format!("a name of {size_bytes} bytes at byte {offset} of the tar")
        }
        TarDefect::Members { limit } => format!("more than {limit} members: not read any further"),
    };
    ArchiveStep::Defect {
        reason,
        is_incomplete,
    }
}
