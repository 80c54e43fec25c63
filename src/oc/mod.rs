//! Takes a new backup through the `oc` command: looks first, runs the documented procedure on one control-plane
//! host, brings both files here, and leaves nothing behind.
//!
//! Three rooms, each using only those above it:
//!
//! * `client` runs `oc`: every command line there is, every run bounded and recorded.
//! * `cluster` asks a live cluster, and names what speaks against a backup now.
//! * `run` plans one backup and carries it out.
//!
//! [`plan()`] reads the cluster and refuses with named reasons; [`run()`] does what the plan says, step by step, and
//! cleans up on every way out. Verification and the catalogue are the caller's ([`take`](crate::take)): `run` asks back
//! through a closure. Nothing here reads a backup file's content beyond its digest.

mod client;
mod cluster;
mod run;

pub use client::{ClientOptions, Oc, RunError, shell_line};
pub(crate) use cluster::{LiveObject, list, served};
pub use cluster::{LiveTarget, ReasonCode, Window, live_target, parse_forced};
pub use run::{
    BackupFailure, BackupOptions, BackupPlan, BackupRun, BackupTask, DebugNamespace, FetchedFile,
    Leftover, OcError, RunOutcome, ScriptFailure, SnapshotStatus, VerificationResult, clean, plan,
    run,
};
pub(crate) use run::{cluster_of, own_directory};
