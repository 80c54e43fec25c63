//! Where bytes come from: a file, a compressed file, or standard input, all read front to back.
//!
//! Sources are opened read-only and never mapped into memory: a file that shrinks while it is mapped kills the process.

mod compressed;
mod counting;

pub use compressed::decompress;
pub use counting::Counting;
