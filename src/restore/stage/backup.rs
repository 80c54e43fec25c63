//! Staging a backup as the catalogue knows it.

use super::copy::VerifiedContent;
use super::error::StageError;
use super::run::{StageRequest, StageSource, Staged, stage};
use crate::backup::Backup;
use crate::monitor::Monitor;
use crate::selection::Candidate as _;
use crate::source::Store;
use std::path::Path;

impl<'a> StageRequest<'a> {
    /// Both halves of `backup`, as they were verified, into `to`.
    ///
    /// # Errors
    ///
    /// A directory that is ready for the restore must hold a backup that will restore: `backup` has no snapshot, or
    /// its verdict speaks against it.
    pub fn of(backup: &'a Backup, to: &'a Path) -> Result<Self, StageError> {
        if !backup.is_restorable() {
            return Err(StageError::NotUsable {
                id: backup.id().unwrap_or_default(),
                verdict: backup.verdict,
                reasons: backup.reasons_against(),
            });
        }
        let snapshot = backup.snapshot.as_ref().ok_or(StageError::NoSnapshot)?;
        let archive = backup.kuberesources.as_ref();
        Ok(Self {
            snapshot: StageSource {
                id: &snapshot.path,
                expected: VerifiedContent::from(&*snapshot.facts),
            },
            kuberesources: archive.map(|half| StageSource {
                id: &half.path,
                expected: VerifiedContent::from(&*half.facts),
            }),
            taken_at: backup.taken_at,
            to,
        })
    }
}

/// Copies the verified pair of `backup` into an empty or new directory: see [`stage`].
///
/// # Errors
///
/// `backup` cannot be restored from, or could not be copied.
pub fn stage_backup(
    backup: &Backup,
    to: &Path,
    store: &dyn Store,
    monitor: &dyn Monitor,
) -> Result<Staged, StageError> {
    stage(&StageRequest::of(backup, to)?, store, monitor)
}
