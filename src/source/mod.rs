//! Where bytes come from: a file, a compressed file, or standard input, all read front to back.
//!
//! Sources are opened read-only and never mapped into memory: a file that shrinks while it is mapped kills the process.

mod ahead;
mod compressed;
mod counting;
mod file;
mod io_error;
mod publish;

pub use compressed::{Compression, decompress, unpack};
pub use counting::Counting;
pub use file::{FileReader, PageCache};
pub(crate) use io_error::AtPath;
pub use io_error::IoError;
pub(crate) use publish::{rename_new, rename_new_at, sync_directory};
