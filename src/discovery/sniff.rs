//! What an object is, by its first bytes and its name.

use crate::bytes::to_u64;
use crate::foreign::{self, Foreign, ForeignKind};
use crate::names::{BackupName, NameKind};
use crate::source::{Compression, ReadAt, decompress_buffered, read_full_at};
use std::io::{self, Read};

/// Read from the start of a file. Holds the header of a packed file and enough data for the first tar headers.
const HEAD_BYTES: usize = 64 * 1024;
/// Unpacked from the head: a bomb costs no more than this.
const UNPACKED_BYTES: u64 = 64 * 1024;
/// Tar headers looked at before the first real name: PAX and GNU long-name headers may stand before it.
const MAX_TAR_HEADERS: usize = 8;
/// bbolt writes its magic 16 bytes into a meta page, behind the page header.
const MAGIC_POSITION: usize = 16;
/// Smallest page size tried, as etcd and bbolt do when the first meta page is gone.
const SMALLEST_PAGE_BYTES: u64 = 1024;
/// Doublings of it that are tried: up to 16 MiB.
const PAGE_SIZE_DOUBLINGS: u32 = 14;
/// bbolt's magic number 0xED0CDAED as a little-endian machine writes it.
const MAGIC_LITTLE: [u8; 4] = [0xED, 0xDA, 0x0C, 0xED];
/// The same from a big-endian machine, such as s390x.
const MAGIC_BIG: [u8; 4] = [0xED, 0x0C, 0xDA, 0xED];
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// What a file is to be read as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ObjectKind {
    /// A bbolt file, or one whose name says so.
    Snapshot,
    /// A snapshot packed after it was taken.
    CompressedSnapshot(Compression),
    /// The archive of static pod resources.
    Kuberesources,
    /// Both halves in one archive (OpenShift 4.3.0 and 4.3.1).
    Combined,
    /// An interrupted save.
    Partial,
    /// Neither by content nor by name part of a backup.
    Unrecognised {
        /// Why, in a few words.
        reason: &'static str,
    },
}

impl ObjectKind {
    /// How a snapshot is packed; `None` for everything else.
    pub(crate) fn compression(self) -> Option<Compression> {
        match self {
            Self::CompressedSnapshot(compression) => Some(compression),
            _ => None,
        }
    }
}

/// What an object is, and what it looks like where that is no backup.
#[derive(Debug)]
pub(crate) struct Sniffed {
    /// What it is to be read as.
    pub(crate) kind: ObjectKind,
    /// What its first bytes are where they are neither a database nor an archive: then its name alone made it part of a
    /// backup.
    pub(crate) foreign: Option<Foreign>,
}

impl From<ObjectKind> for Sniffed {
    fn from(kind: ObjectKind) -> Self {
        Self {
            kind,
            foreign: None,
        }
    }
}

impl Sniffed {
    /// By what it is and not by its name: it cannot be read, and the backup may be in it, or it never was one.
    fn by_foreign(foreign: Foreign, kind: ObjectKind) -> Self {
        let is_none = foreign.kind.may_hold_a_backup() || foreign.kind == ForeignKind::ResourceFork;
        let unrecognised = ObjectKind::Unrecognised {
            reason: "a file of another kind",
        };
        Self {
            kind: if is_none { unrecognised } else { kind },
            foreign: Some(foreign),
        }
    }
}

/// Tells what an object is. Reads 64 KiB and, for the few files that are not clear from them,
/// four bytes at each place where a second meta page may lie.
///
/// The content decides; where it decides nothing the name does, so that a damaged backup is judged and not ignored.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn sniff(
    object: &(impl ReadAt + ?Sized),
    name: Option<&BackupName>,
) -> io::Result<Sniffed> {
    if name.is_some_and(|name| name.is_partial) {
        return Ok(ObjectKind::Partial.into());
    }
    let head = read_head(object)?;
    let by_content = content_kind(&head);
    if let Some(kind) = by_content {
        let is_combined = name.is_some_and(|name| name.kind == NameKind::Combined);
        let kind = if kind == ObjectKind::Kuberesources && is_combined {
            ObjectKind::Combined
        } else {
            kind
        };
        return Ok(kind.into());
    }
    if has_second_meta(object)? || foreign::leading_bytes(&head).is_some() {
        return Ok(ObjectKind::Snapshot.into());
    }
    let kind = name.map_or_else(|| unrecognised(&head), name_kind);
    Ok(match foreign::recognise(&head) {
        Some(foreign) => Sniffed::by_foreign(foreign, kind),
        None => kind.into(),
    })
}

