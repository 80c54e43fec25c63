//! Which files under a location may be halves of a backup: by name, by place, by their first bytes.
//!
//! Nothing here judges a backup, and nothing here writes. Walking only looks at directories and file attributes;
//! opening files is left to [`fingerprint`], so that a caller can skip what it has already read.

mod aside;
mod directory;
mod fingerprint;
mod names;
mod open;
mod stamp;
mod walk;

pub use aside::Aside;
pub use directory::{DirectoryName, RollbackCopy};
pub use fingerprint::{Kind, fingerprint};
pub(crate) use names::POSSIBLY_DIRTY;
pub use names::{BackupName, Compression, NameKind};
pub use open::{FileIdentity, OpenError, open_regular};
pub use stamp::Stamp;
pub use walk::{Candidate, Skipped, Walk, walk};
