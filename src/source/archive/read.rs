//! The files of an archive, one after the other, as they come by in a stream.

use super::kind::{ArchiveKind, HEAD_BYTES};
use super::step::{ArchiveStep, file};
use super::tar::{TarDefect, TarLimits, TarReader, TarStep};
use super::tar_header::{TarMember, TarMemberKind};
use super::zip::ZipReader;
use super::zip_directory::ZipByDirectory;
use super::zip_part::ZipSource;
use crate::monitor::Monitor;
use crate::source::compressed::Compression;
use crate::source::packed::PackingBudget;
use crate::source::{PageCache, ReadAt, read_full_at};
use std::ffi::OsStr;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Unpacked bytes that wait for the walk.
const BUFFER_BYTES: usize = 128 << 10;
/// A bundle of backups, or what else may lie beside them: a source tree, an archive of logs.
const LIMITS: TarLimits = TarLimits {
    max_members: 1_000_000,
    max_name_bytes: 8 << 10,
};
/// How sparse files are called in a pax archive: what follows is a map of the file, and not the file.
const SPARSE_DIRECTORY: &[u8] = b"GNUSparseFile";

/// Walks over the files of an archive. It reads as the file that it has come to.
pub(crate) enum ArchiveReader<'a> {
    Tar(TarReader<BufReader<ArchiveBytes<'a>>>),
    Zip(ZipReader<BufReader<ArchiveBytes<'a>>>),
    Directory(Box<ZipByDirectory<'a>>),
}

/// The bytes of an archive, as they come.
type ArchiveBytes<'a> = Box<dyn Read + Send + 'a>;

impl<'a> ArchiveReader<'a> {
    pub(crate) fn new(archive: ArchiveBytes<'a>, kind: ArchiveKind) -> Self {
        let buffered = BufReader::with_capacity(BUFFER_BYTES, archive);
        match kind {
            ArchiveKind::Tar => Self::Tar(TarReader::new(buffered, LIMITS)),
            ArchiveKind::Zip => Self::Zip(ZipReader::new(buffered, LIMITS)),
        }
    }

    /// The zip that an object is, by its directory, and what is left for its members; `None` where it is none, or does not
    /// end as one. The object is to be near: it is read here and there. Where the monitor asks to stop, reading ends in an
    /// error.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(crate) fn of_zip(
        object: impl ReadAt + Send + Sync + 'a,
        size_bytes: u64,
        page_cache: PageCache,
        monitor: &'a dyn Monitor,
    ) -> io::Result<Option<(Self, PackingBudget)>> {
        let mut head = [0; HEAD_BYTES];
        let length = read_full_at(&object, &mut head, 0)?;
        let head = head.get(..length).unwrap_or_default();
        let is_other = ArchiveKind::of(head) == Some(ArchiveKind::Tar);
        if is_other || Compression::of(head).is_some() {
            return Ok(None);
        }
        let budget = PackingBudget::default();
        let source = ZipSource {
            object: Arc::new(object),
            page_cache,
            budget: budget.clone(),
            monitor,
        };
        let Some(zip) = ZipByDirectory::open(source, size_bytes, LIMITS)? else {
            return Ok(None);
        };
        Ok(Some((Self::Directory(Box::new(zip)), budget.below()?)))
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
            Self::Directory(zip) => zip.step(),
        }
    }
}

impl Read for ArchiveReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tar(tar) => tar.read_member(out),
            Self::Zip(zip) => zip.read_member(out),
            Self::Directory(zip) => zip.read_member(out),
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