fn name_kind(name: &BackupName) -> ObjectKind {
    match (name.kind, name.compression) {
        (NameKind::Snapshot, None) => ObjectKind::Snapshot,
        (NameKind::Snapshot, Some(compression)) => ObjectKind::CompressedSnapshot(compression),
        (NameKind::Kuberesources, _) => ObjectKind::Kuberesources,
        (NameKind::Combined, _) => ObjectKind::Combined,
    }
}

fn unrecognised(head: &[u8]) -> ObjectKind {
    let reason = if head.is_empty() {
        "empty file"
    } else if head.starts_with(SQLITE_MAGIC) {
        "SQLite database"
    } else if Compression::of(head).is_some() {
        "compressed file without a snapshot or static pod resources at its start"
    } else {
        "neither a bbolt meta page nor the name of a backup"
    };
    ObjectKind::Unrecognised { reason }
}

/// What the first bytes alone prove.
fn content_kind(head: &[u8]) -> Option<ObjectKind> {
    if has_magic(head) {
        return Some(ObjectKind::Snapshot);
    }
    let compression = Compression::of(head)?;
    let unpacked = unpack(decompress_buffered(head, compression).ok()?);
    if has_magic(&unpacked) {
        return Some(ObjectKind::CompressedSnapshot(compression));
    }
    let is_archive = compression == Compression::Gzip
        && first_tar_name(&unpacked).is_some_and(is_static_pod_resources);
    is_archive.then_some(ObjectKind::Kuberesources)
}

fn has_magic(head: &[u8]) -> bool {
    let magic = head
        .get(MAGIC_POSITION..)
        .and_then(<[u8]>::first_chunk::<4>);
    magic.is_some_and(is_magic)
}

fn is_magic(bytes: &[u8; 4]) -> bool {
    *bytes == MAGIC_LITTLE || *bytes == MAGIC_BIG
}

fn is_static_pod_resources(name: &[u8]) -> bool {
    let name = name.strip_prefix(b"./").unwrap_or(name);
    name.starts_with(b"static-pod-resources")
}

/// All that unpacks; the head ends in the middle, so an error at the end is expected.
fn unpack(decoder: impl Read) -> Vec<u8> {
    let mut unpacked = Vec::new();
    let mut limited = decoder.take(UNPACKED_BYTES);
    // What was unpacked before the error is kept in the vector.
    let _ended_early = limited.read_to_end(&mut unpacked).is_err();
    unpacked
}

/// The name in the first tar header that is not one about the next header.
fn first_tar_name(archive: &[u8]) -> Option<&[u8]> {
    const HEADER_BYTES: usize = 512;
    let mut rest = archive;
    for _ in 0..MAX_TAR_HEADERS {
        let (header, after) = rest.split_at_checked(HEADER_BYTES)?;
        let kind = *header.get(156)?;
        if !matches!(kind, b'x' | b'g' | b'L' | b'K') {
            let name = header.get(..100)?;
            let end = name.iter().position(|byte| *byte == 0);
            return name.get(..end.unwrap_or(name.len()));
        }
        let size = std::str::from_utf8(header.get(124..135)?).ok()?;
        let size = usize::from_str_radix(size.trim_matches([' ', '\0']), 8).ok()?;
        rest = after.get(size.checked_next_multiple_of(HEADER_BYTES)?..)?;
    }
    None
}

fn read_head(object: &(impl ReadAt + ?Sized)) -> io::Result<Vec<u8>> {
    let mut head = vec![0; HEAD_BYTES];
    let length = read_full_at(object, &mut head, 0)?;
    head.truncate(length);
    Ok(head)
}

/// True when a meta page lies where page 1 is for some page size: page 0 was overwritten.
fn has_second_meta(object: &(impl ReadAt + ?Sized)) -> io::Result<bool> {
    let position = to_u64(MAGIC_POSITION);
    for doubling in 0..=PAGE_SIZE_DOUBLINGS {
        let offset = (SMALLEST_PAGE_BYTES << doubling) + position;
        let mut magic = [0; 4];
        // Page sizes beyond the end of the file are not worth a try.
        if read_full_at(object, &mut magic, offset)? < magic.len() {
            return Ok(false);
        }
        if is_magic(&magic) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
