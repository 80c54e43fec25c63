//! Where this program keeps what is its own: the locks of clusters, backups on their way to a bucket.

use crate::catalogue::default_location;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Where locks lie, whatever `--catalogue` says: two runs with different catalogues must meet too.
pub(super) fn default_lock_directory() -> PathBuf {
    own_directory("locks")
}

/// A directory of this name beside the default catalogue. Without a home that can be written, a directory of this user's
/// own among the temporary files.
pub(crate) fn own_directory(name: &str) -> PathBuf {
    let location = default_location();
    let home = location.as_ref().and_then(|location| location.path());
    let beside = home
        .and_then(Path::parent)
        .map(|directory| directory.join(name));
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
