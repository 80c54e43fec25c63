//! The names that the two halves get.

use crate::names::{BackupName, POSSIBLY_DIRTY, Stamp};
use crate::source::ObjectId;

/// Names as cluster-backup.sh writes them, so that one glob each finds them and people recognise them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct StagedNames {
    pub(super) stamp: Stamp,
    pub(super) snapshot: String,
    pub(super) kuberesources: String,
}

impl StagedNames {
    /// Names for this stamp. The suffix of a forced backup stays only if both halves carry it: on one half alone it
    /// was put there by a renaming, and the two names of a pair never differ.
    pub(super) fn new(stamp: Stamp, snapshot: &ObjectId, kuberesources: Option<&ObjectId>) -> Self {
        let is_dirty = is_possibly_dirty(snapshot) && kuberesources.is_none_or(is_possibly_dirty);
        let suffix = if is_dirty { POSSIBLY_DIRTY } else { "" };
        Self {
            stamp,
            snapshot: format!("snapshot_{stamp}{suffix}.db"),
            kuberesources: format!("static_kuberesources_{stamp}{suffix}.tar.gz"),
        }
    }
}

fn is_possibly_dirty(id: &ObjectId) -> bool {
    let name = id.file_name().and_then(BackupName::parse);
    name.is_some_and(|name| name.is_possibly_dirty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_stays_only_on_both() {
        let stamp = Stamp::find("2024-11-02_030000".as_ref()).expect("is a stamp");
        let clean = &ObjectId::from("snapshot_2024-11-02_030000.db");
        let dirty = &ObjectId::from("x/snapshot_2024-11-02_030000__POSSIBLY_DIRTY__.db");
        let clean_resources = &ObjectId::from("static_kuberesources_2024-11-02_030000.tar.gz");
        let dirty_resources =
            &ObjectId::from("static_kuberesources_2024-11-02_030000__POSSIBLY_DIRTY__.tar.gz");
        let rows = [
            (clean, clean_resources, false),
            (dirty, clean_resources, false),
            (clean, dirty_resources, false),
            (dirty, dirty_resources, true),
        ];
        for (snapshot, resources, is_kept) in rows {
            let names = StagedNames::new(stamp, snapshot, Some(resources));
            assert_eq!(
                names.snapshot.contains("DIRTY"),
                is_kept,
                "{snapshot:?} {resources:?}"
            );
            assert_eq!(
                names.kuberesources.contains("DIRTY"),
                is_kept,
                "{snapshot:?} {resources:?}"
            );
        }
    }
}
