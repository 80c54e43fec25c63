//! Takes a new backup through the `oc` command: looks first, runs the documented procedure on one control-plane
//! host, brings both files here, proves them, and leaves nothing behind.
//!
//! [`plan`] reads the cluster and refuses with named reasons; [`run`] does what the plan says, step by step, and
//! cleans up on every way out. Verification and the catalogue are the caller's: `run` asks back through a closure.
//! Nothing here reads a backup file's content beyond its digest.

mod backup;
mod cleanup;
mod client;
mod commands;
mod context;
mod cross_check;
mod debug_pod;
mod due;
mod error;
mod host;
mod live;
mod lock;
mod look;
mod options;
mod plan;
mod preflight;
mod procedure;
mod process;
mod proxy;
mod quarantine;
mod reason;
mod record;
mod remote_files;
mod script_output;
mod script_run;
mod space;
mod transfer;
mod types;
mod window;

pub use backup::run;
pub use cleanup::Leftover;
pub use client::{ClientOptions, Oc};
pub use commands::shell_line;
pub use cross_check::{LearntFacts, Mismatch, cross_check};
pub use due::{Due, DueOptions, KnownBackup, is_due};
pub use error::{OcError, RunError};
pub use live::{LiveTarget, live_target};
pub use lock::LockHolder;
pub use options::{BackupOptions, DebugNamespace, Timeouts};
pub use plan::{BackupPlan, plan};
pub use quarantine::quarantine;
pub use reason::{ForceError, Reason, ReasonCode, parse_forced};
pub use record::{BackupFailure, BackupRun, Outcome, Verification};
pub use script_output::{ScriptFailure, ScriptOutput, SnapshotStatus, parse_script_output};
pub use transfer::Fetched;
pub use window::{Window, WindowError};
