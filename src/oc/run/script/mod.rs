//! `cluster-backup.sh` on the host: run, its output shown as it comes, read, and its failures told apart.

mod execute;
mod failure;
mod output;

pub(super) use execute::{FinishedScript, execute};
pub use failure::ScriptFailure;
pub(crate) use output::ScriptOutput;
pub use output::SnapshotStatus;
