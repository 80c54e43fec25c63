//! Getting a backup back: a directory made ready for it, and the way through.
//!
//! Nothing here talks to a cluster.

mod check;
mod loss;
mod plan;
mod stage;

pub use check::{Alternative, ClusterUnclear, Elsewhere, RestoreCheck, SeveralClusters};
pub use loss::{KindLoss, Loss};
pub use plan::{
    Disaster, Encryption, HostError, Hosts, Plan, PlanRequest, Script, StageCall, Step,
};
pub use stage::{StageError, Staged, stage, stage_backup};
