//! What etcd keeps in bbolt: revisions, key values, members, alarms, and the rules that tie them together.

pub mod buckets;
mod key_value;
mod newest;
mod replay;
mod revision;
mod trail;

pub use key_value::{KeyValue, KeyValueDefect};
pub use replay::{Compaction, KeyState, RecordDefect, RecordDefectKind, Replay};
pub use revision::{Revision, RevisionKey, RevisionKeyDefect};
pub use trail::{Entry, EntryKind, PageTimes, Trail, TrailPage};
