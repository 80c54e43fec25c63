//! One pass over a `.db` file: bytes in, facts out.
//!
//! `chunk` cuts the bytes into chunks. Each chunk is hashed (`hashing`, `sha256`) and scanned (`pass`, which shows each leaf
//! to `keyspace`): by `two_cores` at once for one snapshot (`broadcast` hands each chunk to both), by `one_core` in
//! turns, and there for two snapshots side by side. At the end `content` has the tree proven from the notes of the scan
//! and draws the facts from it: out of the `small_buckets`, the entries of bucket `key` (`key_replay`) and the
//! `live_values`.

mod broadcast;
mod chunk;
mod classes;
mod content;
mod defective_objects;
mod entry_collector;
mod entry_defect;
mod entry_keys;
mod entry_request;
mod every_value;
mod facts;
mod findings;
mod hashing;
mod key_replay;
mod keyspace;
mod leases;
mod live_values;
mod mend;
mod one_core;
mod packed;
mod pass;
mod purpose;
mod read;
mod reading;
mod samples;
mod sha256;
mod small_buckets;
mod stored_entries;
mod two_cores;
mod wanted;
mod zeros;

pub use crate::etcd::LiveDigest;
pub use entry_collector::MAX_KEPT_BYTES;
pub use entry_keys::EntryKey;
pub use entry_request::{
    EntryRequest, KeyFilter, KeyPredicate, ValueMark, ValuePredicate, Versions,
};
pub use facts::{Flavour, KindContent, Member, Snapshot, Status};
pub use mend::{MendHow, Mended};
pub(crate) use mend::{finding_of, is_to_be_read_again, lost_trailer, mend, mend_at_once, mended};
pub use one_core::{SnapshotQueue, read_all};
pub(crate) use packed::bounded;
pub(crate) use read::read_with_keys;
pub use read::{read, read_entries};
pub use reading::{HashOn, ReadError, SnapshotReading};
pub use stored_entries::{StoredEntries, StoredEntry, Timeline};
