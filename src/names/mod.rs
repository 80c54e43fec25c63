//! What names say: those of every producer, the stamps in them, the marks of files put aside, and which of the names in a
//! directory `cluster-restore.sh` would take.
//!
//! Nothing here looks at a file.

mod backup_name;
mod picks;
mod put_aside;
mod stamp;
mod version_sort;

pub(crate) use backup_name::POSSIBLY_DIRTY;
pub use backup_name::{BackupName, NameKind};
pub use picks::{Picks, is_restore_name};
pub use put_aside::PutAside;
pub use stamp::Stamp;
pub use version_sort::{Coreutils, compare as compare_versions};
