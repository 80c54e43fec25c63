//! Where the lock of a cluster lies.

use crate::catalogue::default_location;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Beside the default catalogue, whatever `--catalogue` says: two runs with different catalogues must meet too.
///
/// Without a home that can be written, a directory of this user's own among the temporary files.
pub(super) fn default_lock_directory() -> PathBuf {
    let location = default_location();
    let home = location.as_ref().and_then(|location| location.path());
    let beside = home
        .and_then(Path::parent)
        .map(|directory| directory.join("locks"));
    let user = rustix::process::geteuid().as_raw();
    beside
        .filter(|directory| is_usable(directory))
        .unwrap_or_else(|| std::env::temp_dir().join(format!("etcd-cat-{user}")))
}

fn is_usable(directory: &Path) -> bool {
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory);
    made.is_ok() && rustix::fs::access(directory, rustix::fs::Access::WRITE_OK).is_ok()
}
