//! Where bytes come from: a file, a compressed file, or standard input, all read front to back.
//!
//! Sources are opened read-only and never mapped into memory: a file that shrinks while it is mapped kills the process.

mod ahead;
mod compressed;
mod counting;
mod file;

pub use compressed::{Compression, decompress, unpack};
pub use counting::Counting;
pub use file::{FileReader, PageCache};
