//! Which kind of archive some bytes begin.

use super::tar_header::{HEADER_BYTES, SoundHeader};
use super::zip;

/// First bytes of an archive that tell.
pub(super) const HEAD_BYTES: usize = HEADER_BYTES;

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
