//! Which objects under a location may be parts of a backup: by name, by place, by their first bytes.
//!
//! Nothing here judges a backup, and nothing here writes. Walking only looks at listings; opening is left to `sniff`,
//! so that a caller can skip what it has already read.

mod checksums;
mod group;
mod sniff;
mod walk;

pub use crate::foreign::{Foreign, ForeignKind};
pub(crate) use checksums::{Checksum, MAX_LIST_BYTES, checksums, is_checksum_list, listed_by_name};
pub use group::{Group, Shard, groups};
pub(crate) use sniff::{ObjectKind, Sniffed, has_magic, sniff, sniff_stream};
pub(crate) use walk::walk_beside;
pub use walk::{FoundObject, Skipped, SkippedKind, Walk, walk};
