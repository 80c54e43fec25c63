//! One backup: planned from a look at the cluster, carried out step by step, cleaned up after on every way out.

mod backup;
mod cleanup;
mod context;
mod debug_pod;
mod error;
mod host;
mod lock;
mod options;
mod plan;
mod procedure;
mod put_aside;
mod record;
mod remote_files;
mod script_output;
mod script_run;
mod space;
mod transfer;

pub use backup::run;
pub use cleanup::Leftover;
pub use error::OcError;
pub use lock::LockHolder;
pub use options::{BackupOptions, DebugNamespace, Timeouts};
pub use plan::{BackupPlan, plan};
pub use put_aside::quarantine;
pub use record::{BackupFailure, BackupRun, Outcome, Verification};
pub use script_output::{ScriptFailure, ScriptOutput, SnapshotStatus, parse_script_output};
pub use transfer::Fetched;
