//! What happened to a file, and what it was.

use crate::bbolt::{Layout, Pgid, with_newest, with_rebuilt};
use crate::digest::Sha256Digest;
use serde::{Deserialize, Serialize};

/// A known and reversible change. Kept in the catalogue: new ones come last.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum MendHow {
    /// Opened for writing: the meta pages carry later transaction numbers.
    Opened {
        /// Of both meta pages, in bytes.
        head_bytes: u64,
        /// The transaction that was saved.
        txid: u64,
        /// How many transactions later it is now.
        by: u64,
    },
    /// One meta page is damaged; it follows from the other one.
    MetaPage {
        /// Of both meta pages, in bytes.
        head_bytes: u64,
        /// Which.
        page: u64,
    },
    /// Other bytes stand before the data, behind it, or both.
    Cut {
        /// Where the data begins.
        start: u64,
    },
    /// A carriage return was put before every line feed.
    LineEnds,
    /// The digest behind the data is gone, and a checksum that was recorded covers both.
    Trailer,
}

/// What a file was when it was saved: proven by its digest.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Mended {
    /// How it became what it is.
    pub how: MendHow,
    /// SHA-256 of the data, and what stands behind it.
    pub digest: Sha256Digest,
    /// Length, trailer included.
    pub size_bytes: u64,
}

impl MendHow {
    /// The first bytes of the file as they were; `None` where they are as they were, or this cannot be undone.
    pub(super) fn head(self, head: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Opened { txid, .. } => with_newest(head, &Layout::find(head).ok()?, txid),
            Self::MetaPage { page, .. } => {
                with_rebuilt(head, &Layout::find(head).ok()?, Pgid(page))
            }
            Self::Cut { .. } | Self::LineEnds | Self::Trailer => None,
        }
    }

    /// Bytes at the beginning that are other ones than they were.
    pub(super) fn head_bytes(self) -> u64 {
        match self {
            Self::Opened { head_bytes, .. } | Self::MetaPage { head_bytes, .. } => head_bytes,
            Self::Cut { .. } | Self::LineEnds | Self::Trailer => 0,
        }
    }
}
