//! What etcd keeps in bbolt: revisions, key values, members, alarms, and the rules that tie them together.
//!
//! While the file passes, each entry of bucket `key` is reduced to a [`RevisionEntry`] and kept in [`EntryNotes`]. Once
//! the tree has told which pages are alive, [`History`] replays what was noted.

pub(crate) mod buckets;
mod changes;
mod compaction;
mod entry;
mod entry_notes;
mod hash_groups;
mod history;
mod key_value;
mod live_digest;
mod page_order;
mod record_defect;
mod replay;
mod revision;
mod revision_order;

pub(crate) use compaction::Compaction;
pub(crate) use entry::{EntryKind, RevisionEntry};
pub(crate) use entry_notes::{EntryNotes, NotedPage, PageTimes};
pub(crate) use history::{KeyHashes, LiveValues};
pub(crate) use key_value::{KeyValue, KeyValueDefect};
pub use live_digest::LiveDigest;
pub(crate) use record_defect::RecordDefect;
pub(crate) use replay::{History, Replay};
pub(crate) use revision::{Revision, RevisionKey, RevisionKeyDefect};
pub(crate) use revision_order::RevisionOrder;
