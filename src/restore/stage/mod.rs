//! Making a directory that cluster-restore.sh can be pointed at: one verified pair, nothing else.
//!
//! The only module of the library that writes next to backups. Nothing gets its final name before both halves were
//! written, read back and found to be the bytes that were verified; on any failure all of it is removed again.

mod backup;
mod copy;
mod error;
mod names;
mod run;
mod target;

pub use backup::stage_backup;
pub use error::StageError;
pub use run::{Staged, stage};

#[cfg(test)]
mod tests;
