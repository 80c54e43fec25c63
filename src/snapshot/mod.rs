//! One pass over a `.db` file: bytes in, facts out.

mod classes;
mod content;
mod facts;
mod findings;
mod hashing;
mod keyspace;
mod read;
mod wanted;

pub use facts::{EncryptionUse, Flavour, Member, Sealed, SealedValue, Snapshot, Status};
pub use read::{HashOn, ReadError, Reading, read};
