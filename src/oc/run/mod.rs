//! One backup: planned from a look at the cluster, carried out step by step, cleaned up after on every way out.
//!
//! [`plan()`] decides and holds the lock, and `foresee` tells the commands. [`run()`] then has the `procedure` carried out: a `debug_pod` on the host,
//! `space` measured, the `script` run, both files found there (`remote_files`) and brought here (`transfer`). What is
//! made in the cluster is noted in `cleanup` before it is made, so that it is removed whatever happens. Files that the
//! caller does not believe are `put_aside`. What the cluster's own policy left is found by `policy`, where `policy_search`
//! says, and only read: on hosts, and through a `volume_pod` where no host has the volume.

mod backup;
mod cleanup;
mod context;
mod debug_pod;
mod earlier;
mod error;
mod foresee;
mod heartbeat;
mod host;
mod host_shell;
mod leftover;
mod lock;
mod lock_directory;
mod options;
mod plan;
mod planned;
mod pod_start;
mod policy;
mod policy_search;
mod procedure;
mod put_aside;
mod record;
mod remote_files;
mod script;
mod space;
mod transfer;
mod volume_pod;

pub use backup::{clean, run};
pub use error::OcError;
pub use leftover::Leftover;
pub(crate) use lock_directory::own_directory;
pub use options::{BackupOptions, BackupTask, DebugNamespace};
pub(crate) use plan::cluster_of;
pub use plan::plan;
pub use planned::BackupPlan;
pub use record::{BackupFailure, BackupRun, RunOutcome, VerificationResult};
pub use script::{ScriptFailure, SnapshotStatus};
pub use transfer::FetchedFile;
