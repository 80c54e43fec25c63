//! Where bytes come from, and where finished files go.
//!
//! Every place that holds backups is a [`Store`]: it lists what it has, says what an object looks like, and opens it. The
//! [`FileSystem`] of this machine is one; [`Stores`] finds the right one for a name. An [`ObjectId`] names an object
//! wherever it lies, and its [`ObjectIdentity`] tells whether somebody wrote to it. A new store is a file in this room and
//! a line where [`Stores`] are made. What is packed is peeled off as it streams by (`packed`); an archive is a directory of
//! members (`archive`).
//!
//! Sources are opened read-only and never mapped into memory: a file that shrinks while it is mapped kills the process.

mod archive;
#[cfg(feature = "object-stores")]
mod bucket;
mod compressed;
mod counting;
mod custody;
mod file_system;
mod identity;
mod io_error;
mod object_id;
mod packed;
mod path_name;
mod publish;
mod store;
mod stores;

#[cfg(test)]
pub(crate) mod memory;
#[cfg(test)]
mod tests;

pub(crate) use archive::{ArchiveKind, ArchiveReader, ArchiveStep};
pub(crate) use archive::{TarDefect, TarLimits, TarMember, TarMemberKind, TarReader, TarStep};
#[cfg(feature = "object-stores")]
pub use bucket::{BUCKET_SCHEMES, BucketOptions, BucketStore};
pub use compressed::Compression;
pub(crate) use compressed::begin_unpacked;
pub(crate) use counting::Counting;
pub use custody::{Custody, ObjectLock};
pub(crate) use file_system::DirectoryEntries;
pub use file_system::FileSystem;
pub use identity::TaggedIdentity;
pub use identity::{FileIdentity, FileSystemId, ObjectIdentity};
pub(crate) use io_error::AtPath;
pub use io_error::IoError;
pub(crate) use io_error::{InArchive, ReplacedMeanwhile};
pub use object_id::ObjectId;
pub(crate) use object_id::ObjectSet;
pub(crate) use packed::{HEAD_BYTES, LONG_HEAD_BYTES, PackedStream, PackingBudget};
pub use publish::replace_own;
pub(crate) use publish::{create_whole, rename_new, rename_new_at, sync_directory};
pub use store::Cause;
pub use store::LeftOut;
pub use store::Listed;
pub use store::Listing;
pub use store::OpenError;
pub use store::Pace;
pub use store::ReadAt;
pub use store::{Created, NewObject};
pub use store::{Object, PageCache, Store};
pub(crate) use store::{SMALL_BYTES, read_full_at};
pub use stores::Stores;
