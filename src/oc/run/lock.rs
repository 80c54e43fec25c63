//! One backup of a cluster at a time on this machine: a lock file that tells who holds it.

use crate::instant::rfc3339_seconds;
use crate::source::{AtPath as _, IoError};
use chrono::{DateTime, Utc};
use rustix::fs::{Mode, OFlags};
use std::fmt;
use std::fs::{DirBuilder, File, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A holder's line is short; a longer file is not ours to believe.
const HOLDER_LIMIT_BYTES: u64 = 512;

/// Held until dropped; the kernel lets go when the process dies, however it dies.
#[derive(Debug)]
pub(super) struct RunLock(File);

impl Drop for RunLock {
    fn drop(&mut self) {
        // A child that is being started may still have the file open, and would hold it. Where this fails, closing will do.
        let _ = self.0.unlock();
    }
}

/// Who holds a lock, as the lock file says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LockHolder {
    /// `process 4711 since 2024-11-02T03:00:00Z`; empty when the holder had no time to write it.
    pub description: String,
    /// The lock file.
    pub path: PathBuf,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.description.as_str() {
            "" => write!(f, "by the holder of {path}"),
            description => write!(f, "by {description} ({path})"),
        }
    }
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum LockError {
    /// Somebody has it.
    #[error("held {0}")]
    Held(LockHolder),
    /// The lock file.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl RunLock {
    /// Takes the lock of one cluster, or tells who has it. Never waits.
    pub(super) fn acquire(
        directory: &Path,
        cluster_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, LockError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(directory).at_path("create", directory)?;
        let path = directory.join(format!("backup-{}.lock", file_part(cluster_id)));
        // Among the temporary files somebody else may have laid a link in our way.
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR);
        let mut file = File::from(opened.at_path("open", &path)?);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = LockHolder {
                    description: read_holder(&file),
                    path,
                };
                return Err(LockError::Held(holder));
            }
            Err(TryLockError::Error(source)) => Err(source).at_path("lock", &path)?,
        }
        let since = rfc3339_seconds(now);
        let line = format!("process {} since {since}", std::process::id());
        file.set_len(0).at_path("write", &path)?;
        file.write_all(line.as_bytes()).at_path("write", &path)?;
        Ok(Self(file))
    }
}

/// The id comes from the cluster: only what a uuid is made of reaches the file name.
fn file_part(cluster_id: &str) -> String {
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
    cluster_id.chars().filter(is_plain).take(64).collect()
}

fn read_holder(file: &File) -> String {
    let mut text = String::new();
    // What cannot be read is only a name less.
    let _ = file.take(HOLDER_LIMIT_BYTES).read_to_string(&mut text);
    text.chars()
        .filter(|character| !character.is_control())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_told_who_holds_the_lock() -> Result<(), LockError> {
        let directory =
            tempfile::tempdir().at_path("create", Path::new("a temporary directory"))?;
        let lock = RunLock::acquire(directory.path(), "../a/b", Utc::now())?;
        let second =
            RunLock::acquire(directory.path(), "../a/b", Utc::now()).expect_err("the lock is held");
        let pid = std::process::id().to_string();
        assert!(second.to_string().contains(&pid), "{second}");
        let other = RunLock::acquire(directory.path(), "other", Utc::now())?;
        drop(lock);
        RunLock::acquire(directory.path(), "../a/b", Utc::now())?;
        drop(other);
        Ok(())
    }
}
