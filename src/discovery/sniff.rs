//! What an object is, by its first bytes and its name.

use crate::bytes::{to_u64, to_usize};
use crate::foreign::{self, Foreign, ForeignKind};
use crate::names::{BackupName, NameKind};
use crate::source::{
    ArchiveKind, Compression, HEAD_BYTES, LONG_HEAD_BYTES, PackedStream, ReadAt, begin_unpacked,
    read_full_at,
};
use std::borrow::Cow;
use std::io;

/// Unpacked from the head: a bomb costs no more than this.
const UNPACKED_BYTES: usize = 64 * 1024;
/// Compressions that are taken off one after the other.
const MAX_LAYERS: usize = 3;
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
    /// An archive of whatever may be in it: a directory that somebody packed.
    Archive,
    /// An interrupted save.
    Partial,
    /// Neither by content nor by name part of a backup.
    Unrecognised {
        /// Why, in a few words.
        reason: &'static str,
    },
}

impl ObjectKind {
    /// It is read as one snapshot.
    pub(crate) fn is_snapshot(self) -> bool {
        matches!(
            self,
            Self::Snapshot | Self::CompressedSnapshot(_) | Self::Partial
        )
    }

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

/// Where the first bytes come from.
trait Beginning {
    /// So many of them; fewer if there are no more.
    fn head(&mut self, bytes: usize) -> io::Result<Vec<u8>>;

    /// Four bytes further on; `None` behind the end.
    fn four_at(&mut self, offset: u64) -> io::Result<Option<[u8; 4]>>;
}

impl<O: ReadAt + ?Sized> Beginning for &O {
    fn head(&mut self, bytes: usize) -> io::Result<Vec<u8>> {
        let mut head = vec![0; bytes];
        let length = read_full_at(*self, &mut head, 0)?;
        head.truncate(length);
        Ok(head)
    }

    fn four_at(&mut self, offset: u64) -> io::Result<Option<[u8; 4]>> {
        let mut bytes = [0; 4];
        let length = read_full_at(*self, &mut bytes, offset)?;
        Ok((length == bytes.len()).then_some(bytes))
    }
}

/// Of a stream only so much is looked at in advance: pages larger than any that etcd has ever had are not tried.
impl Beginning for PackedStream<'_> {
    fn head(&mut self, bytes: usize) -> io::Result<Vec<u8>> {
        Self::head(self, bytes).map(<[u8]>::to_vec)
    }

    fn four_at(&mut self, offset: u64) -> io::Result<Option<[u8; 4]>> {
        let head = Self::head(self, HEAD_BYTES)?;
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|start| head.get(start..));
        Ok(rest.and_then(|rest| rest.first_chunk().copied()))
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
    recognise(&mut { object }, name)
}

/// The same of a stream, of which nothing is taken.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn sniff_stream(
    stream: &mut PackedStream<'_>,
    name: Option<&BackupName>,
) -> io::Result<Sniffed> {
    recognise(stream, name)
}

fn recognise(object: &mut impl Beginning, name: Option<&BackupName>) -> io::Result<Sniffed> {
    if name.is_some_and(|name| name.is_partial) {
        return Ok(ObjectKind::Partial.into());
    }
    let mut head = object.head(HEAD_BYTES)?;
    let mut by_content = content_kind(&head);
    if by_content.is_none() && Compression::of(&head).is_some() && head.len() == HEAD_BYTES {
        by_content = content_kind(&object.head(LONG_HEAD_BYTES)?);
        head.truncate(HEAD_BYTES);
    }
    if let Some(kind) = by_content {
        let is_archive = matches!(kind, ObjectKind::Kuberesources | ObjectKind::Archive);
        let kind = match name.map(|name| name.kind) {
            Some(NameKind::Combined) if is_archive => ObjectKind::Combined,
            // Other members stand before those that the name promises, or there are none.
            Some(NameKind::Kuberesources) if is_archive => ObjectKind::Kuberesources,
            _ => kind,
        };
        return Ok(kind.into());
    }
    if has_second_meta(object, &head)? || foreign::leading_bytes(&head).is_some() {
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

/// What the first bytes alone prove, whatever they are packed in.
fn content_kind(head: &[u8]) -> Option<ObjectKind> {
    let outer = Compression::of(head);
    let mut head = Cow::Borrowed(head);
    for _ in 0..=MAX_LAYERS {
        if has_magic(&head) {
            return Some(match outer {
                Some(compression) => ObjectKind::CompressedSnapshot(compression),
                None => ObjectKind::Snapshot,
            });
        }
        if let Some(kind) = ArchiveKind::of(&head) {
            let is_kuberesources = kind == ArchiveKind::Tar
                && first_tar_name(&head).is_some_and(is_static_pod_resources);
            return Some(if is_kuberesources {
                ObjectKind::Kuberesources
            } else {
                ObjectKind::Archive
            });
        }
        let compression = Compression::of(&head)?;
        head = begin_unpacked(&head, compression, UNPACKED_BYTES).into();
    }
    None
}

/// A meta page of bbolt at the beginning.
pub(crate) fn has_magic(head: &[u8]) -> bool {
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

/// The name in the first tar header that is not one about the next header, nor the directory that was packed.
fn first_tar_name(archive: &[u8]) -> Option<&[u8]> {
    const HEADER_BYTES: usize = 512;
    let mut rest = archive;
    for _ in 0..MAX_TAR_HEADERS {
        let (header, after) = rest.split_at_checked(HEADER_BYTES)?;
        let kind = *header.get(156)?;
        let name = header.get(..100)?;
        let end = name.iter().position(|byte| *byte == 0);
        let name = name.get(..end.unwrap_or(name.len()))?;
        if !matches!(kind, b'x' | b'g' | b'L' | b'K') && name != b"./" {
            return Some(name);
        }
        let size = std::str::from_utf8(header.get(124..135)?).ok()?;
        let size = usize::from_str_radix(size.trim_matches([' ', '\0']), 8).ok()?;
        rest = after.get(size.checked_next_multiple_of(HEADER_BYTES)?..)?;
    }
    None
}

/// True when a meta page lies where page 1 is for some page size: page 0 was overwritten.
fn has_second_meta(object: &mut impl Beginning, head: &[u8]) -> io::Result<bool> {
    let position = to_u64(MAGIC_POSITION);
    for doubling in 0..=PAGE_SIZE_DOUBLINGS {
        let offset = (SMALLEST_PAGE_BYTES << doubling) + position;
        let known = head.get(to_usize(offset)..);
        let known = known.and_then(|rest| rest.first_chunk().copied());
        let magic = match known {
            Some(magic) => Some(magic),
            None => object.four_at(offset)?,
        };
        // Page sizes beyond the end of the file are not worth a try.
        let Some(magic) = magic else {
            return Ok(false);
        };
        if is_magic(&magic) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
