//! Archives as directories: member by member in one pass over a stream, nothing extracted.
//!
//! `tar` and `zip` walk over an archive and tell what is wrong with it, `read` gives the files of an archive of whatever kind one after
//! the other, and `member` opens one of them again.

mod member;
mod read;
mod step;
mod tar;
mod tar_header;
mod zip;
mod zip_record;

pub(super) use member::open_member;
pub(crate) use read::{ArchiveKind, ArchiveReader};
pub(crate) use step::ArchiveStep;
pub(crate) use tar::{TarDefect, TarLimits, TarReader, TarStep};
pub(crate) use tar_header::{TarMember, TarMemberKind};
