//! Looking inside: what is in one backup, and what another one has instead.
//!
//! A [`Subject`] is the file that is looked into, and where its keys may lie. `Contents::read` reads it in one pass
//! that proves every byte and keeps the entries that a question needs; what was not proven is not given out. From there
//! [`read_kinds`], [`find_objects`], [`compare`] and [`compare_live`] answer one question each.

mod change;
mod contents;
mod difference;
mod error;
mod find;
mod history;
mod keys;
mod kinds;
mod live;
mod object;
mod query;
mod selector;
mod sizes;
mod stake;
mod subject;

pub use change::{Change, ChangeRow, Differences, LiveCluster, NotCompared, Other, Version};
pub use contents::{Contents, Trust};
pub use difference::compare;
pub use error::{InspectError, ObjectError};
pub use find::{FoundObjects, Wanted, find_objects};
pub use history::{TimeSource, VersionRow};
pub use kinds::{KindRow, read_kinds};
pub use live::compare_live;
pub use object::ObjectRow;
pub use query::NamePattern;
pub use selector::{Selector, SelectorError};
pub use sizes::{Sizes, read_sizes};
pub use stake::Stake;
pub use subject::Subject;
