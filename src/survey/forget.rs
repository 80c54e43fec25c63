//! Drops what is known of backups.

use super::{SurveyError, refresh};
use crate::backup::Backup;
use crate::catalogue::{Catalogue, Forget, SnapshotKey};
use crate::source::Stores;

/// Drops the records of these backups from the catalogue; no file is touched.
///
/// # Errors
///
/// The catalogue cannot be read or written.
pub fn forget(
    backups: &[&Backup],
    catalogue: &Catalogue,
    stores: &Stores,
) -> Result<(), SurveyError> {
    let mut forget = Forget::default();
    for backup in backups {
        let snapshot = backup.snapshot.as_ref();
        let archive = backup.kuberesources.as_ref();
        forget
            .snapshots
            .extend(snapshot.map(|half| SnapshotKey::of(&half.facts)));
        forget
            .kuberesources
            .extend(archive.map(|half| half.facts.sha256));
        forget.paths.extend(backup.unreadable_path.clone());
    }
    catalogue.forget(&forget)?;
    refresh(catalogue, stores)
}
