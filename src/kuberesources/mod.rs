//! One pass over a kuberesources archive: gzip and tar fully read and checked, nothing extracted.
//!
//! `gzip` inflates and hashes, `source` walks over the tar, `member` tells what a name means and whether it is safe, and
//! `interest` whether the file is worth reading. `file_facts` is what one of those tells (`pod` reads its text), and `collect` has
//! what all of them tell, the last of each name;
//! `missing` tells what was not there, and `findings` puts defects into words.

mod collect;
mod facts;
mod file_facts;
mod findings;
mod gzip;
mod interest;
mod keeping;
mod limits;
mod member;
mod missing;
mod pod;
mod read;

pub use facts::{ConfiguredProvider, Kuberesources};
pub use limits::ArchiveLimits;
pub(crate) use member::ROOT;
pub use read::{ArchiveReadError, read};
