//! One pass over a `.db` file: bytes in, facts out.

mod classes;
mod content;
mod cores;
mod facts;
mod feed;
mod findings;
mod hashing;
mod keyspace;
mod lanes;
mod pass;
mod read;
mod sha256;
mod wanted;

pub use facts::{EncryptionUse, Flavour, Member, Sealed, SealedValue, Snapshot, Status};
pub use lanes::{Queue, read_all};
pub use read::{HashOn, ReadError, Reading, read};
