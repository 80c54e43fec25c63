//! One pass over a `.db` file: bytes in, facts out.
//!
//! `feed` cuts the bytes into chunks. Each chunk is hashed (`hashing`, `sha256`) and scanned (`pass`, which shows each
//! leaf to `keyspace`): by `cores` on two cores for one snapshot (`supply` hands each chunk to both), by `lanes` on one core
//! for two at a time. At the end `content` has the tree proven from the notes of the scan and draws the facts from it.

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
mod supply;
mod wanted;

pub use facts::{Flavour, Member, Snapshot, Status};
pub use lanes::{Queue, read_all};
pub use read::{HashOn, ReadError, Reading, read};
