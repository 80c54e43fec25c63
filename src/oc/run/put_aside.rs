//! Puts a backup that is not believed aside, under a name that says so and that no restore script picks up.

use super::error::OcError;
use crate::names::PutAside;
use crate::source::{AtPath as _, rename_new};
use std::fs;
use std::path::{Path, PathBuf};

/// More backups of one second than this are not renamed aside.
const MAX_SAME_NAME: u32 = 100;

/// Renames each file to `NAME.failed-verification`, or as `put_aside` says; returns the new paths in the same order.
///
/// `cluster-restore.sh` takes `snapshot*.db` and `static_kuberesources*.tar.gz`: neither matches any more.
///
/// # Errors
/// A file cannot be renamed. Those before it have their new names.
pub(super) fn rename_aside(
    paths: &[PathBuf],
    put_aside: PutAside,
) -> Result<Vec<PathBuf>, OcError> {
    paths
        .iter()
        .map(|path| {
            let name = free_name(path, put_aside.suffix())?;
            rename_new(path, &name).at_path("rename", path)?;
            Ok(name)
        })
        .collect()
}

fn free_name(path: &Path, suffix: &str) -> Result<PathBuf, OcError> {
    let name = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{suffix}"));
        if number > 0 {
            name.push(format!(".{number}"));
        }
        PathBuf::from(name)
    };
    let free = (0..MAX_SAME_NAME)
        .map(name)
        .find(|name| fs::symlink_metadata(name).is_err());
    free.ok_or_else(|| OcError::Exists { path: name(0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    #[test]
    fn a_failed_backup_keeps_its_bytes_under_a_name_that_no_restore_takes()
    -> Result<(), Box<dyn Error>> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("snapshot_2024-11-02_030005.db");
        for expected in ["", ".1"] {
            fs::write(&path, "bytes")?;
            let aside = rename_aside(std::slice::from_ref(&path), PutAside::Failed)?;
            let name = format!("snapshot_2024-11-02_030005.db.failed-verification{expected}");
            assert_eq!(aside, [directory.path().join(name)]);
            assert!(!path.exists());
        }
        Ok(())
    }
}
