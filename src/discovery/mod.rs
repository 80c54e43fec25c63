//! Which files under a location may be halves of a backup: by name, by place, by their first bytes.
//!
//! Nothing here judges a backup, and nothing here writes. Walking only looks at directories and file attributes;
//! opening files is left to [`fingerprint`], so that a caller can skip what it has already read.

mod fingerprint;
mod open;
mod walk;

pub use fingerprint::{Kind, fingerprint};
pub use open::{FileIdentity, OpenError, open_regular};
pub use walk::{Candidate, Skipped, Walk, walk};
