//! What names say: those of every producer, the stamps in them, the marks of files put aside, and which of the names in a
//! directory `cluster-restore.sh` would take.
//!
//! Nothing here looks at a file.

mod backup_name;
mod picks;
mod put_aside;
mod stamp;
mod version_sort;

pub use backup_name::BackupName;
pub use backup_name::NameKind;
pub(crate) use backup_name::{POSSIBLY_DIRTY, says_possibly_dirty};
pub use picks::Picks;
pub(crate) use picks::is_restore_name;
pub(crate) use put_aside::PutAside;
pub use stamp::Stamp;
