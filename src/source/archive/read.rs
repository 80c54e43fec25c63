//! The files of an archive, one after the other, as they come by in a stream.

use super::tar::{TarDefect, TarLimits, TarReader, TarStep};
use super::tar_header::{HEADER_BYTES, SoundHeader, TarMember, TarMemberKind};
use std::ffi::OsStr;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

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
}

impl ArchiveKind {
    /// By the first bytes; `None`: no archive.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        let block = head.first_chunk::<HEADER_BYTES>()?;
        SoundHeader::parse(block).map(|_| Self::Tar)
    }
}

/// What the walk has come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ArchiveStep {
    /// A file: its bytes are read next.
    File {
        /// Its name, without what tar leaves out of names as it unpacks.
        path: PathBuf,
        /// Length in bytes, where the archive tells it before.
        size_bytes: Option<u64>,
    },
    /// Something that is passed over, and why.
    PassedOver {
        /// Its name, as it stands there.
        path: PathBuf,
        /// Why, in a few words.
        reason: String,
    },
    /// Something is wrong with the archive. The walk may go on behind it.
    Defect {
        /// What, in a few words.
        reason: String,
        /// There may be members that were not seen.
        is_incomplete: bool,
    },
    /// Nothing more; everything behind it was read.
    End,
}

/// Walks over the files of an archive. It reads as the file that it has come to.
pub(crate) struct ArchiveReader<R> {
    tar: TarReader<BufReader<R>>,
}

impl<R: Read> ArchiveReader<R> {
    pub(crate) fn new(archive: R, kind: ArchiveKind) -> Self {
        let buffered = BufReader::with_capacity(BUFFER_BYTES, archive);
        match kind {
            ArchiveKind::Tar => Self {
                tar: TarReader::new(buffered, LIMITS),
            },
        }
    }

    /// Goes to the next file, passing over what is left of this one.
    ///
    /// # Errors
    ///
    /// The stream cannot be read on.
    pub(crate) fn step(&mut self) -> io::Result<ArchiveStep> {
        loop {
            match self.tar.step()? {
                TarStep::End => return Ok(ArchiveStep::End),
                TarStep::Defect(defect) => return Ok(of_defect(defect)),
                TarStep::Member(member) => {
                    if let Some(step) = of_member(&member) {
                        return Ok(step);
                    }
                }
            }
        }
    }
}

impl<R: Read> Read for ArchiveReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.tar.read_member(out)
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
    let step = match inner_path(&name) {
        _ if is_sparse => ArchiveStep::PassedOver {
            path: name,
            reason: "a sparse file, which only tar puts together".to_owned(),
        },
        Ok(path) => ArchiveStep::File {
            path,
            size_bytes: Some(member.size_bytes),
        },
        Err(reason) => ArchiveStep::PassedOver {
            path: name,
            reason: reason.to_owned(),
        },
    };
    Some(step)
}

/// The name of a member below the archive: a leading slash is left out, as tar does; nothing leads out of it.
fn inner_path(name: &Path) -> Result<PathBuf, &'static str> {
    let mut path = PathBuf::new();
    if name.as_os_str().as_bytes().contains(&0) {
        return Err("its name has a zero byte in it");
    }
    for part in name.components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            Component::ParentDir => return Err("its name leads out of the archive"),
        }
    }
    if path.as_os_str().is_empty() {
        return Err("it has no name");
    }
    Ok(path)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_the_archive() {
        let rows = [
            ("./a/b.db", Ok("a/b.db")),
            ("/root/backup//b.db", Ok("root/backup/b.db")),
            ("a/../../b.db", Err("its name leads out of the archive")),
            ("..", Err("its name leads out of the archive")),
            ("/", Err("it has no name")),
            ("a\0b", Err("its name has a zero byte in it")),
        ];
        for (name, expected) in rows {
            let found = inner_path(Path::new(name));
            assert_eq!(found, expected.map(PathBuf::from), "{name:?}");
        }
    }
}
