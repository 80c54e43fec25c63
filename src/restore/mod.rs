//! Getting a backup back: what cluster-restore.sh would take, a directory made ready for it, and the way through.
//!
//! Nothing here talks to a cluster.

mod picks;
mod plan;
mod stage;
mod version_sort;

pub use picks::{Picks, is_restore_name};
pub use plan::{Encryption, Plan, PlanInput, Script, Step, plan};
pub use stage::{Expected, Source, StageError, StageRequest, Staged, stage};
pub use version_sort::{Coreutils, compare as compare_versions};
