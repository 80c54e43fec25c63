//! Getting a backup back: a directory made ready for it, and the way through.
//!
//! Nothing here talks to a cluster.

mod plan;
mod stage;

pub use plan::{Encryption, Plan, PlanInput, Script, Step, plan};
pub use stage::{Expected, Source, StageError, StageRequest, Staged, stage};
