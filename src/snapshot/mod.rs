//! One pass over a `.db` file: bytes in, facts out.

mod facts;

pub use facts::{EncryptionUse, Flavour, Member, Sealed, SealedValue, Snapshot, Status};
