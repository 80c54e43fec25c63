//! Archives as directories: member by member in one pass over a stream, nothing extracted.
//!
//! `tar` walks over a tar and tells what is wrong with it, `read` gives the files of an archive of whatever kind one after
//! the other, and `member` opens one of them again.

mod member;
mod read;
mod tar;
mod tar_header;

pub(super) use member::open_member;
pub(crate) use read::{ArchiveKind, ArchiveReader, ArchiveStep};
pub(crate) use tar::{TarDefect, TarLimits, TarReader, TarStep};
pub(crate) use tar_header::{TarMember, TarMemberKind};
