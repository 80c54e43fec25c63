//! Archives as directories: member by member in one pass over a stream, nothing extracted.
//!
//! `tar`, `zip` and `zip_directory` walk over an archive and tell what is wrong with it, `read` gives the files of an archive of whatever kind one after
//! the other, and `member` opens one of them again.

mod kind;
mod last_members;
mod member;
mod read;
mod step;
mod tar;
mod tar_header;
mod zip;
mod zip_directory;
mod zip_end;
mod zip_member;
mod zip_part;
mod zip_record;

pub(crate) use kind::ArchiveKind;
pub(super) use last_members::LastMembers;
pub(super) use member::{each_member, open_member};
pub(crate) use read::ArchiveReader;
pub(crate) use step::ArchiveStep;
pub(crate) use tar::{TarDefect, TarLimits, TarReader, TarStep};
pub(crate) use tar_header::{TarMember, TarMemberKind};
