//! What etcd keeps in bbolt: revisions, key values, members, alarms, and the rules that tie them together.

pub mod buckets;
mod groups;
mod heap;
mod history;
mod key_value;
mod order;
mod record_defect;
mod replay;
mod revision;
mod trail;

pub use history::{KeyHashes, KeyState};
pub use key_value::{KeyValue, KeyValueDefect};
pub use order::Order;
pub use record_defect::{RecordDefect, RecordDefectKind};
pub use replay::{Compaction, History, Replay};
pub use revision::{Revision, RevisionKey, RevisionKeyDefect};
pub use trail::{Entry, EntryKind, PageOrder, PageTimes, Step, Steps, Trail, TrailPage};
